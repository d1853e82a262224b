/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules in action: what the device is told, what the network sees of it, what is observed. */
#include "sources/proxy/credentials.h"
#include "test/unit/sources/proxy_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000)

#define CONNECT "CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test:443\r\n\r\n"
#define ESTABLISHED "HTTP/1.1 200 Connection established\r\n\r\n"
#define GET "GET http://origin.test/a HTTP/1.1\r\nHost: origin.test\r\n\r\n"
#define GET_FORWARDED "GET /a HTTP/1.1\r\nHost: origin.test\r\n\r\n"
#define OK2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define TEXTS(...)                                                                                 \
    {                                                                                              \
        (const char *const[]){__VA_ARGS__},                                                        \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)                      \
    }

/* Says it on a connection of its own; the answer has this status and sentence. */
static void assert_answered(struct world *w, const char *request, const char *status,
                            const char *says)
{
    int d = device(w);
    char wanted[256];

    say(w, d, request);
    snprintf(wanted, sizeof wanted, "\r\n\r\nflightstrip: %s\n<FIN>", says);
    const char *answer = heard(w, d);
    if (strncmp(answer + strlen("HTTP/1.1 "), status, strlen(status)) != 0 ||
        !strstr(answer, wanted))
        fail_msg("%s%s", request, answer);
    leave(w, d);
}

/* Refusing */

static void what_is_denied_is_refused_as_policy(void **state)
{
    struct world *w = *state;

    world_obey(w, &(struct rules_options){.deny = TEXTS("*.denied.test", "origin.test")});
    assert_answered(w, CONNECT, "403 Forbidden",
                    "origin.test is refused: flightstrip was told so (deny origin.test)");
    assert_string_equal(seen(w),
                        "device-seen\n"
                        "flow-opened host=origin.test port=443 how=connect\n"
                        "http-request method=CONNECT url=origin.test:443 host=origin.test\n"
                        "rule-applied type=deny text=deny origin.test\n"
                        "http-response status=403 content_type=text/plain; charset=utf-8 "
                        "length=80 by=proxy\n"
                        "flow-closed why=refused\n");
    assert_answered(w, "GET http://A.denied.test/ HTTP/1.1\r\nHost: a\r\n\r\n", "403 Forbidden",
                    "A.denied.test is refused: flightstrip was told so (deny *.denied.test)");
    assert_false(server_was_called(w));
}

static void what_is_blocked_is_refused_as_a_firewall_would(void **state)
{
    struct world *w = *state;

    world_obey(w, &(struct rules_options){.block = TEXTS("origin.test")});
    assert_answered(w, GET, "403 Forbidden",
                    "origin.test is blocked: flightstrip was told so (block origin.test)");
    const char *all = seen(w);
    assert_non_null(strstr(all, "rule-applied type=block text=block origin.test\n"));
    assert_non_null(strstr(all, "flow-closed why=blocked\n"));
    assert_false(server_was_called(w));
}

static void a_refusal_of_head_has_no_body(void **state)
{
    struct world *w = *state;
    int d = device(w);

    world_obey(w, &(struct rules_options){.deny = TEXTS("origin.test")});
    say(w, d, "HEAD http://origin.test/ HTTP/1.1\r\nHost: a\r\n\r\n");
    const char *answer = heard(w, d);
    assert_non_null(strstr(answer, "Content-Length: 80\r\n"));
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n<FIN>");
}

