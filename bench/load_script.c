/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench/load_script.h"

#include "base/auto.h"
#include "bench/load_origin.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/ssl.h>

static struct step *add_step(struct script *s, enum answer answer, uint64_t answer_bytes)
{
    assert(s->n < SCRIPT_STEPS);

    struct step *step = &s->steps[s->n++];

    *step = (struct step){.answer = answer, .answer_bytes = answer_bytes};
    buf_init(&step->says, BUF_UNBOUNDED);
    return step;
}

/* Ways to the origin */

static void ask_connect(struct script *s, struct str target)
{
    buf_printf(&add_step(s, ANSWER_HEAD, 0)->says,
               "CONNECT " STR_FMT " HTTP/1.1\r\nHost: " STR_FMT "\r\n\r\n", STR_ARG(target),
               STR_ARG(target));
}

/* RFC 1928: no authentication; then CONNECT to an IPv4 address, or to a name. */
static void ask_socks5(struct script *s, struct str target)
{
    static const uint8_t no_auth[] = {5, 1, 0}, connect[] = {5, 1, 0};
    struct str port_text = target, host = str_cut(&port_text, ':');
    AUTO(auto_free) char *host_text = str_dup(host);
    struct in_addr address;
    uint64_t port = 0;
    struct buf *out;

    str_to_u64(port_text, &port);
    buf_put(&add_step(s, ANSWER_BYTES, 2)->says, no_auth, sizeof no_auth);
    out = &add_step(s, ANSWER_BYTES, 10)->says;
    buf_put(out, connect, sizeof connect);
    if (inet_pton(AF_INET, host_text, &address) == 1) {
        buf_put_byte(out, 1);
        buf_put(out, &address, sizeof address);
    } else {
        buf_put_byte(out, 3);
        buf_put_byte(out, (uint8_t)host.n);
        buf_put_str(out, host);
    }
    buf_put_byte(out, (uint8_t)(port >> 8));
    buf_put_byte(out, (uint8_t)port);
}

/* What OpenSSL says first to a server of this name. */
static void put_hello(struct buf *out, struct str target)
{
    AUTO(auto_free) char *host = str_dup(str_cut(&target, ':'));
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    SSL *client = SSL_new(tls);
    BIO *sent = BIO_new(BIO_s_mem());
    char hello[4096];
    int n;

    SSL_set_bio(client, BIO_new(BIO_s_mem()), sent);
    SSL_set_tlsext_host_name(client, host);
    SSL_connect(client);
    n = BIO_read(sent, hello, sizeof hello);
    assert(n > 0);
    buf_put(out, hello, (size_t)n);
    SSL_free(client);
    SSL_CTX_free(tls);
}

/* The router reads the name in passing; the origin answers the hello as it answers PING. */
static void ask_sni(struct script *s, struct str target)
{
    put_hello(&add_step(s, ANSWER_BYTES, ORIGIN_ANSWER_BYTES)->says, target);
}

static void ask_nothing(struct script *s, struct str target)
{
    (void)s;
    (void)target;
}

static const struct way {
    const char *name;
    void (*ask)(struct script *script, struct str target);
} ways[] = {
    {"http", ask_connect},
    {"socks5", ask_socks5},
    {"sni", ask_sni},
    {"plain", ask_nothing},
};

static const struct way *way_called(struct str name)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (str_eq(name, str_of(ways[i].name)))
            return &ways[i];
    return NULL;
}

static void ask_for_way(struct script *s, struct str way, struct str target)
{
    way_called(way)->ask(s, target);
}

/* What is done there */

/* Through a proxy the absolute form; to the origin itself the path alone. */
static void act_get(struct script *s, struct str way, struct str target, uint64_t bytes)
{
    const char *scheme = str_eq(way, STR("http")) ? "http://" : "";
    struct str authority = *scheme ? target : (struct str){0};

    (void)bytes;
    buf_printf(&add_step(s, ANSWER_RESPONSE, 0)->says,
               "GET %s" STR_FMT "/a/file HTTP/1.1\r\nHost: " STR_FMT
               "\r\nUser-Agent: proxy_load\r\nAccept: */*\r\n\r\n",
               scheme, STR_ARG(authority), STR_ARG(target));
}

static void act_ping(struct script *s, struct str way, struct str target, uint64_t bytes)
{
    (void)bytes;
    ask_for_way(s, way, target);
    if (!str_eq(way, STR("sni"))) /* there the hello was answered already */
        buf_put_str(&add_step(s, ANSWER_BYTES, ORIGIN_ANSWER_BYTES)->says, STR("PING"));
}

static void act_down(struct script *s, struct str way, struct str target, uint64_t bytes)
{
    ask_for_way(s, way, target);
    buf_printf(&add_step(s, ANSWER_BYTES, bytes)->says, "DOWN%012" PRIu64, bytes);
}

static void act_up(struct script *s, struct str way, struct str target, uint64_t bytes)
{
    struct step *step;

    ask_for_way(s, way, target);
    step = add_step(s, ANSWER_BYTES, ORIGIN_ANSWER_BYTES);
    buf_printf(&step->says, "UPUP%012" PRIu64, bytes);
    step->filler_bytes = bytes;
}

static const struct mode modes[] = {
    {"get", 64, THEN_REPEAT, false, act_get}, {"connect", 64, THEN_CLOSE, false, act_ping},
    {"down", 8, THEN_CLOSE, true, act_down},  {"up", 8, THEN_CLOSE, true, act_up},
    {"idle", 64, THEN_HOLD, false, act_ping},
};

const struct mode *script_mode(struct str name)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (str_eq(name, str_of(modes[i].name)))
            return &modes[i];
    return NULL;
}

int script_init(struct script *script, const struct mode *mode, struct str way, struct str target,
                uint64_t bytes, struct err *err)
{
    if (!way_called(way))
        return err_set(err, -EINVAL, "no way to the origin is called " STR_FMT, STR_ARG(way));
    script->n = 0;
    mode->act(script, way, target, bytes);
    return 0;
}

void script_finish(struct script *script)
{
    for (unsigned i = 0; i < script->n; i++)
        buf_finish(&script->steps[i].says);
    script->n = 0;
}
