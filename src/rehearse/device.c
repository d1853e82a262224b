/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A flow's life, each step one state:
 *
 *     REACHING the proxy ─▶ TUNNELLING (CONNECT) ─▶ SECURING (TLS) ─▶ ASKING ⇄ PAUSING
 *              └── plain HTTP ───────────────────────────────────────▶┘   │
 *                                                           LEAVING ◀─ KEEPING
 *
 * Bytes that are spread over time are moved in parts, a request each, a second apart: as downloads
 * in ranges do it.
 */
#include "rehearse/device.h"

#include "base/auto.h"
#include "base/xalloc.h"
#include "rehearse/channel.h"
#include "rehearse/message.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { REQUEST_MAX = 8 << 10, PARTS_MAX = 100000 };
#define PART_US 1000000ull
#define PATIENCE_US 30000000ull /* for an answer: the receive timeout that WinHTTP starts with */

enum flow_state { REACHING, TUNNELLING, SECURING, ASKING, PAUSING, KEEPING, LEAVING };

struct device {
    struct loop *loop;
    struct device_options options;
    struct sockaddr_in address, proxy;
    SSL_CTX *tls;
    struct flow *flows;
};

struct flow {
    struct device *device;
    struct flow *prev, *next;
    const struct scenario_flow *plan;
    void (*done)(void *ctx, const char *error); /* NULL: it was called */
    void *ctx;

    enum flow_state state;
    struct channel channel;
    struct loop_timer timer; /* the next part, the end of the wait or of our patience */
    bool busy;

    uint64_t began_us; /* the first part */
    uint64_t part, parts;
    struct message answer; /* the one that is being read */
};

static bool is_tunnel(const struct flow *f)
{
    return !f->plan->method.n;
}

/* --- beginning and end --------------------------------------------------------------------------
 */

static void set_busy(struct flow *f, bool busy)
{
    if (busy && fault_is(f->device->options.faults, f->plan->host, FAULT_SILENT))
        busy = false;
    if (f->busy != busy)
        loop_busy(f->device->loop, busy ? 1 : -1);
    f->busy = busy;
}

static void flow_destroy(void *ctx)
{
    struct flow *f = ctx;

    message_finish(&f->answer);
    free(f);
}

/* The channel is closed; nothing of the flow is used after this round. */
static void forget(struct flow *f)
{
    struct device *d = f->device;

    set_busy(f, false);
    loop_del_timer(d->loop, &f->timer);
    if (f->prev)
        f->prev->next = f->next;
    else
        d->flows = f->next;
    if (f->next)
        f->next->prev = f->prev;
    loop_defer(d->loop, flow_destroy, f);
}

static void report(struct flow *f, const char *error)
{
    void (*done)(void *ctx, const char *error) = f->done;

    f->done = NULL;
    if (done)
        done(f->ctx, error);
}

static void be_patient(struct flow *f)
{
    loop_set_timer(f->device->loop, &f->timer, loop_now_us(f->device->loop) + PATIENCE_US);
}

static void leave(struct flow *f)
{
    bool established = f->state == ASKING || f->state == KEEPING || f->state == PAUSING;

    f->state = LEAVING;
    set_busy(f, true);
    be_patient(f);
    if (!established)
        channel_ignore(&f->channel);
    channel_finish(&f->channel);
}

static void fail(struct flow *f, const char *error)
{
    leave(f);
    report(f, error);
}

static void ended(void *ctx, const char *error)
{
    struct flow *f = ctx;
    bool kept = f->state == KEEPING || f->state == LEAVING;

    forget(f);
    report(f, error ? error : kept ? NULL : "the connection was closed");
}

/* --- asking and being answered ------------------------------------------------------------------
 */

/* Of `total` bytes, what belongs to the part that is being moved. */
static uint64_t share(const struct flow *f, uint64_t total)
{
    return total * (f->part + 1) / f->parts - total * f->part / f->parts;
}

static void put_field(struct buf *out, const char *name, struct str value)
{
    if (value.n)
        buf_printf(out, "%s: " STR_FMT "\r\n", name, STR_ARG(value));
}