static void only_some_ports_may_be_tunnelled_to(void **state)
{
    struct world *w = *state;
    int d = device(w);

    world_obey(w, &(struct rules_options){.ports = TEXTS("443,8443")});
    assert_answered(w, "CONNECT 198.51.100.1:25 HTTP/1.1\r\nHost: x\r\n\r\n", "403 Forbidden",
                    "198.51.100.1:25 is refused: flightstrip does not go to port 25; "
                    "start it with --ports 443,8443,25 to permit that");
    const char *all = seen(w);
    assert_non_null(strstr(all, "rule-applied type=port text=ports\n"));
    assert_non_null(strstr(all, "flow-closed why=refused\n"));

    /* Where --connect-to leads is meant, for a plain request too. */
    say(w, d, "CONNECT origin.test:25 HTTP/1.1\r\nHost: x\r\n\r\n");
    server(w);
    assert_string_equal(heard(w, d), ESTABLISHED);
    d = device(w);
    say(w, d, "GET http://origin.test:25/ HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_string_equal(heard(w, server(w)), "GET / HTTP/1.1\r\nHost: origin.test:25\r\n\r\n");
    assert_null(strstr(seen(w), "rule-applied"));
}

/* What a plain request says to another service is what the device wants to say to it. */
static void a_plain_request_is_not_for_another_services_port(void **state)
{
    static const char loopback[] =
        "127.0.0.1 port %u is refused: flightstrip does not relay to loopback addresses";
    static const unsigned passed[] = {80, 443, 1023, 1024, 8080};
    struct world *w = *state;
    char request[128], says[128];

    assert_answered(w, "POST http://127.0.0.1:25/ HTTP/1.1\r\nHost: x\r\n\r\n", "403 Forbidden",
                    "127.0.0.1:25 is refused: flightstrip does not go to port 25; start it with "
                    "--ports 80,443,3544,7680,25 to permit that");
    const char *all = seen(w);
    assert_non_null(strstr(all, "rule-applied type=port text=ports\n"));
    assert_non_null(strstr(all, "flow-closed why=refused\n"));

    /* These are refused later, for where they lead. */
    world_obey(w, &(struct rules_options){.ports = TEXTS("443,1023")});
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) {
        snprintf(request, sizeof request, "GET http://127.0.0.1:%u/ HTTP/1.1\r\nHost: x\r\n\r\n",
                 passed[i]);
        snprintf(says, sizeof says, loopback, passed[i]);
        assert_answered(w, request, "403 Forbidden", says);
    }
}

static void who_is_not_allowed_is_not_served(void **state)
{
    static const char socks[] = "\x05\x01\0\x05\x01\0\x03\x0borigin.test\x01\xbb";
    static const char says[] =
        "127.0.0.1 is not served: its address is not private, and no --allow holds it";
    struct world *w = *state;
    int d = device(w);
    char got[32];

    world_obey(w, &(struct rules_options){.allow = TEXTS("10.0.0.0/8", "192.0.2.0/24")});
    assert_answered(w, CONNECT, "403 Forbidden", says);
    const char *all = seen(w);
    assert_non_null(strstr(all, "rule-applied type=client text=allow\n"));
    assert_non_null(strstr(all, "flow-closed why=refused\n"));
    assert_answered(w, GET, "403 Forbidden", says);
    say_bytes(w, d, socks, sizeof socks - 1);
    assert_int_equal(hear_bytes(w, d, got, sizeof got), 12);
    assert_memory_equal(got, "\x05\0\x05\x02", 4);
    assert_false(server_was_called(w));

    world_obey(w, &(struct rules_options){.allow = TEXTS("127.0.0.0/8")});
    d = device(w);
    say(w, d, CONNECT);
    server(w);
    assert_string_equal(heard(w, d), ESTABLISHED);
}

static void a_name_longer_than_a_name_can_be_is_a_bad_request(void **state)
{
    struct world *w = *state;
    char request[1024], name[256];

    memset(name, 'a', 255);
    name[255] = '\0';
    snprintf(request, sizeof request, "CONNECT %sa:443 HTTP/1.1\r\nHost: x\r\n\r\n", name);
    assert_answered(w, request, "400 Bad Request", "CONNECT wants HOST:PORT");
    assert_non_null(strstr(seen(w), " why=bad-request\n"));
    snprintf(request, sizeof request, "GET http://%sa/ HTTP/1.1\r\nHost: x\r\n\r\n", name);
    assert_answered(w, request, "400 Bad Request",
                    "this is a proxy: it wants an absolute URL or CONNECT");
    assert_non_null(strstr(seen(w), " why=bad-request\n"));
}

