/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CONNECT: bytes both ways, both ends, and the TLS handshake in passing. */
#include "test/unit/sources/proxy_world.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define CONNECT "CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test:443\r\n\r\n"
#define ESTABLISHED "HTTP/1.1 200 Connection established\r\n\r\n"
#define OPENED                                                                                     \
    "flow-opened host=origin.test port=443 how=connect\n"                                          \
    "http-request method=CONNECT url=origin.test:443 host=origin.test\n"                           \
    "connected address=127.0.0.1 port=ORIGIN\n"

/* A tunnel that stands. */
static void open_tunnel(struct world *w, int *ret_device, int *ret_server)
{
    *ret_device = device(w);
    say(w, *ret_device, CONNECT);
    *ret_server = server(w);
    assert_string_equal(heard(w, *ret_device), ESTABLISHED);
}

static void a_tunnel_is_observed_while_it_lives(void **state)
{
    struct world *w = *state;
    int d, s;

    open_tunnel(w, &d, &s);
    assert_string_equal(seen(w), "device-seen\n" OPENED);
    say(w, d, "hello");
    assert_string_equal(heard(w, s), "hello");
    say(w, s, "hello yourself");
    assert_string_equal(heard(w, d), "hello yourself");
    assert_string_equal(seen(w), "");
    pass_time(w, SECOND);
    assert_string_equal(seen(w), "flow-progress bytes_up=5 bytes_down=14\n");
    pass_time(w, 100 * SECOND);
    assert_string_equal(seen(w), "");
    leave(w, d);
    assert_string_equal(heard(w, s), "<FIN>");
    leave(w, s);
    assert_string_equal(seen(w), "flow-closed bytes_up=5 bytes_down=14 why=device-closed\n");
}

static void bytes_sent_along_with_connect_are_not_lost(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say(w, d, CONNECT "first words");
    s = server(w);
    assert_string_equal(heard(w, s), "first words");
    assert_string_equal(heard(w, d), ESTABLISHED);
    say(w, d, "!");
    assert_string_equal(heard(w, s), "!");
    reset_by(w, d);
    assert_string_equal(seen(w),
                        "device-seen\n" OPENED "flow-closed bytes_up=12 why=device-reset\n");
}

static void each_direction_ends_by_itself(void **state)
{
    static const struct {
        bool device_first;
        const char *why;
    } cases[] = {{true, "why=device-closed"}, {false, "why=server-closed"}};
    struct world *w = *state;

    for (size_t i = 0; i < 2; i++) {
        int d, s, first, second;

        open_tunnel(w, &d, &s);
        first = cases[i].device_first ? d : s;
        second = cases[i].device_first ? s : d;
        say(w, first, "last words");
        end_of(w, first);
        assert_string_equal(heard(w, second), "last words<FIN>");
        pass_time(w, 60 * SECOND);
        say(w, second, "and an answer");
        assert_string_equal(heard(w, first), "and an answer");
        end_of(w, second);
        assert_string_equal(heard(w, first), "<FIN>");
        assert_non_null(strstr(seen(w), cases[i].why));
    }
}

static void words_and_end_sent_along_with_connect_arrive(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say_bytes(w, d, CONNECT "all", sizeof CONNECT "all" - 1);
    end_of(w, d);
    s = server(w);
    assert_string_equal(heard(w, s), "all<FIN>");
    say(w, s, "answer");
    assert_string_equal(heard(w, d), ESTABLISHED "answer");
    leave(w, s);
    assert_string_equal(heard(w, d), "<FIN>");
}

static void resets_pass_through(void **state)
{
    struct world *w = *state;
    int d, s;

    open_tunnel(w, &d, &s);
    reset_by(w, s);
    assert_string_equal(heard(w, d), "<RST>");
    assert_non_null(strstr(seen(w), "why=server-reset"));

    open_tunnel(w, &d, &s);
    reset_by(w, d);
    assert_string_equal(heard(w, s), "<RST>");
    assert_non_null(strstr(seen(w), "why=device-reset"));
}

static void what_came_before_a_reset_is_passed_on(void **state)
{
    struct world *w = *state;
    int d, s;

    open_tunnel(w, &d, &s);
    say(w, s, "parting words");
    reset_by(w, s);
    assert_int_equal(strncmp(heard(w, d), "parting words", 13), 0);
}

static void a_slow_reader_holds_the_sender_back(void **state)
{
    enum { ALL = 24 << 20 };
    static char bytes[65536];
    struct world *w = *state;
    int d, s;
    size_t sent = 0, came = 0;

    open_tunnel(w, &d, &s);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 31);
    for (int stuck = 0; stuck < 3;) {
        ssize_t n = send(s, bytes + sent % sizeof bytes, sizeof bytes - sent % sizeof bytes,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        sent += n > 0 ? (size_t)n : 0;
        stuck = n > 0 ? 0 : stuck + 1;
        settle(w);
        assert_true(sent < ALL); /* kernel buffers and one read of ours, not everything */
    }
    while (came < sent) {
        static char got[65536];
        ssize_t n = recv(d, got, sizeof got - came % sizeof got, MSG_DONTWAIT);

        if (n > 0) {
            assert_memory_equal(got, bytes + came % sizeof bytes, (size_t)n);
            came += (size_t)n;
        }
        settle(w);
    }
    say(w, d, "up still flows");
    assert_string_equal(heard(w, s), "up still flows");
}

