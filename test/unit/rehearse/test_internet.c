/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rehearse/internet.h"

#include "base/auto.h"
#include "rehearse/channel.h"

#include "test/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/* A client that asks one thing of one host, at the address that the proxy would dial. */
struct client {
    struct channel channel;
    struct loop_timer patience;
    struct loop *loop;
    const char *ask;
    struct buf got;
    bool secured, ended;
    char error[160];
};

struct lab {
    struct clock clock;
    struct loop *loop;
    struct fault faults[8];
    struct fault_list list;
    struct internet *net;
    SSL_CTX *tls;
};

static void ask(void *ctx)
{
    struct client *c = ctx;

    c->secured = true;
    channel_put(&c->channel, str_of(c->ask));
    channel_finish(&c->channel);
}

static void ask_in_the_clear(void *ctx)
{
    struct client *c = ctx;

    if (!c->channel.ssl)
        ask(c);
}

static void received(void *ctx, struct str bytes)
{
    struct client *c = ctx;

    buf_put_str(&c->got, bytes);
}

static void ended(void *ctx, const char *error)
{
    struct client *c = ctx;

    c->ended = true;
    loop_del_timer(c->loop, &c->patience);
    snprintf(c->error, sizeof c->error, "%s", error ? error : "");
}

static void lose_patience(void *ctx)
{
    struct client *c = ctx;

    channel_close(&c->channel);
}

static int set_up(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);

    clock_init_held(&lab->clock, 0);
    lab->list = (struct fault_list){lab->faults, 0};
    assert_int_equal(loop_create(&lab->clock, &lab->loop, NULL), 0);
    assert_int_equal(internet_create(lab->loop, &lab->list, &lab->net, NULL), 0);
    lab->tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(lab->tls, SSL_VERIFY_PEER, NULL);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(lab->tls), internet_root(lab->net));
    *state = lab;
    return 0;
}

static int tear_down(void **state)
{
    struct lab *lab = *state;

    SSL_CTX_free(lab->tls);
    internet_destroy(lab->net);
    loop_destroy(lab->loop);
    free(lab);
    return 0;
}

static void add_fault(struct lab *lab, const char *host, enum fault_kind kind, unsigned status)
{
    lab->faults[lab->list.n++] = (struct fault){str_of(host), kind, status};
}

/* The i-th host that was added has the i-th address. */
static struct sockaddr_storage door_of(struct lab *lab, unsigned i, uint16_t port)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)&address;

    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    in->sin_addr.s_addr = htonl(0xc6120000 + i);
    internet_dial(lab->net, &address);
    return address;
}

static void talk(struct lab *lab, struct client *c, unsigned i, const char *host, bool tls,
                 const char *text)
{
    static const struct channel_events events = {
        .opened = ask_in_the_clear, .secured = ask, .received = received, .ended = ended};
    struct sockaddr_storage to = door_of(lab, i, tls ? 443 : 80);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    *c = (struct client){
        .loop = lab->loop, .ask = text, .patience = {.fire = lose_patience, .ctx = c}};
    buf_init(&c->got, BUF_UNBOUNDED);
    assert_true(connect(fd, (struct sockaddr *)&to, sizeof(struct sockaddr_in)) == 0 ||
                errno == EINPROGRESS || errno == ECONNREFUSED);
    assert_int_equal(channel_open(&c->channel, lab->loop, fd, !tls, &events, c), 0);
    if (tls) {
        SSL *ssl = SSL_new(lab->tls);

        SSL_set_connect_state(ssl);
        SSL_set_tlsext_host_name(ssl, host);
        SSL_set1_host(ssl, host);
        channel_secure(&c->channel, ssl);
    }
    loop_set_timer(lab->loop, &c->patience, loop_now_us(lab->loop) + 1000000);
    loop_run(lab->loop);
}

static void assert_got(const struct client *c, const char *says)
{
    if (str_search(buf_str(&c->got), str_of(says)) == c->got.n)
        fail_msg("no '%s' in '" STR_FMT "' (%s)", says, STR_ARG(buf_str(&c->got)), c->error);
}

#define ASK(host, answer) "GET / HTTP/1.1\r\nHost: " host "\r\n" answer "\r\n"
#define TEN "Rehearsal-Answer: 200 10 text/plain\r\n"