/* Slowing down: all on the held clock, to the microsecond. */

static void a_tunnel_is_delayed_before_anything_is_done_for_it(void **state)
{
    struct world *w = *state;
    int d = device(w);

    world_obey(w, &(struct rules_options){.delay = TEXTS("*.test=300ms")});
    say(w, d, CONNECT "early");
    pass_time(w, 299 * MS);
    assert_string_equal(heard(w, d), "");
    assert_false(server_was_called(w));
    assert_non_null(strstr(seen(w), "rule-applied type=delay text=delay *.test=300ms\n"));
    pass_time(w, MS);
    assert_string_equal(heard(w, server(w)), "early");
    assert_string_equal(heard(w, d), ESTABLISHED);
    assert_true(w->at_us[OBS_CONNECTED] - w->at_us[OBS_FLOW_OPENED] == 300 * MS);
}

static void each_request_is_delayed(void **state)
{
    struct world *w = *state;
    int d = device(w);

    world_obey(w, &(struct rules_options){.delay = TEXTS("origin.test=2s")});
    for (int i = 0; i < 3; i++) {
        say(w, d, GET);
        pass_time(w, 2 * SECOND);
        int s = server(w);
        assert_string_equal(heard(w, s), GET_FORWARDED);
        assert_true(w->at_us[OBS_CONNECTED] - w->at_us[OBS_FLOW_OPENED] == 2 * SECOND);
        say(w, s, OK2);
        assert_string_equal(heard(w, d), OK2);
        assert_non_null(strstr(seen(w), "rule-applied type=delay text=delay origin.test=2s\n"));
    }
}

static void note_ms(void *ctx, const struct obs *o)
{
    if (o->kind == OBS_HTTP_RESPONSE)
        *(uint64_t *)ctx = o->ms;
}

static void a_delay_does_not_count_as_time_to_answer(void **state)
{
    struct world *w = *state;
    uint64_t ms = 0;
    int d = device(w), s;

    stream_add_sink(&w->stream, note_ms, &ms);
    world_obey(w, &(struct rules_options){.delay = TEXTS("origin.test=2s")});
    say(w, d, GET);
    pass_time(w, 2 * SECOND);
    s = server(w);
    heard(w, s);
    pass_time(w, 300 * MS);
    say(w, s, OK2);
    assert_int_equal(ms, 300);
}

static void a_device_may_leave_during_its_delay(void **state)
{
    struct world *w = *state;
    int d = device(w);

    world_obey(w, &(struct rules_options){.delay = TEXTS("origin.test=2s")});
    say(w, d, CONNECT);
    pass_time(w, SECOND);
    leave(w, d);
    assert_non_null(strstr(seen(w), "flow-closed why=device-aborted\n"));
    pass_time(w, 5 * SECOND);
    assert_false(server_was_called(w));
}

static void a_delay_does_not_count_as_time_to_connect(void **state)
{
    struct world *w = *state;
    int d = device(w);

    world_obey(w, &(struct rules_options){.delay = TEXTS("origin.test=10m")});
    say(w, d, CONNECT);
    pass_time(w, 599 * SECOND);
    assert_string_equal(heard(w, d), "");
    pass_time(w, SECOND);
    server(w);
    assert_string_equal(heard(w, d), ESTABLISHED);
}

enum { SLOW_BYTES = 500 }; /* at 1,000 a second in portions of 50: the last goes after 450 ms */

static const char *slow_text(void)
{
    static char text[SLOW_BYTES + 1];

    memset(text, 'x', SLOW_BYTES);
    return text;
}

