/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plain HTTP through the proxy: what the server hears, what the device hears, what is observed. */
#include "sources/proxy/rules.h"
#include "test/unit/sources/proxy_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GET "GET http://origin.test/a HTTP/1.1\r\nHost: origin.test\r\n\r\n"
#define GET_FORWARDED "GET /a HTTP/1.1\r\nHost: origin.test\r\n\r\n"
#define POST "POST http://origin.test/p HTTP/1.1\r\nHost: origin.test\r\n"
#define POST_FORWARDED "POST /p HTTP/1.1\r\nHost: origin.test\r\n"
#define CLOSE "Connection: close\r\n\r\n"
#define NAMES_16 "a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, "
#define EARLY "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
#define OK2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static void a_request_is_passed_on_and_observed(void **state)
{
    static const char request[] =
        "GET http://me:secret@Origin.test/a?token=secret&b=2#x HTTP/1.1\r\n"
        "Host: somewhere.else\r\nUser-Agent: tester\r\nCookie: secret\r\n"
        "Connection: X-Mine, keep-alive\r\nX-Mine: a\r\nKeep-Alive: 3\r\n"
        "Proxy-Connection: keep-alive\r\nProxy-Authorization: secret\r\nTE: trailers\r\n"
        "X-Yours:  b \r\n\r\n";
    static const char response[] =
        "HTTP/1.1 200 Fine\r\nContent-Type: text/plain\r\nKeep-Alive: 9\r\n"
        "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nSet-Cookie: secret\r\n"
        "Content-Length: 5\r\n\r\nhello";
    struct world *w = *state;
    int d = device(w), s;
    char wanted[512];

    say(w, d, request);
    s = server(w);
    assert_string_equal(heard(w, s), "GET /a?token=secret&b=2 HTTP/1.1\r\nHost: Origin.test\r\n"
                                     "User-Agent: tester\r\nCookie: secret\r\nX-Yours: b\r\n\r\n");
    say(w, s, response);
    assert_string_equal(heard(w, d), "HTTP/1.1 200 Fine\r\nContent-Type: text/plain\r\n"
                                     "Set-Cookie: secret\r\nContent-Length: 5\r\n\r\nhello");
    snprintf(wanted, sizeof wanted,
             "device-seen\n"
             "flow-opened host=origin.test port=80 how=absolute-form\n"
             "http-request method=GET url=http://Origin.test/a?token=*&b=* host=origin.test "
             "user_agent=tester\n"
             "connected address=127.0.0.1 port=ORIGIN\n"
             "http-response status=200 content_type=text/plain length=5 by=server\n"
             "flow-closed bytes_up=%zu bytes_down=%zu why=finished\n",
             sizeof request - 1, sizeof response - 1);
    assert_string_equal(seen(w), wanted);
    leave(w, d);
    assert_string_equal(heard(w, s), "<FIN>");
}

static void a_connection_serves_one_request_after_another(void **state)
{
    struct world *w = *state;
    int d = device(w), s = -1;

    for (int i = 0; i < 3; i++) {
        say(w, d, GET);
        s = i ? s : server(w);
        assert_string_equal(heard(w, s), GET_FORWARDED);
        say(w, s, OK2);
        assert_string_equal(heard(w, d), OK2);
        assert_non_null(strstr(seen(w), "flow-closed"));
    }
}

static void another_place_is_another_connection(void **state)
{
    struct world *w = *state;
    int d = device(w), first, second;

    say(w, d, GET);
    first = server(w);
    heard(w, first);
    say(w, first, OK2);
    heard(w, d);
    say(w, d, "GET http://origin.test:8080/a HTTP/1.1\r\nHost: a\r\n\r\n");
    second = server(w);
    assert_string_equal(heard(w, first), "<FIN>");
    assert_string_equal(heard(w, second), "GET /a HTTP/1.1\r\nHost: origin.test:8080\r\n\r\n");
}