static void ask(struct flow *f)
{
    const struct scenario_flow *plan = f->plan;
    uint64_t up = share(f, plan->up);
    struct buf out;

    f->state = ASKING;
    set_busy(f, true);
    be_patient(f);

    buf_init(&out, REQUEST_MAX);
    if (is_tunnel(f))
        buf_printf(&out, "POST " STR_FMT " HTTP/1.1\r\n", STR_ARG(plan->path));
    else
        buf_printf(&out, STR_FMT " http://" STR_FMT STR_FMT " HTTP/1.1\r\n", STR_ARG(plan->method),
                   STR_ARG(plan->host), STR_ARG(plan->path));
    put_field(&out, "Host", plan->host);
    put_field(&out, "User-Agent", plan->agent);
    if (up || is_tunnel(f))
        buf_printf(&out, "Content-Length: %" PRIu64 "\r\n", up);
    buf_printf(&out, "Rehearsal-Answer: 200 %" PRIu64 " " STR_FMT "\r\n\r\n", share(f, plan->down),
               STR_ARG(plan->type));
    assert(!out.full); /* the loader bounds the texts */
    channel_put(&f->channel, buf_str(&out));
    buf_finish(&out);
    channel_fill(&f->channel, up);
}

static uint64_t part_at_us(const struct flow *f, uint64_t part)
{
    return f->began_us + (f->parts > 1 ? f->plan->over_us * part / (f->parts - 1) : 0);
}

static void begin(struct flow *f)
{
    f->began_us = loop_now_us(f->device->loop);
    f->parts = f->plan->over_us / PART_US + 1;
    if (f->parts > PARTS_MAX)
        f->parts = PARTS_MAX;
    ask(f);
}

static void keep(struct flow *f)
{
    uint64_t now_us = loop_now_us(f->device->loop);

    f->state = KEEPING;
    report(f, NULL);
    if (!f->plan->keep_us) {
        leave(f);
        return;
    }
    set_busy(f, false);
    if (f->plan->keep_us == KEEP_OPEN)
        loop_del_timer(f->device->loop, &f->timer);
    else
        loop_set_timer(f->device->loop, &f->timer, now_us + f->plan->keep_us);
}

static void answered(struct flow *f)
{
    if (++f->part == f->parts) {
        keep(f);
        return;
    }
    f->state = PAUSING;
    set_busy(f, false);
    loop_set_timer(f->device->loop, &f->timer, part_at_us(f, f->part));
}

/* --- reading answers ----------------------------------------------------------------------------
 */

static void secure(struct flow *f)
{
    static const unsigned char protocols[] = "\x02h2\x08http/1.1";
    SSL *ssl = SSL_new(f->device->tls);
    char *host = str_dup(f->plan->host);

    assert(ssl);
    SSL_set_connect_state(ssl);
    SSL_set_tlsext_host_name(ssl, host);
    SSL_set1_host(ssl, host);
    SSL_set_alpn_protos(ssl, protocols, sizeof protocols - 1);
    free(host);
    f->state = SECURING;
    channel_secure(&f->channel, ssl);
}

/* What the answer that is being read answers. */
static const char *asked(const struct flow *f)
{
    if (f->state == TUNNELLING)
        return "CONNECT";
    return is_tunnel(f) ? "POST" : f->plan->method.p;
}

/* An answer that is no success is not waited for to its end. */
static bool refused(struct flow *f)
{
    char error[40];

    if (!f->answer.has_head || f->answer.head.status < 400)
        return false;
    snprintf(error, sizeof error, "answered %u", f->answer.head.status);
    fail(f, error);
    return true;
}

static void received(void *ctx, struct str bytes)
{
    struct flow *f = ctx;
    enum parsed parsed;

    if (f->state != TUNNELLING && f->state != ASKING)
        return;
    parsed = message_read(&f->answer, &bytes, asked(f));
    if (refused(f) || parsed == PARSED_MORE)
        return;
    if (parsed == PARSED_ODD) {
        fail(f, "the answer is not HTTP");
        return;
    }
    message_clear(&f->answer);
    if (f->state == TUNNELLING)
        secure(f);
    else
        answered(f);
}