static void a_response_is_throttled(void **state)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 460\r\n\r\n";
    struct world *w = *state;
    char response[SLOW_BYTES + 1];
    int d = device(w), s;

    world_obey(w, &(struct rules_options){.throttle = TEXTS("origin.test=1000")});
    say(w, d, GET);
    s = server(w);
    heard(w, s);
    memcpy(response, slow_text(), sizeof response);
    memcpy(response, head, sizeof head - 1);
    say(w, s, response);
    pass_time(w, 440 * MS);
    assert_int_equal(strlen(heard(w, d)), SLOW_BYTES - 50);
    pass_time(w, 20 * MS);
    assert_int_equal(strlen(heard(w, d)), 50);
    assert_non_null(strstr(seen(w), "rule-applied type=throttle text=throttle origin.test=1000\n"));
    assert_true(w->at_us[OBS_FLOW_CLOSED] - w->at_us[OBS_HTTP_RESPONSE] == 450 * MS);
}

static void an_upload_is_throttled(void **state)
{
    static const char head[] = "POST http://origin.test/ HTTP/1.1\r\nHost: a\r\n"
                               "Content-Length: 500\r\n\r\n";
    struct world *w = *state;
    int d = device(w), s;

    world_obey(w, &(struct rules_options){.throttle = TEXTS("origin.test=1000")});
    say(w, d, head);
    s = server(w);
    heard(w, s);
    say(w, d, slow_text());
    pass_time(w, 440 * MS);
    assert_int_equal(strlen(heard(w, s)), SLOW_BYTES - 50);
    pass_time(w, 20 * MS);
    assert_int_equal(strlen(heard(w, s)), 50);
}

static void a_tunnel_is_throttled_each_way(void **state)
{
    struct world *w = *state;
    int d, s;

    world_obey(w, &(struct rules_options){.throttle = TEXTS("origin.test=1000")});
    world_tunnel(w, &d, &s);
    say(w, d, slow_text());
    say(w, s, slow_text());
    pass_time(w, 440 * MS);
    assert_int_equal(strlen(heard(w, d)), SLOW_BYTES - 50);
    assert_int_equal(strlen(heard(w, s)), SLOW_BYTES - 50);
    pass_time(w, 20 * MS);
    assert_int_equal(strlen(heard(w, d)), 50);
    assert_int_equal(strlen(heard(w, s)), 50);

    /* What was not used is not saved up, and the end comes behind the bytes. */
    pass_time(w, 10 * SECOND);
    say(w, d, slow_text());
    end_of(w, d);
    pass_time(w, 440 * MS);
    assert_int_equal(strlen(heard(w, s)), SLOW_BYTES - 50);
    pass_time(w, 20 * MS);
    assert_int_equal(strlen(heard(w, s)), 50);
    pass_time(w, 50 * MS);
    assert_string_equal(heard(w, s), "<FIN>");
}

static void a_throttled_tunnel_can_be_reset(void **state)
{
    struct world *w = *state;
    int d, s;

    world_obey(w, &(struct rules_options){.throttle = TEXTS("origin.test=10")});
    world_tunnel(w, &d, &s);
    say(w, s, slow_text());
    reset_by(w, d);
    pass_time(w, 100 * SECOND);
    assert_non_null(strstr(seen(w), " why=device-reset\n"));
    assert_non_null(strstr(heard(w, s), "<RST>"));
}

static void rules_of_different_sorts_hold_side_by_side(void **state)
{
    struct world *w = *state;

    world_obey(w, &(struct rules_options){.delay = TEXTS("origin.test=1s"),
                                          .throttle = TEXTS("*.test=1kB", "origin.test=2kB")});
    say(w, device(w), CONNECT);
    const char *all = seen(w);
    assert_non_null(strstr(all, "rule-applied type=delay text=delay origin.test=1s\n"
                                "rule-applied type=throttle text=throttle origin.test=2kB\n"));
    world_obey(w, &(struct rules_options){.delay = TEXTS("origin.test=1s"),
                                          .block = TEXTS("*.test"),
                                          .deny = TEXTS("origin.test")});
    say(w, device(w), CONNECT);
    all = seen(w);
    assert_non_null(strstr(all, "rule-applied type=deny text=deny origin.test\n"));
    assert_null(strstr(all, "type=delay"));
    assert_null(strstr(all, "type=block"));
}

/* New rules */