static void a_server_that_closes_when_asked_again_is_asked_anew(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say(w, d, GET);
    s = server(w);
    heard(w, s);
    say(w, s, OK2);
    heard(w, d);
    say(w, d, GET);
    heard(w, s);
    leave(w, s);
    s = server(w);
    assert_string_equal(heard(w, s), GET_FORWARDED);
    say(w, s, OK2);
    assert_string_equal(heard(w, d), OK2);
    assert_null(strstr(seen(w), "why=server-closed"));
}

static void what_may_not_be_sent_twice_has_a_new_connection(void **state)
{
    struct world *w = *state;
    int d = device(w), first;

    say(w, d, GET);
    first = server(w);
    heard(w, first);
    say(w, first, OK2);
    heard(w, d);
    say(w, d, POST "Content-Length: 1\r\n\r\nx");
    assert_string_equal(heard(w, server(w)), POST_FORWARDED "Content-Length: 1\r\n\r\nx");
    assert_string_equal(heard(w, first), "<FIN>");
}

static void a_server_that_says_more_than_it_was_asked_for_is_left(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say(w, d, GET);
    s = server(w);
    heard(w, s);
    say(w, s, OK2 "HTTP/1.1 200 Forged\r\nContent-Length: 0\r\n\r\n");
    assert_string_equal(heard(w, d), OK2);
    say(w, d, GET);
    assert_string_equal(heard(w, server(w)), GET_FORWARDED);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say(w, d,
        "\r\n" POST "Content-Length: 3\r\n\r\nabc" GET POST
        "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" GET);
    s = server(w);
    assert_string_equal(heard(w, s), POST_FORWARDED "Content-Length: 3\r\n\r\nabc");
    assert_false(server_was_called(w)); /* one at a time */
    say(w, s, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1");
    assert_string_equal(heard(w, s), GET_FORWARDED);
    say(w, s, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2");
    s = server(w);
    assert_string_equal(heard(w, s), POST_FORWARDED "Transfer-Encoding: chunked\r\n\r\n"
                                                    "1\r\nx\r\n0\r\n\r\n");
    say(w, s, "HTTP/1.1 204 None\r\n\r\n");
    assert_string_equal(heard(w, s), GET_FORWARDED);
    say(w, s, OK2);
    assert_string_equal(heard(w, d), "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"
                                     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2"
                                     "HTTP/1.1 204 None\r\n\r\n" OK2);
}

static void a_head_may_come_a_byte_at_a_time(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    for (const char *p = GET; *p; p++)
        say_bytes(w, d, p, 1);
    s = server(w);
    assert_string_equal(heard(w, s), GET_FORWARDED);
    for (const char *p = EARLY OK2; *p; p++)
        say_bytes(w, s, p, 1);
    assert_string_equal(heard(w, d), EARLY OK2);
}

static void a_head_that_comes_in_pieces_has_a_ceiling_too(void **state)
{
    static char filler[70000];
    struct world *w = *state;
    int d = device(w), s;

    say(w, d, GET);
    s = server(w);
    say(w, s, "HTTP/1.1 200 OK\r\n");
    say(w, s, "X: ");
    memset(filler, 'x', sizeof filler);
    say_bytes(w, s, filler, sizeof filler);
    assert_non_null(strstr(heard(w, d), "bad response: its head is too long"));
    assert_non_null(strstr(seen(w), " why=bad-response\n"));
}

static void chunked_bodies_keep_their_chunks_and_trailers(void **state)
{
    static const char body[] = "4;ext=1\r\nWiki\r\n0A\r\n0123456789\r\n0\r\nX-Sum: 9\r\n\r\n";
    struct world *w = *state;
    int d = device(w), s;
    char wanted[256];

    say(w, d, POST "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n");
    s = server(w);
    for (const char *p = body; *p; p++)
        say_bytes(w, d, p, 1);
    snprintf(wanted, sizeof wanted,
             POST_FORWARDED "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n%s", body);
    assert_string_equal(heard(w, s), wanted);

    say(w, s, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (const char *p = body; *p; p++)
        say_bytes(w, s, p, 1);
    snprintf(wanted, sizeof wanted, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s",
             body);
    assert_string_equal(heard(w, d), wanted);
    assert_non_null(strstr(seen(w), "why=finished"));

    say(w, d, GET); /* both connections live on */
    assert_string_equal(heard(w, s), GET_FORWARDED);
}

static void a_response_without_a_length_lasts_until_the_close(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say(w, d, GET);
    s = server(w);
    heard(w, s);
    say(w, s, "HTTP/1.1 200 OK\r\n\r\nas long");
    assert_string_equal(heard(w, d), "HTTP/1.1 200 OK\r\n" CLOSE "as long");
    say(w, s, " as it takes");
    assert_string_equal(heard(w, d), " as it takes");
    leave(w, s);
    assert_string_equal(heard(w, d), "<FIN>");
    assert_non_null(strstr(seen(w), "bytes_down=38 why=finished"));
}

static void responses_without_a_body_end_at_once(void **state)
{
    static const struct {
        const char *method, *response;
    } cases[] = {
        {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"},
        {"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"HEAD", "HTTP/1.1 200 OK\r\n\r\n"},
        {"GET", "HTTP/1.1 204 No Content\r\n\r\n"},
        {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n"},
        {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
    };
    struct world *w = *state;
    int d = device(w), s = -1;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[128];

        snprintf(request, sizeof request, "%s http://origin.test/ HTTP/1.1\r\nHost: a\r\n\r\n",
                 cases[i].method);
        say(w, d, request);
        s = i ? s : server(w);
        heard(w, s);
        say(w, s, cases[i].response);
        assert_string_equal(heard(w, d), cases[i].response);
        assert_non_null(strstr(seen(w), "why=finished"));
    }
}

static void expect_100_continue_goes_both_ways(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say(w, d, POST "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    s = server(w);
    assert_string_equal(heard(w, s),
                        POST_FORWARDED "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    say(w, s, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_string_equal(heard(w, d), "HTTP/1.1 100 Continue\r\n\r\n");
    say(w, d, "body");
    assert_string_equal(heard(w, s), "body");
    say(w, s, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK2);
    assert_string_equal(heard(w, d), "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK2);
    assert_null(strstr(seen(w), "status=100"));
    say(w, d, GET);
    assert_string_equal(heard(w, s), GET_FORWARDED);
}

static void an_early_no_ends_the_connection_and_is_heard(void **state)
{
    struct world *w = *state;
    int d = device(w), s;
    char filler[10000];

    memset(filler, 'x', sizeof filler);
    say(w, d, POST "Content-Length: 1000000\r\n\r\n");
    s = server(w);
    say_bytes(w, d, filler, sizeof filler);
    heard(w, s);
    say(w, s, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    leave(w, s);
    assert_string_equal(heard(w, d),
                        "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n" CLOSE "no<FIN>");
    assert_non_null(strstr(seen(w), "why=finished"));
    say_bytes(w, d, filler, sizeof filler); /* no reset overtakes the answer */
}

static void an_answer_before_a_reset_is_still_heard(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say(w, d, POST "Content-Length: 1000000\r\n\r\n");
    s = server(w);
    say(w, d, "unread");
    say(w, s, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
    leave(w, s); /* with bytes unread: a reset */
    assert_string_equal(heard(w, d),
                        "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n" CLOSE "no<FIN>");
}

static void a_device_of_http_1_0_gets_what_it_understands(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say(w, d, "GET http://origin.test HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    s = server(w);
    assert_string_equal(heard(w, s),
                        "GET / HTTP/1.0\r\nHost: origin.test\r\nConnection: close\r\n\r\n");
    say(w, s,
        "HTTP/1.1 100 Continue\r\n\r\n"
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n"
        "0\r\nX: y\r\n\r\n");
    assert_string_equal(heard(w, d), "HTTP/1.1 200 OK\r\n" CLOSE "hello world<FIN>");
}

static void an_upgrade_becomes_a_tunnel(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say(w, d,
        "GET http://origin.test/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\n\r\n");
    s = server(w);
    assert_string_equal(heard(w, s), "GET /ws HTTP/1.1\r\nHost: origin.test\r\n"
                                     "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    say(w, d, "early");
    say(w, s, "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nfirst");
    assert_string_equal(heard(w, d), "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\n"
                                     "Upgrade: websocket\r\n\r\nfirst");
    assert_string_equal(heard(w, s), "early");
    say(w, d, "GET is not read here\n");
    assert_string_equal(heard(w, s), "GET is not read here\n");
    end_of(w, s);
    assert_string_equal(heard(w, d), "<FIN>");
    leave(w, d);
    assert_non_null(strstr(seen(w), "why=server-closed"));
}

static void a_switch_that_nobody_asked_for_is_a_bad_response(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say(w, d, GET);
    s = server(w);
    say(w, s, "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert_int_equal(strncmp(heard(w, d), "HTTP/1.1 502 Bad Gateway\r\n", 26), 0);
    assert_non_null(strstr(seen(w), "why=bad-response"));
}

static void http_2_is_not_offered_by_upgrade(void **state)
{
    struct world *w = *state;

    say(w, device(w),
        "GET http://origin.test/ HTTP/1.1\r\nHost: a\r\n"
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n");
    assert_string_equal(heard(w, server(w)), "GET / HTTP/1.1\r\nHost: origin.test\r\n\r\n");
}

static void targets_become_origin_form(void **state)
{
    static const struct {
        const char *request, *forwarded;
    } cases[] = {
        {"GET http://origin.test", "GET / HTTP/1.1\r\nHost: origin.test\r\n"},
        {"GET http://origin.test?q", "GET /?q HTTP/1.1\r\nHost: origin.test\r\n"},
        {"OPTIONS http://origin.test", "OPTIONS * HTTP/1.1\r\nHost: origin.test\r\n"},
        {"GET http://origin.test:8080/", "GET / HTTP/1.1\r\nHost: origin.test:8080\r\n"},
        {"GET http://origin.test:80/", "GET / HTTP/1.1\r\nHost: origin.test\r\n"},
        {"CCM_POST http://origin.test/x", "CCM_POST /x HTTP/1.1\r\nHost: origin.test\r\n"},
        {"GET HTTP://ORIGIN.TEST/%41b/../c", "GET /%41b/../c HTTP/1.1\r\nHost: ORIGIN.TEST\r\n"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int d = device(w);
        char text[256];

        snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: x\r\n\r\n", cases[i].request);
        say(w, d, text);
        int s = server(w);
        snprintf(text, sizeof text, "%s\r\n", cases[i].forwarded);
        assert_string_equal(heard(w, s), text);
        say(w, s, OK2);
        heard(w, d);
    }
}

/* Each must be refused before anything reaches a server. */
static void max_forwards_counts_down(void **state)
{
    static const struct {
        const char *method, *came, *went;
    } cases[] = {
        {"OPTIONS", "7", "6"}, {"OPTIONS", "10", "9"},  {"TRACE", "1", "0"},
        {"TRACE", "x", "x"},   {"GET", "3", "3"},       {"GET", "0", "0"},
        {"options", "0", "0"}, {"OPTIONS", "-1", "-1"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[256], wanted[64];
        int d = device(w);

        snprintf(request, sizeof request,
                 "%s http://origin.test/ HTTP/1.1\r\nHost: a\r\nmax-forwards: %s\r\n\r\n",
                 cases[i].method, cases[i].came);
        snprintf(wanted, sizeof wanted, "orwards: %s\r\n\r\n", cases[i].went);
        say(w, d, request);
        const char *all = heard(w, server(w));
        if (!strstr(all, wanted))
            fail_msg("%s%s", request, all);
    }
}

static void a_request_that_may_go_no_further_is_answered_here(void **state)
{
    struct world *w = *state;
    int d = device(w);

    say(w, d, "OPTIONS http://origin.test/ HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n");
    assert_string_equal(heard(w, d), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                                     "Connection: close\r\n\r\n<FIN>");
    assert_string_equal(seen(w), "device-seen\n"
                                 "flow-opened host=origin.test port=80 how=absolute-form\n"
                                 "http-request method=OPTIONS url=http://origin.test/ "
                                 "host=origin.test\n"
                                 "http-response status=200 by=proxy\n"
                                 "flow-closed bytes_up=66 why=finished\n");
    d = device(w);
    say(w, d, "TRACE http://origin.test/ HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n");
    const char *answer = heard(w, d);
    assert_non_null(strstr(answer, "HTTP/1.1 405 Method Not Allowed\r\n"));
    assert_non_null(strstr(answer, "\r\nAllow: OPTIONS\r\n"));
    assert_non_null(strstr(seen(w), " why=refused\n"));
    assert_false(server_was_called(w));
}

static void smuggling_is_refused(void **state)
{
    static const char *const cases[] = {
        POST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        POST "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        POST "Content-Length: 4, 5\r\n\r\nabcde",
        POST "Transfer-Encoding: xchunked\r\n\r\n",
        POST "Transfer-Encoding: chunked, identity\r\n\r\n",
        POST "Transfer-Encoding : chunked\r\n\r\n",
        POST "Transfer-Encoding:\r\n chunked\r\n\r\n",
        POST "X: y\rTransfer-Encoding: chunked\r\n\r\n",
        POST "X:\rTransfer-Encoding: chunked\r\n\r\n",
        "GET http://origin.test/ HTTP/1.1\nHost: a\n\n",
        "GET http://origin.test/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET  http://origin.test/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://origin.test/ x HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://origin.test/\r\n\r\n",
        "GET http://origin.test/ HTTP/3.0\r\n\r\n",
        POST "Connection: Content-Length\r\nContent-Length: 4\r\n\r\nabcd",
        POST "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET http://origin.test/ HTTP/1.1\r\nConnection: " NAMES_16 NAMES_16 NAMES_16 NAMES_16
        "b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: origin.test\r\n\r\n",
        "CONNECT origin.test:443 HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd",
        "CONNECT origin.test HTTP/1.1\r\n\r\n",
        "CONNECT http://origin.test:443/ HTTP/1.1\r\n\r\n",
        "CONNECT origin.test:99999 HTTP/1.1\r\n\r\n",
        "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://origin.test:x/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01",
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int d = device(w);

        say(w, d, cases[i]);
        const char *answer = heard(w, d);
        if (strncmp(answer, "HTTP/1.1 400 Bad Request\r\n", 26) != 0)
            fail_msg("case %zu: %s", i, answer);
        assert_non_null(strstr(answer, "\r\n\r\nflightstrip: "));
        assert_string_equal(answer + strlen(answer) - 5, "<FIN>");
        assert_false(server_was_called(w));
        const char *all = seen(w);
        assert_non_null(strstr(all, "flow-opened"));
        assert_non_null(strstr(all, "http-response status=400"));
        assert_non_null(strstr(all, "why=bad-request"));
        leave(w, d);
    }
}

static void a_malformed_chunk_breaks_the_exchange_off(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say(w, d, POST "Transfer-Encoding: chunked\r\n\r\n1\r\naXX");
    s = server(w);
    heard(w, s);
    assert_int_equal(strncmp(heard(w, d), "HTTP/1.1 400 ", 13), 0);
    assert_non_null(strstr(seen(w), "why=bad-request"));

    d = device(w);
    say(w, d, GET);
    s = server(w);
    say(w, s, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naXX");
    const char *answer = heard(w, d);
    assert_string_equal(answer + strlen(answer) - 5, "<RST>");
    assert_non_null(strstr(seen(w), "why=bad-response"));
}

static void bad_responses_are_answered_502(void **state)
{
    static const char *const cases[] = {
        "SSH-2.0-server\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: Content-Length\r\nContent-Length: 2\r\n\r\nok",
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int d = device(w), s;

        say(w, d, GET);
        s = server(w);
        heard(w, s);
        say(w, s, cases[i]);
        leave(w, s);
        const char *answer = heard(w, d);
        if (strncmp(answer, "HTTP/1.1 502 Bad Gateway\r\n", 26) != 0)
            fail_msg("case %zu: %s", i, answer);
        const char *all = seen(w);
        if (!strstr(all, "why=bad-response") && !strstr(all, "why=server-closed"))
            fail_msg("case %zu: %s", i, all);
        leave(w, d);
    }
}

static void a_server_that_says_nothing_is_answered_for(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say(w, d, GET);
    s = server(w);
    heard(w, s);
    leave(w, s);
    assert_non_null(strstr(heard(w, d), "flightstrip: the server closed the connection\n"));
    assert_non_null(strstr(seen(w), "why=server-closed"));

    d = device(w);
    say(w, d, GET);
    s = server(w);
    heard(w, s);
    reset_by(w, s);
    assert_non_null(strstr(heard(w, d), "flightstrip: the server reset the connection\n"));
    assert_non_null(strstr(seen(w), "why=server-reset"));

    d = device(w);
    say(w, d, GET);
    server(w);
    pass_time(w, 400 * SECOND);
    assert_int_equal(strncmp(heard(w, d), "HTTP/1.1 504 ", 13), 0);
    assert_non_null(strstr(seen(w), "why=timeout"));
}

static void a_delay_that_was_asked_for_is_no_server_that_is_late(void **state)
{
    const struct rules_options delay = {.delay = {(const char *const[]){"*.test=10m"}, 1}};
    struct proxy_options options = {0};
    struct world w;
    struct err err;
    int d;

    (void)state;
    assert_int_equal(rules_create(&delay, &options.rules, &err), 0);
    world_init(&w, &options);
    d = device(&w);
    say(&w, d, GET);
    pass_time(&w, 599 * SECOND);
    assert_string_equal(heard(&w, d), "");
    pass_time(&w, 2 * SECOND);
    say(&w, server(&w), OK2);
    assert_string_equal(heard(&w, d), OK2);
    world_finish(&w);
    rules_unref(options.rules);
}

static void a_response_that_breaks_off_does_not_look_whole(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say(w, d, GET);
    s = server(w);
    heard(w, s);
    say(w, s, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    leave(w, s);
    const char *answer = heard(w, d);
    assert_string_equal(answer + strlen(answer) - 5, "<RST>");
    assert_non_null(strstr(seen(w), "why=server-closed"));
}

static void a_device_that_leaves_is_observed(void **state)
{
    struct world *w = *state;
    int d, s;

    d = device(w); /* before its request is whole */
    say(w, d, "GET http://origin.test/");
    leave(w, d);
    assert_string_equal(seen(w), "device-seen\nflow-opened\n"
                                 "flow-closed bytes_up=23 why=device-aborted\n");

    d = device(w); /* without a word: nothing came of it */
    leave(w, d);
    assert_string_equal(seen(w), "");

    d = device(w); /* reset while the server thinks */
    say(w, d, GET);
    s = server(w);
    reset_by(w, d);
    assert_non_null(strstr(seen(w), "why=device-reset"));
    heard(w, s);

    d = device(w); /* closed while the server thinks */
    say(w, d, GET);
    server(w);
    leave(w, d);
    pass_time(w, 2 * SECOND);
    assert_non_null(strstr(seen(w), "why=device-"));

    d = device(w); /* in the middle of its body */
    say(w, d, POST "Content-Length: 100\r\n\r\nhalf");
    s = server(w);
    leave(w, d);
    assert_non_null(strstr(seen(w), "why=device-aborted"));
    const char *last = heard(w, s);
    assert_string_equal(last + strlen(last) - 5, "<RST>"); /* not to be taken for whole */
}

static void a_device_that_only_has_no_more_to_say_is_answered(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say(w, d, GET);
    end_of(w, d);
    s = server(w);
    say(w, s, OK2);
    assert_string_equal(heard(w, d), OK2 "<FIN>");
    assert_non_null(strstr(seen(w), "why=finished"));

    d = device(w); /* and when it takes longer than the question whether it is still there */
    say(w, d, GET);
    end_of(w, d);
    s = server(w);
    pass_time(w, 60 * SECOND);
    say(w, s, OK2);
    assert_string_equal(heard(w, d), "HTTP/1.1 100 Continue\r\n\r\n" OK2 "<FIN>");
}

static void progress_is_told_once_a_second_while_bytes_move(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say(w, d, GET);
    s = server(w);
    say(w, s, "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n");
    seen(w);
    for (int i = 0; i < 20; i++) {
        say(w, s, "x");
        pass_time(w, SECOND / 10);
    }
    unsigned n = 0;
    for (const char *p = seen(w); (p = strstr(p, "flow-progress")); p++)
        n++;
    assert_in_range(n, 1, 2);
    pass_time(w, 2 * SECOND);
    seen(w);
    pass_time(w, 30 * SECOND);
    assert_string_equal(seen(w), "");
}

static void much_is_passed_on_without_being_held(void **state)
{
    enum { BODY = 8 << 20 };
    struct world *w = *state;
    char *body = malloc(BODY), *got = malloc(BODY), head[256];
    int d = device(w), s;

    for (size_t i = 0; i < BODY; i++)
        body[i] = (char)(i * 2654435761u >> 13);
    snprintf(head, sizeof head, POST "Content-Length: %d\r\n\r\n", BODY);
    say(w, d, head);
    s = server(w);
    heard(w, s);
    size_t sent = 0, came = 0;
    while (came < BODY) {
        ssize_t n = send(d, body + sent, BODY - sent < 65536 ? BODY - sent : 65536,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        settle(w);
        n = recv(s, got + came, BODY - came, MSG_DONTWAIT);
        came += n > 0 ? (size_t)n : 0;
    }
    assert_memory_equal(body, got, BODY);
    free(body);
    free(got);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_passed_on_and_observed),
        TEST(a_connection_serves_one_request_after_another),
        TEST(another_place_is_another_connection),
        TEST(a_server_that_closes_when_asked_again_is_asked_anew),
        TEST(what_may_not_be_sent_twice_has_a_new_connection),
        TEST(a_server_that_says_more_than_it_was_asked_for_is_left),
        TEST(pipelined_requests_are_answered_in_order),
        TEST(a_head_may_come_a_byte_at_a_time),
        TEST(a_head_that_comes_in_pieces_has_a_ceiling_too),
        TEST(chunked_bodies_keep_their_chunks_and_trailers),
        TEST(a_response_without_a_length_lasts_until_the_close),
        TEST(responses_without_a_body_end_at_once),
        TEST(expect_100_continue_goes_both_ways),
        TEST(an_early_no_ends_the_connection_and_is_heard),
        TEST(an_answer_before_a_reset_is_still_heard),
        TEST(a_device_of_http_1_0_gets_what_it_understands),
        TEST(an_upgrade_becomes_a_tunnel),
        TEST(a_switch_that_nobody_asked_for_is_a_bad_response),
        TEST(http_2_is_not_offered_by_upgrade),
        TEST(targets_become_origin_form),
        TEST(max_forwards_counts_down),
        TEST(a_request_that_may_go_no_further_is_answered_here),
        TEST(smuggling_is_refused),
        TEST(a_malformed_chunk_breaks_the_exchange_off),
        TEST(bad_responses_are_answered_502),
        TEST(a_server_that_says_nothing_is_answered_for),
        TEST(a_delay_that_was_asked_for_is_no_server_that_is_late),
        TEST(a_response_that_breaks_off_does_not_look_whole),
        TEST(a_device_that_leaves_is_observed),
        TEST(a_device_that_only_has_no_more_to_say_is_answered),
        TEST(progress_is_told_once_a_second_while_bytes_move),
        TEST(much_is_passed_on_without_being_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