static void a_server_answers_as_it_is_asked_to(void **state)
{
    struct lab *lab = *state;
    struct client c;

    internet_add_host(lab->net, STR("a.example"));
    for (int tls = 0; tls < 2; tls++) {
        talk(lab, &c, 1, "a.example", tls, ASK("a.example", TEN));
        assert_string_equal(c.error, "");
        assert_true(c.ended);
        assert_got(&c, "HTTP/1.1 200 ");
        assert_got(&c, "Content-Length: 10\r\n\r\n");
        assert_true(str_ends(buf_str(&c.got), STR("\r\n\r\n\0\0\0\0\0\0\0\0\0\0")));
        buf_finish(&c.got);
    }
    assert_int_equal(internet_seen(lab->net, STR("a.example")).connections, 2);
    assert_int_equal(internet_seen(lab->net, STR("a.example")).requests, 2);
}

static void servers_count_what_is_on_the_socket(void **state)
{
    struct lab *lab = *state;
    const char *text = ASK("a.example", TEN);
    struct internet_seen seen;
    struct client c;

    internet_add_host(lab->net, STR("a.example"));
    talk(lab, &c, 1, "a.example", false, text);
    seen = internet_seen(lab->net, STR("a.example"));
    assert_int_equal(seen.bytes_in, strlen(text));
    assert_int_equal(seen.bytes_out, c.got.n);
    assert_int_equal(seen.bytes_in, c.channel.bytes_out);
    assert_int_equal(seen.bytes_out, c.channel.bytes_in);
    buf_finish(&c.got);
}

static void only_known_hosts_have_servers(void **state)
{
    struct lab *lab = *state;
    struct client c;

    internet_add_host(lab->net, STR("a.example"));
    talk(lab, &c, 1, "b.example", true, ASK("b.example", TEN));
    assert_false(c.secured);
    assert_true(c.error[0]);
    assert_int_equal(internet_seen(lab->net, STR("b.example")).connections, 0);
    talk(lab, &c, 9, "z.example", false, ASK("z.example", TEN));
    assert_string_equal(c.error, strerror(ECONNREFUSED));
    assert_false(str_starts(str_of(internet_name_server(lab->net)), STR("127.0.0.1:0")));
}

static void faults_show_as_they_should(void **state)
{
    static const struct {
        enum fault_kind kind;
        bool tls, ends;
        const char *error, *got;
    } cases[] = {
        {FAULT_REFUSED, false, true, "Connection refused", ""},
        {FAULT_RESET_AFTER_HELLO, true, true, "Connection reset by peer", ""},
        {FAULT_INSPECTED, true, true, "self-signed certificate in certificate chain", ""},
        {FAULT_SILENT, true, false, "", ""},
        {FAULT_SILENT, false, true, "", ""}, /* our FIN ends it; no answer came */
        {FAULT_HTTP_STATUS, false, true, "", "HTTP/1.1 503 "},
        {FAULT_HTTP_STATUS, true, true, "", "HTTP/1.1 503 "},
    };
    struct lab *lab = *state;
    struct client c;

    add_fault(lab, "a.example", FAULT_BLOCKED, 503);
    internet_add_host(lab->net, STR("a.example"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lab->faults[0].kind = cases[i].kind;
        talk(lab, &c, 1, "a.example", cases[i].tls, ASK("a.example", TEN));
        if (c.ended != cases[i].ends)
            fail_msg("case %zu: ended %d, %s", i, c.ended, c.error);
        if (cases[i].kind == FAULT_INSPECTED)
            assert_true(c.error[0]);
        else
            assert_string_equal(c.error, cases[i].error);
        if (cases[i].got[0])
            assert_got(&c, cases[i].got);
        else
            assert_int_equal(c.got.n, 0);
        buf_finish(&c.got);
    }
}

static void a_name_that_fails_is_not_there(void **state)
{
    struct lab *lab = *state;

    add_fault(lab, "*.example", FAULT_NAME_FAILS, 0);
    internet_add_host(lab->net, STR("a.example"));
    internet_add_host(lab->net, STR("a.other"));
    /* The first address went to the first host that has a name. */
    struct client c;
    talk(lab, &c, 1, "a.other", true, ASK("a.other", TEN));
    assert_got(&c, "HTTP/1.1 200 ");
    buf_finish(&c.got);
}

static void nonsense_ends_the_connection(void **state)
{
    static const char *const cases[] = {
        "nonsense\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        ASK("a.example", TEN) ASK("a.example", TEN),
        "GET / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    };
    struct lab *lab = *state;
    struct client c;

    internet_add_host(lab->net, STR("a.example"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        talk(lab, &c, 1, "a.example", false, cases[i]);
        assert_true(c.ended);
        buf_finish(&c.got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_server_answers_as_it_is_asked_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(servers_count_what_is_on_the_socket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_known_hosts_have_servers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(faults_show_as_they_should, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_that_fails_is_not_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nonsense_ends_the_connection, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