static void an_open_tunnel_keeps_its_rules(void **state)
{
    struct world *w = *state;
    int d, s;

    world_obey(w, &(struct rules_options){.throttle = TEXTS("origin.test=1000")});
    world_tunnel(w, &d, &s);
    world_obey(
        w, &(struct rules_options){.block = TEXTS("origin.test"), .allow = TEXTS("10.0.0.0/8")});
    say(w, d, slow_text());
    pass_time(w, 440 * MS);
    assert_int_equal(strlen(heard(w, s)), SLOW_BYTES - 50); /* as slow as it was, and not blocked */
    assert_string_equal(seen(w), "");
    assert_answered(w, CONNECT, "403 Forbidden",
                    "127.0.0.1 is not served: its address is not private, and no --allow holds it");
}

static void the_next_request_has_the_new_rules(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say(w, d, GET);
    s = server(w);
    heard(w, s);
    world_obey(w, &(struct rules_options){.block = TEXTS("origin.test")});
    say(w, s, OK2);
    assert_string_equal(heard(w, d), OK2);
    say(w, d, GET);
    assert_string_equal(heard(w, s), "<FIN>");
    assert_non_null(strstr(heard(w, d), "origin.test is blocked"));
}

static void a_tunnel_on_its_way_keeps_its_upstream(void **state)
{
    struct world *w = *state;
    char upstream[64];
    int d = device(w);

    snprintf(upstream, sizeof upstream, "http://127.0.0.1:%u", w->server_port);
    world_obey(w, &(struct rules_options){.upstream = upstream, .delay = TEXTS("*.test=1s")});
    say(w, d, "CONNECT site.test:443 HTTP/1.1\r\nHost: x\r\n\r\n");
    world_obey(w, &(struct rules_options){0}); /* the old ones are gone with this */
    pass_time(w, SECOND);
    assert_string_equal(heard(w, server(w)),
                        "CONNECT site.test:443 HTTP/1.1\r\nHost: site.test:443\r\n\r\n");
}

/* Credentials: anna's password is "five". */

#define FIVE "$5$s5$2B5.lLgLytpZaNOB.qnLiBXGGJSNQmTZWG8ot44eLZD"

static struct credentials *credentials_of(const char *users)
{
    struct credentials *c = NULL;

    assert_int_equal(credentials_parse("users", str_of(users), &c, NULL), 0);
    return c;
}

static int set_up_with_users(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct proxy_options options = {.credentials = credentials_of("anna:" FIVE "\n")};

    world_init(w, &options);
    credentials_unref(options.credentials);
    *state = w;
    return 0;
}

#define RIGHT "Proxy-Authorization: Basic YW5uYTpmaXZl\r\n"
#define BENS "Proxy-Authorization: Basic YmVuOmZpdmU=\r\n"
#define WRONG "Proxy-Authorization: Basic YW5uYTpzaXg=\r\n"

static void who_shows_no_password_is_asked_for_it(void **state)
{
    struct world *w = *state;
    int d = device(w);

    say(w, d, GET);
    const char *answer = heard(w, d);
    assert_non_null(strstr(answer, "HTTP/1.1 407 Proxy Authentication Required\r\n"));
    assert_non_null(
        strstr(answer, "Proxy-Authenticate: Basic realm=\"flightstrip\", charset=\"UTF-8\"\r\n"));
    assert_non_null(strstr(seen(w), "flow-closed why=authentication\n"));
    assert_answered(w, CONNECT, "407 Proxy", "this proxy wants credentials");
    assert_answered(w, "CONNECT origin.test:443 HTTP/1.1\r\nHost: x\r\n" WRONG "\r\n", "407 Proxy",
                    "this proxy wants credentials");
    assert_false(server_was_called(w));
}

