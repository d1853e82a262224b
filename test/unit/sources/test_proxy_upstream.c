/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Another proxy behind this one: the world's server plays it. */
#include "test/unit/sources/proxy_world.h"
#include "test/unit/store/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT "CONNECT site.test:443 HTTP/1.1\r\nHost: site.test:443\r\n\r\n"
#define ESTABLISHED "HTTP/1.1 200 Connection established\r\n\r\n"
#define GET "GET http://site.test/a?b=c HTTP/1.1\r\nHost: site.test\r\n\r\n"
#define OK2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* Everything goes through the upstream, but for what `to` says; the credentials may be NULL. */
static void use_upstream(struct world *w, struct rules_texts to, const char *credentials)
{
    char upstream[64];

    snprintf(upstream, sizeof upstream, "http://127.0.0.1:%u", w->server_port);
    world_obey(w, &(struct rules_options){.upstream = upstream,
                                          .upstream_for = to,
                                          .upstream_credentials = credentials});
}

static int set_up(void **state)
{
    world_set_up(state);
    use_upstream(*state, (struct rules_texts){0}, NULL);
    return 0;
}

/* What was observed, with the rule's text, which names the port, cut off. */
static const char *seen_but_rule(struct world *w)
{
    static char text[4096];
    const char *all = seen(w), *rule = strstr(all, "rule-applied type=upstream text=upstream ");

    assert_non_null(rule);
    snprintf(text, sizeof text, "%.*s%s", (int)(rule - all), all, strchr(rule, '\n') + 1);
    return text;
}

#define OPENED                                                                                     \
    "device-seen\n"                                                                                \
    "flow-opened host=site.test port=443 how=connect\n"                                            \
    "http-request method=CONNECT url=site.test:443 host=site.test\n"                               \
    "connected address=127.0.0.1 port=ORIGIN\n"

static void a_tunnel_is_asked_for(void **state)
{
    struct world *w = *state;
    int d = device(w), up;

    say(w, d, CONNECT "early words");
    up = server(w);
    assert_string_equal(heard(w, up), CONNECT); /* nobody looks the name up here */
    assert_string_equal(heard(w, d), "");
    say(w, up, "HTTP/1.1 200 Con");
    assert_string_equal(heard(w, d), "");
    say(w, up, "nected\r\nX: y\r\n\r\nearly answer");
    assert_string_equal(heard(w, d), ESTABLISHED "early answer");
    assert_string_equal(heard(w, up), "early words");
    assert_string_equal(seen_but_rule(w), OPENED);
    say(w, d, " and late");
    assert_string_equal(heard(w, up), " and late");
    leave(w, up);
    assert_string_equal(heard(w, d), "<FIN>");
    leave(w, d);
    assert_string_equal(seen(w), "flow-closed bytes_up=20 bytes_down=12 why=server-closed\n");
}

static void a_rule_for_it_is_observed(void **state)
{
    struct world *w = *state;
    char wanted[128];

    say(w, device(w), CONNECT);
    snprintf(wanted, sizeof wanted,
             "rule-applied type=upstream text=upstream http://127.0.0.1:%u\n", w->server_port);
    const char *all = seen(w);
    if (!strstr(all, wanted))
        fail_msg("%s", all);
}

static void a_tunnel_of_socks_goes_through_it_too(void **state)
{
    static const char request[] = "\x05\x01\0\x05\x01\0\x03\x09site.test\x01\xbb";
    struct world *w = *state;
    int d = device(w), up;
    char got[32];

    say_bytes(w, d, request, sizeof request - 1);
    up = server(w);
    assert_string_equal(heard(w, up), CONNECT);
    assert_int_equal(hear_bytes(w, d, got, sizeof got), 2);
    say(w, up, "HTTP/1.1 403 No\r\n\r\n");
    assert_int_equal(hear_bytes(w, d, got, sizeof got), 10);
    assert_int_equal(got[1], 1); /* SOCKS has no word for it but failure */
    assert_non_null(strstr(seen(w), " why=upstream-failed\n"));
}