/* --- the way there ------------------------------------------------------------------------------
 */

static void opened(void *ctx)
{
    struct flow *f = ctx;
    struct buf out;

    if (!is_tunnel(f)) {
        begin(f);
        return;
    }
    f->state = TUNNELLING;
    buf_init(&out, REQUEST_MAX);
    buf_printf(&out, "CONNECT " STR_FMT ":443 HTTP/1.1\r\nHost: " STR_FMT ":443\r\n",
               STR_ARG(f->plan->host), STR_ARG(f->plan->host));
    put_field(&out, "User-Agent", f->plan->agent);
    buf_put_str(&out, STR("Proxy-Connection: Keep-Alive\r\n\r\n"));
    channel_put(&f->channel, buf_str(&out));
    buf_finish(&out);
}

static void secured(void *ctx)
{
    begin(ctx);
}

static void timer_fired(void *ctx)
{
    struct flow *f = ctx;

    switch (f->state) {
    case PAUSING:
        ask(f);
        break;
    case KEEPING:
        leave(f);
        break;
    case REACHING:
    case LEAVING:
        channel_reset(&f->channel);
        forget(f);
        report(f, "the proxy does not answer");
        break;
    default:
        fail(f, "no answer in time");
    }
}

static int reach_proxy(struct device *d)
{
    AUTO(auto_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int late = 1; /* the port is chosen when connecting, so that there are enough of them */

    if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, sizeof late) < 0 ||
        bind(fd, (struct sockaddr *)&d->address, sizeof d->address) < 0 ||
        (connect(fd, (struct sockaddr *)&d->proxy, sizeof d->proxy) < 0 && errno != EINPROGRESS))
        return -errno;
    return steal_fd(&fd);
}

static const struct channel_events flow_events = {
    .opened = opened,
    .secured = secured,
    .received = received,
    .ended = ended,
};

void device_open(struct device *d, const struct scenario_flow *plan,
                 void (*done)(void *ctx, const char *error), void *ctx)
{
    int fd = reach_proxy(d);
    struct flow *f;

    if (fd < 0) {
        done(ctx, strerror(-fd));
        return;
    }
    f = xalloc(sizeof *f);
    *f = (struct flow){.device = d,
                       .next = d->flows,
                       .plan = plan,
                       .done = done,
                       .ctx = ctx,
                       .timer = {.fire = timer_fired, .ctx = f}};
    message_init(&f->answer);
    fd = channel_open(&f->channel, d->loop, fd, true, &flow_events, f);
    if (fd < 0) {
        flow_destroy(f);
        done(ctx, strerror(-fd));
        return;
    }
    if (d->flows)
        d->flows->prev = f;
    d->flows = f;
    set_busy(f, true);
    be_patient(f);
}

void device_go_off(struct device *d)
{
    while (d->flows) {
        channel_reset(&d->flows->channel);
        forget(d->flows);
    }
}

/* --- the device ---------------------------------------------------------------------------------
 */

static SSL_CTX *make_tls(const struct device_options *options)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

    if (!tls)
        return NULL;
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_max_proto_version(tls, options->tls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), options->trusted) != 1) {
        SSL_CTX_free(tls);
        return NULL;
    }
    return tls;
}

int device_create(struct loop *loop, const struct device_options *options,
                  struct device **ret_device, struct err *err)
{
    struct device *d = xalloc(sizeof *d);

    *d = (struct device){
        .loop = loop,
        .options = *options,
        .address = {.sin_family = AF_INET},
        .proxy = {.sin_family = AF_INET,
                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                  .sin_port = htons(options->proxy_port)},
    };
    d->tls = make_tls(options);
    if (!d->tls || inet_pton(AF_INET, options->address, &d->address.sin_addr) != 1) {
        device_destroy(d);
        return err_set(err, -EINVAL, "%s: the rehearsal's device could not be made",
                       options->address);
    }
    *ret_device = d;
    return 0;
}

void device_destroy(struct device *d)
{
    if (!d)
        return;
    device_go_off(d);
    SSL_CTX_free(d->tls);
    free(d);
}