static void who_shows_the_password_is_served_and_it_goes_no_further(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say(w, d, "GET http://origin.test/a HTTP/1.1\r\nHost: a\r\n" RIGHT "\r\n");
    s = server(w);
    assert_string_equal(heard(w, s), GET_FORWARDED);
    say(w, s, OK2);
    assert_string_equal(heard(w, d), OK2);
    say(w, d, GET); /* each request shows it */
    assert_non_null(strstr(heard(w, d), "HTTP/1.1 407 "));
    d = device(w);
    say(w, d, "CONNECT origin.test:443 HTTP/1.1\r\nHost: x\r\n" RIGHT "\r\nhello");
    assert_string_equal(heard(w, server(w)), "hello");
    assert_null(strstr(seen(w), "YW5uYTpmaXZl"));
}

static void who_tries_too_many_has_to_wait(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < CREDENTIALS_HASHES_A_SECOND; i++)
        assert_answered(w, "CONNECT origin.test:443 HTTP/1.1\r\nHost: x\r\n" WRONG "\r\n",
                        "407 Proxy", "this proxy wants credentials");
    assert_answered(w, "CONNECT origin.test:443 HTTP/1.1\r\nHost: x\r\n" WRONG "\r\n",
                    "503 Service Unavailable",
                    "too many passwords are being tried: ask again in a second");
    assert_non_null(strstr(seen(w), "flow-closed why=too-many\n"));
    pass_time(w, SECOND);
    assert_answered(w, "CONNECT origin.test:443 HTTP/1.1\r\nHost: x\r\n" WRONG "\r\n", "407 Proxy",
                    "this proxy wants credentials");
}

static void new_users_hold_from_now_on(void **state)
{
    struct world *w = *state;
    struct credentials *others = credentials_of("ben:" FIVE "\n");
    int d = device(w), s;

    say(w, d, "CONNECT origin.test:443 HTTP/1.1\r\nHost: x\r\n" RIGHT "\r\nhello");
    s = server(w);
    assert_string_equal(heard(w, s), "hello");
    proxy_set_credentials(w->proxy, others);
    credentials_unref(others);
    settle(w);
    say(w, d, " again"); /* an open tunnel is no matter of theirs */
    assert_string_equal(heard(w, s), " again");
    assert_answered(w, "CONNECT origin.test:443 HTTP/1.1\r\nHost: x\r\n" RIGHT "\r\n", "407 Proxy",
                    "this proxy wants credentials");
    say(w, device(w), "CONNECT origin.test:443 HTTP/1.1\r\nHost: x\r\n" BENS "\r\nhello");
    assert_string_equal(heard(w, server(w)), "hello");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
#define TEST_USERS(name) cmocka_unit_test_setup_teardown(name, set_up_with_users, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_denied_is_refused_as_policy),
        TEST(what_is_blocked_is_refused_as_a_firewall_would),
        TEST(a_refusal_of_head_has_no_body),
        TEST(only_some_ports_may_be_tunnelled_to),
        TEST(a_plain_request_is_not_for_another_services_port),
        TEST(who_is_not_allowed_is_not_served),
        TEST(a_name_longer_than_a_name_can_be_is_a_bad_request),
        TEST(a_tunnel_is_delayed_before_anything_is_done_for_it),
        TEST(each_request_is_delayed),
        TEST(a_delay_does_not_count_as_time_to_answer),
        TEST(a_device_may_leave_during_its_delay),
        TEST(a_delay_does_not_count_as_time_to_connect),
        TEST(a_response_is_throttled),
        TEST(an_upload_is_throttled),
        TEST(a_tunnel_is_throttled_each_way),
        TEST(a_throttled_tunnel_can_be_reset),
        TEST(rules_of_different_sorts_hold_side_by_side),
        TEST(an_open_tunnel_keeps_its_rules),
        TEST(the_next_request_has_the_new_rules),
        TEST(a_tunnel_on_its_way_keeps_its_upstream),
        TEST_USERS(who_shows_no_password_is_asked_for_it),
        TEST_USERS(who_shows_the_password_is_served_and_it_goes_no_further),
        TEST_USERS(who_tries_too_many_has_to_wait),
        TEST_USERS(new_users_hold_from_now_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