/* What the kernel of this side has not got rid of. */
static int waiting(int fd)
{
    int n = 0;

    assert_int_equal(ioctl(fd, SIOCOUTQ, &n), 0);
    return n;
}

static size_t hear_to_the_reset(struct world *w, int fd)
{
    static char bytes[65536];
    size_t came = 0;

    for (;;) {
        ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);

        assert_int_not_equal(n, 0); /* no orderly end */
        if (n < 0 && errno == ECONNRESET)
            return came;
        came += n > 0 ? (size_t)n : 0;
        settle(w);
    }
}

static void a_reset_waits_for_what_came_before_it(void **state)
{
    static char bytes[65536];
    struct world *w = *state;
    int d, s;
    size_t sent = 0, came = 0;

    open_tunnel(w, &d, &s);
    for (int stuck = 0; stuck < 3;) {
        ssize_t n = send(s, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL);

        sent += n > 0 ? (size_t)n : 0;
        stuck = n > 0 ? 0 : stuck + 1;
        settle(w);
    }
    while (waiting(s))
        came += hear_bytes(w, d, bytes, sizeof bytes);
    reset_by(w, s);
    came += hear_to_the_reset(w, d);
    assert_int_equal(came, sent);
    assert_non_null(strstr(seen(w), " why=server-reset\n"));
}

static void a_reset_does_not_wait_for_a_device_for_ever(void **state)
{
    static char bytes[65536];
    struct world *w = *state;
    int d, s;

    open_tunnel(w, &d, &s);
    for (int stuck = 0; stuck < 3; settle(w))
        stuck = send(s, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL) > 0 ? 0 : stuck + 1;
    reset_by(w, s);
    seen(w);
    pass_time(w, 16 * 60 * SECOND);
    assert_non_null(strstr(seen(w), " why=server-reset\n"));
}

static uint16_t port_of(int fd, int (*name)(int fd, struct sockaddr *address, socklen_t *n))
{
    struct sockaddr_in a = {0};
    socklen_t n = sizeof a;

    return name(fd, (void *)&a, &n) == 0 && a.sin_family == AF_INET ? ntohs(a.sin_port) : 0;
}

/* The proxy's own end of a server's connection: it is in this process too. */
static int other_end(int s)
{
    uint16_t port = port_of(s, getpeername);

    for (int fd = 3; fd < 256; fd++)
        if (port_of(fd, getsockname) == port)
            return fd;
    return -1;
}

static bool is_watched(int s)
{
    int on = 0;
    socklen_t n = sizeof on;

    assert_int_equal(getsockopt(other_end(s), SOL_SOCKET, SO_KEEPALIVE, &on, &n), 0);
    return on;
}

static void a_server_of_an_old_tunnel_is_watched(void **state)
{
    static const bool halves[] = {false, true};
    struct world *w = *state;

    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
        int d, s;

        open_tunnel(w, &d, &s);
        if (halves[i])
            end_of(w, d);
        pass_time(w, 9 * SECOND);
        assert_false(is_watched(s));
        pass_time(w, 2 * SECOND);
        assert_true(is_watched(s));
    }
}

static void an_idle_tunnel_is_closed_after_two_hours(void **state)
{
    struct world *w = *state;
    int d, s;

    open_tunnel(w, &d, &s);
    pass_time(w, 90 * 60 * SECOND);
    say(w, d, "x");
    heard(w, s);
    seen(w);
    pass_time(w, 119 * 60 * SECOND);
    assert_null(strstr(seen(w), "flow-closed"));
    pass_time(w, 2 * 60 * SECOND);
    assert_non_null(strstr(seen(w), "why=idle"));
    assert_string_equal(heard(w, d), "<FIN>");
}

static void a_half_closed_tunnel_does_not_live_for_ever(void **state)
{
    struct world *w = *state;
    int d, s;

    open_tunnel(w, &d, &s);
    end_of(w, d);
    pass_time(w, 16 * 60 * SECOND);
    assert_non_null(strstr(seen(w), "why=device-closed"));
    assert_string_equal(heard(w, s), "<FIN>");
}