static void an_interim_answer_is_read_past(void **state)
{
    struct world *w = *state;
    int d = device(w), up;

    say(w, d, CONNECT);
    up = server(w);
    heard(w, up);
    say(w, up, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Yes\r\n\r\nhello");
    assert_string_equal(heard(w, d), "HTTP/1.1 200 Connection established\r\n\r\nhello");
    assert_null(strstr(seen(w), "status=100"));
}

/* What an upstream answers, and what is made of it. */
struct answer {
    const char *says;
    bool leaves;
    const char *told;     /* the device, after "your upstream proxy " */
    const char *observed; /* of the upstream's answer */
};

static void assert_told_apart(struct world *w, const struct answer *answer)
{
    char told[256], wanted[1024];
    int d = device(w), up;

    say(w, d, CONNECT "early words");
    up = server(w);
    heard(w, up);
    say(w, up, answer->says);
    if (answer->leaves)
        leave(w, up);
    snprintf(told, sizeof told, "flightstrip: your upstream proxy %s for site.test\n",
             answer->told);
    const char *heard_of_it = heard(w, d);
    if (strncmp(heard_of_it, "HTTP/1.1 502 Bad Gateway\r\n", 26) != 0 || !strstr(heard_of_it, told))
        fail_msg("%s: %s", answer->told, heard_of_it);
    snprintf(wanted, sizeof wanted,
             "%shttp-response status=502 content_type=text/plain; charset=utf-8 length=%zu "
             "by=proxy\nflow-closed why=upstream-failed\n",
             answer->observed, strlen(told));
    const char *all = seen(w);
    if (!strstr(all, wanted))
        fail_msg("%s: %s", answer->told, all);
    leave(w, d);
}

static void what_goes_wrong_there_is_told_apart(void **state)
{
    static const struct answer answers[] = {
        {"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\nContent-Type: text/html\r\n\r\n<html>",
         false, "answered 407", "http-response status=407 content_type=text/html by=upstream\n"},
        {"HTTP/1.0 403 No\r\n\r\n", false, "answered 403",
         "http-response status=403 by=upstream\n"},
        {"HTTP/1.1 502 Bad\r\n\r\n", true, "answered 502",
         "http-response status=502 by=upstream\n"},
        {"HTTP/1.1 301 There\r\nLocation: http://x/\r\n\r\n", false, "answered 301",
         "http-response status=301 by=upstream\n"},
        {"SSH-2.0-OpenSSH_9.2\r\n\r\n", false, "did not answer in HTTP", ""},
        {"\x15\x03\x03\x00\x02\x02\x50\r\n\r\n", false, "did not answer in HTTP", ""},
        {"", true, "closed the connection", ""},
        {"HTTP/1.1 200 O", true, "closed the connection", ""},
    };

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        assert_told_apart(*state, &answers[i]);
}

static void a_head_without_end_is_not_read_without_end(void **state)
{
    static char filler[70000];
    struct world *w = *state;
    int d = device(w), up;

    memset(filler, 'x', sizeof filler);
    say(w, d, CONNECT);
    up = server(w);
    say(w, up, "HTTP/1.1 200 OK\r\nX: ");
    say_bytes(w, up, filler, sizeof filler);
    assert_non_null(strstr(heard(w, d), "your upstream proxy sent a head that is too long for"));
    assert_non_null(strstr(seen(w), " why=upstream-failed\n"));
}

static void an_answer_that_does_not_come_is_not_waited_for(void **state)
{
    struct world *w = *state;
    int d = device(w), up;

    say(w, d, CONNECT);
    up = server(w);
    say(w, up, "HTTP/1.1 ");
    pass_time(w, 59 * SECOND);
    assert_string_equal(heard(w, d), "");
    pass_time(w, 2 * SECOND);
    assert_non_null(strstr(
        heard(w, d), "flightstrip: your upstream proxy did not answer in time for site.test\n"));
    assert_non_null(strstr(seen(w), "http-response status=504 "));
    assert_true(w->at_us[OBS_FLOW_CLOSED] - w->at_us[OBS_CONNECTED] == 60 * SECOND);
}

static void a_device_that_leaves_meanwhile_is_observed(void **state)
{
    struct world *w = *state;
    int d = device(w), up;

    say(w, d, CONNECT);
    up = server(w);
    heard(w, up);
    leave(w, d);
    assert_non_null(strstr(seen(w), "flow-closed why=device-aborted\n"));
    assert_string_equal(heard(w, up), "<RST>");
}

static void an_upstream_that_is_not_there_is_said(void **state)
{
    struct world *w = *state;
    int d = device(w);
    char wanted[128];

    close(w->listener);
    w->listener = -1;
    say(w, d, CONNECT);
    snprintf(wanted, sizeof wanted, "cannot connect to 127.0.0.1 port %u: Connection refused",
             w->server_port);
    assert_non_null(strstr(heard(w, d), wanted));
    const char *all = seen(w);
    assert_non_null(strstr(all, "connect-failed address=127.0.0.1 port=ORIGIN"));
    assert_non_null(strstr(all, " why=connect-failed\n"));
}

/* Plain requests */

static void a_request_goes_on_in_absolute_form(void **state)
{
    struct world *w = *state;
    int d = device(w), up;

    say(w, d,
        "GET http://me:secret@site.test:8080/a?b=c HTTP/1.1\r\nHost: elsewhere\r\n"
        "Proxy-Authorization: Basic c2VjcmV0\r\n\r\n");
    up = server(w);
    assert_string_equal(heard(w, up), "GET http://site.test:8080/a?b=c HTTP/1.1\r\n"
                                      "Host: site.test:8080\r\n\r\n");
    say(w, up, OK2);
    assert_string_equal(heard(w, d), OK2);
    assert_non_null(strstr(seen(w), "http-response status=200 length=2 by=server\n"));
}

static void its_credentials_are_ours_alone(void **state)
{
    struct world *w = *state;
    struct scratch *s;
    int d = device(w), up;

    assert_int_equal(scratch_make((void **)&s), 0);
    use_upstream(w, (struct rules_texts){0}, scratch_write(s, "secret", STR("me:pass\n")));
    scratch_remove((void **)&s);
    say(w, d,
        "GET http://site.test/ HTTP/1.1\r\nHost: a\r\n"
        "Proxy-Authorization: Basic c2VjcmV0\r\n\r\n");
    up = server(w);
    assert_string_equal(heard(w, up), "GET http://site.test/ HTTP/1.1\r\nHost: site.test\r\n"
                                      "Proxy-Authorization: Basic bWU6cGFzcw==\r\n\r\n");
    d = device(w);
    say(w, d, CONNECT);
    up = server(w);
    assert_string_equal(heard(w, up), "CONNECT site.test:443 HTTP/1.1\r\nHost: site.test:443\r\n"
                                      "Proxy-Authorization: Basic bWU6cGFzcw==\r\n\r\n");
    assert_null(strstr(seen(w), "pass"));
}

static void another_upstream_is_not_shown_them(void **state)
{
    struct world *w = *state;
    struct scratch *s;
    char own[64];
    const char *const to[] = {own};
    int d = device(w), up;

    /* The default is elsewhere; the server that is heard is the second one. */
    snprintf(own, sizeof own, "*.test=http://127.0.0.1:%u", w->server_port);
    assert_int_equal(scratch_make((void **)&s), 0);
    world_obey(w, &(struct rules_options){.upstream = "http://127.0.0.1:1",
                                          .upstream_for = {to, 1},
                                          .upstream_credentials =
                                              scratch_write(s, "secret", STR("me:pass\n"))});
    scratch_remove((void **)&s);
    say(w, d, CONNECT);
    up = server(w);
    assert_string_equal(heard(w, up), CONNECT);
    d = device(w);
    say(w, d, GET);
    assert_null(strstr(heard(w, server(w)), "Proxy-Authorization"));
}

static void a_device_is_not_asked_to_log_in_there(void **state)
{
    struct world *w = *state;
    int d = device(w), up;

    say(w, d, GET);
    up = server(w);
    heard(w, up);
    say(w, up,
        "HTTP/1.1 407 Who\r\nProxy-Authenticate: NTLM\r\nContent-Type: text/html\r\n"
        "Content-Length: 2\r\n\r\nno");
    const char *answer = heard(w, d);
    assert_non_null(strstr(answer, "HTTP/1.1 502 Bad Gateway\r\n"));
    assert_non_null(strstr(answer, "your upstream proxy answered 407 for site.test\n"));
    assert_null(strstr(answer, "Proxy-Authenticate"));
    const char *all = seen(w);
    assert_non_null(strstr(all, "http-response status=407 content_type=text/html by=upstream\n"
                                "http-response status=502 "));
    assert_non_null(strstr(all, " why=upstream-failed\n"));
}

static void its_connection_serves_requests_for_any_host(void **state)
{
    static const char *const hosts[] = {"site.test", "other.test", "site.test"};
    struct world *w = *state;
    int d = device(w), up = -1;
    char request[128];

    for (size_t i = 0; i < 3; i++) {
        snprintf(request, sizeof request, "GET http://%s/ HTTP/1.1\r\nHost: %s\r\n\r\n", hosts[i],
                 hosts[i]);
        say(w, d, request);
        up = i ? up : server(w);
        assert_string_equal(heard(w, up), request);
        say(w, up, OK2);
        assert_string_equal(heard(w, d), OK2);
    }
}

static void what_is_direct_goes_past_it(void **state)
{
    const char *const to[] = {"*.test=direct", "site.test=http://127.0.0.1:1"};
    struct world *w = *state;
    int d = device(w), s;

    use_upstream(w, (struct rules_texts){to, 2}, NULL);
    say(w, d, "GET http://origin.test/ HTTP/1.1\r\nHost: a\r\n\r\n");
    s = server(w);
    assert_string_equal(heard(w, s), "GET / HTTP/1.1\r\nHost: origin.test\r\n\r\n");
    say(w, s, OK2);
    heard(w, d);
    assert_null(strstr(seen(w), "rule-applied"));

    /* A host of its own upstream on the same connection: the server's is left. */
    say(w, d, GET);
    assert_string_equal(heard(w, s), "<FIN>");
    assert_non_null(strstr(heard(w, d), "cannot connect to 127.0.0.1 port 1"));
    d = device(w);
    say(w, d, "GET http://site.example/ HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_string_equal(heard(w, server(w)),
                        "GET http://site.example/ HTTP/1.1\r\nHost: site.example\r\n\r\n");
}

static void options_of_the_server_itself_keep_their_form(void **state)
{
    struct world *w = *state;
    int d = device(w);

    say(w, d, "OPTIONS http://site.test HTTP/1.1\r\nHost: site.test\r\n\r\n");
    assert_string_equal(heard(w, server(w)),
                        "OPTIONS http://site.test HTTP/1.1\r\nHost: site.test\r\n\r\n");
}

static void another_protocol_is_spoken_through_it(void **state)
{
    struct world *w = *state;
    int d = device(w), up;

    say(w, d,
        "GET http://site.test/ws HTTP/1.1\r\nHost: site.test\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    up = server(w);
    assert_string_equal(heard(w, up), "GET http://site.test/ws HTTP/1.1\r\nHost: site.test\r\n"
                                      "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    say(w, up, "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello");
    assert_string_equal(heard(w, d), "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\n"
                                     "Upgrade: websocket\r\n\r\nhello");
    say(w, d, "yourself");
    assert_string_equal(heard(w, up), "yourself");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_tunnel_is_asked_for),
        TEST(a_rule_for_it_is_observed),
        TEST(a_tunnel_of_socks_goes_through_it_too),
        TEST(an_interim_answer_is_read_past),
        TEST(what_goes_wrong_there_is_told_apart),
        TEST(a_head_without_end_is_not_read_without_end),
        TEST(an_answer_that_does_not_come_is_not_waited_for),
        TEST(a_device_that_leaves_meanwhile_is_observed),
        TEST(an_upstream_that_is_not_there_is_said),
        TEST(a_request_goes_on_in_absolute_form),
        TEST(its_credentials_are_ours_alone),
        TEST(another_upstream_is_not_shown_them),
        TEST(a_device_is_not_asked_to_log_in_there),
        TEST(its_connection_serves_requests_for_any_host),
        TEST(what_is_direct_goes_past_it),
        TEST(options_of_the_server_itself_keep_their_form),
        TEST(another_protocol_is_spoken_through_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