/* A ClientHello with SNI, ALPN and versions; a ServerHello; alerts. Written from RFC 8446. */
static const char client_hello[] = "\x16\x03\x01\x00\x5c"
                                   "\x01\x00\x00\x58\x03\x03"
                                   "01234567890123456789012345678901"
                                   "\x00"
                                   "\x00\x02\x13\x01"
                                   "\x01\x00"
                                   "\x00\x2d"
                                   "\x00\x00\x00\x10\x00\x0e\x00\x00\x0b"
                                   "origin.test"
                                   "\x00\x10\x00\x0e\x00\x0c\x02h2\x08http/1.1"
                                   "\x00\x2b\x00\x03\x02\x03\x04";
static const char server_hello[] = "\x16\x03\x03\x00\x32"
                                   "\x02\x00\x00\x2e\x03\x03"
                                   "01234567890123456789012345678901"
                                   "\x00"
                                   "\x13\x01"
                                   "\x00"
                                   "\x00\x06\x00\x2b\x00\x02\x03\x04";
static const char unknown_ca[] = "\x15\x03\x03\x00\x02\x02\x30";
static const char refused_name[] = "\x15\x03\x03\x00\x02\x02\x70";

static void a_tls_handshake_is_read_in_passing(void **state)
{
    struct world *w = *state;
    int d, s;
    char got[256];

    open_tunnel(w, &d, &s);
    seen(w);
    for (size_t i = 0; i < sizeof client_hello - 1; i++) { /* nothing is held back for it */
        say_bytes(w, d, client_hello + i, 1);
        assert_int_equal(hear_bytes(w, s, got, 1), 1);
        assert_int_equal(got[0], client_hello[i]);
    }
    assert_string_equal(seen(w), "tls-hello sni=origin.test alpn=h2,http/1.1 tls_versions=1.3 "
                                 "ja4=t13d0103h2_0f2cb44170f4_b9a491fefe05 length=97\n");
    say_bytes(w, s, server_hello, sizeof server_hello - 1);
    assert_string_equal(seen(w), "tls-answer tls_versions=1.3 cipher=TLS_AES_128_GCM_SHA256\n");
    say_bytes(w, d, unknown_ca, sizeof unknown_ca - 1);
    assert_string_equal(seen(w),
                        "tls-alert alert=48 by=device error=unknown certificate authority\n");
}

static void a_server_that_refuses_the_handshake_is_seen(void **state)
{
    struct world *w = *state;
    int d, s;

    open_tunnel(w, &d, &s);
    say_bytes(w, d, client_hello, sizeof client_hello - 1);
    seen(w);
    say_bytes(w, s, refused_name, sizeof refused_name - 1);
    assert_string_equal(seen(w), "tls-alert alert=112 by=server error=unrecognized name\n");
}

static void a_client_hello_along_with_connect_is_read_too(void **state)
{
    struct world *w = *state;
    char all[sizeof CONNECT + sizeof client_hello];
    int d = device(w);

    memcpy(all, CONNECT, sizeof CONNECT - 1);
    memcpy(all + sizeof CONNECT - 1, client_hello, sizeof client_hello - 1);
    say_bytes(w, d, all, sizeof CONNECT + sizeof client_hello - 2);
    server(w);
    assert_non_null(strstr(seen(w), "tls-hello sni=origin.test"));
}

static void a_device_that_leaves_while_we_dial_is_observed(void **state)
{
    struct world *w = *state;
    int d = device(w);

    /* Both before the loop has looked: the request and the end come in one round. */
    assert_int_equal(send(d, CONNECT, sizeof CONNECT - 1, 0), sizeof CONNECT - 1);
    leave(w, d);
    const char *all = seen(w);
    assert_non_null(strstr(all, "flow-opened"));
    assert_non_null(strstr(all, "flow-closed why=device-"));
}

static void stopping_closes_every_flow(void **state)
{
    struct world *w = *state;
    int d, s;

    open_tunnel(w, &d, &s);
    open_tunnel(w, &d, &s);
    seen(w);
    proxy_stop(w->proxy);
    assert_string_equal(seen(w), "flow-closed why=shutdown\nflow-closed why=shutdown\n");
    assert_string_equal(heard(w, d), "<FIN>");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_tunnel_is_observed_while_it_lives),
        TEST(bytes_sent_along_with_connect_are_not_lost),
        TEST(each_direction_ends_by_itself),
        TEST(words_and_end_sent_along_with_connect_arrive),
        TEST(resets_pass_through),
        TEST(what_came_before_a_reset_is_passed_on),
        TEST(a_slow_reader_holds_the_sender_back),
        TEST(a_reset_waits_for_what_came_before_it),
        TEST(a_reset_does_not_wait_for_a_device_for_ever),
        TEST(a_server_of_an_old_tunnel_is_watched),
        TEST(an_idle_tunnel_is_closed_after_two_hours),
        TEST(a_half_closed_tunnel_does_not_live_for_ever),
        TEST(a_tls_handshake_is_read_in_passing),
        TEST(a_server_that_refuses_the_handshake_is_seen),
        TEST(a_client_hello_along_with_connect_is_read_too),
        TEST(a_device_that_leaves_while_we_dial_is_observed),
        TEST(stopping_closes_every_flow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
