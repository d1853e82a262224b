/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whom the proxy serves, where it goes, and what it lets a device make it hold. */
#include "sources/proxy/address.h"
#include "sources/proxy/connect_to.h"
#include "sources/proxy/policy.h"
#include "test/unit/sources/proxy_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage a;

    assert_true(address_parse(str_of(text), &a));
    return a;
}

static void private_addresses_are_served(void **state)
{
    static const struct {
        const char *address;
        bool served;
    } cases[] = {
        {"127.0.0.1", true},       {"127.255.0.9", true},
        {"10.1.2.3", true},        {"172.16.0.1", true},
        {"172.31.255.255", true},  {"192.168.255.1", true},
        {"169.254.3.4", true},     {"::1", true},
        {"fd12::1", true},         {"fc00::1", true},
        {"fe80::1", true},         {"::ffff:10.0.0.1", true},
        {"8.8.8.8", false},        {"172.15.0.1", false},
        {"172.32.0.1", false},     {"192.167.1.1", false},
        {"11.0.0.1", false},       {"2001:db8::1", false},
        {"fe00::1", false},        {"::2", false},
        {"::ffff:8.8.8.8", false}, {"100.64.0.1", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sockaddr_storage a = address_of(cases[i].address);
        if (policy_serves(&a) != cases[i].served)
            fail_msg("%s", cases[i].address);
    }
}

static void dangerous_addresses_are_refused(void **state)
{
    static const struct {
        const char *address, *says;
    } cases[] = {
        {"127.0.0.1", "loopback"},
        {"127.200.0.1", "loopback"},
        {"::1", "loopback"},
        {"::ffff:127.0.0.1", "loopback"},
        {"64:ff9b::7f00:1", "loopback"},
        {"2002:7f00:1::", "loopback"},
        {"::127.0.0.1", "loopback"},
        {"0.0.0.0", "unspecified"},
        {"0.1.2.3", "unspecified"},
        {"::", "unspecified"},
        {"169.254.169.254", "cloud metadata"},
        {"::ffff:169.254.169.254", "cloud metadata"},
        {"64:ff9b::a9fe:a9fe", "cloud metadata"},
        {"fd00:ec2::254", "cloud metadata"},
        {"168.63.129.16", "cloud metadata"},
        {"169.254.1.1", "link-local"},
        {"fe80::1", "link-local"},
        {"febf::1", "link-local"},
        {"224.0.0.1", "multicast"},
        {"239.255.255.250", "multicast"},
        {"ff02::1", "multicast"},
        {"255.255.255.255", "reserved"},
        {"8.8.8.8", NULL},
        {"10.0.0.1", NULL},
        {"192.168.0.1", NULL},
        {"fd00:ec2::255", NULL},
        {"2606:4700::1111", NULL},
        {"64:ff9b::808:808", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sockaddr_storage a = address_of(cases[i].address);
        const char *says = policy_refuses(&a);
        if (!says != !cases[i].says || (says && strcmp(says, cases[i].says) != 0))
            fail_msg("%s: %s", cases[i].address, says ? says : "allowed");
    }
}

static void private_networks_are_known(void **state)
{
    static const struct {
        const char *address, *meant;
    } cases[] = {
        {"10.1.2.3", "10.1.2.3"},
        {"172.31.255.255", "172.31.255.255"},
        {"192.168.0.1", "192.168.0.1"},
        {"100.64.0.1", "100.64.0.1"},
        {"100.127.255.255", "100.127.255.255"},
        {"fd12::1", "fd12::1"},
        {"::ffff:10.0.0.1", "10.0.0.1"},
        {"64:ff9b::a00:1", "10.0.0.1"},
        {"2002:c0a8:1::", "192.168.0.1"},
        {"::10.0.0.1", "10.0.0.1"},
        {"fec0::1", "fec0::1"},
        {"64:ff9b:1::a00:1", "64:ff9b:1::a00:1"},
        {"100.128.0.1", NULL},
        {"172.32.0.1", NULL},
        {"8.8.8.8", NULL},
        {"127.0.0.1", NULL},
        {"::1", NULL},
        {"2001:db8::1", NULL},
        {"64:ff9b::808:808", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sockaddr_storage a = address_of(cases[i].address), meant;
        uint8_t got[16], wanted[16];

        if (!policy_private(&a, got) != !cases[i].meant)
            fail_msg("%s", cases[i].address);
        if (!cases[i].meant)
            continue;
        meant = address_of(cases[i].meant);
        policy_address(&meant, wanted);
        assert_memory_equal(got, wanted, sizeof got);
    }
}

static void an_own_address_with_the_own_port_is_self(void **state)
{
    struct sockaddr_storage own = address_of("127.0.0.1"), mapped = address_of("::ffff:127.0.0.1");
    struct sockaddr_storage other = address_of("192.0.2.1");

    (void)state;
    address_set_port(&own, 8080);
    address_set_port(&mapped, 8080);
    address_set_port(&other, 8080);
    assert_true(policy_is_self(&own, 8080));
    assert_true(policy_is_self(&mapped, 8080));
    assert_false(policy_is_self(&own, 8081));
    assert_false(policy_is_self(&other, 8080));
}

static void connect_to_rules_are_read_as_curl_reads_them(void **state)
{
    static const struct {
        const char *rule, *host;
        uint16_t port;
        const char *to_host;
        uint16_t to_port;
        bool meant;
    } cases[] = {
        {"a.test:443:b.test:8443", "a.test", 443, "b.test", 8443, true},
        {"a.test:443:b.test:8443", "A.Test", 443, "b.test", 8443, true},
        {"a.test:443:b.test:8443", "a.test", 80, "a.test", 80, false},
        {"a.test:443:b.test:8443", "c.test", 443, "c.test", 443, false},
        {"::127.0.0.1:8443", "any.test", 1, "127.0.0.1", 8443, true},
        {":80::8080", "any.test", 80, "any.test", 8080, false},
        {":80::8080", "any.test", 81, "any.test", 81, false},
        {"a.test::b.test:", "a.test", 7, "b.test", 7, true},
        {"[2001:db8::1]:443:[::1]:8443", "2001:db8::1", 443, "::1", 8443, true},
        {":::", "a.test", 7, "a.test", 7, false},
    };
    static const char *const bad[] = {"",           "a.test",       "a:1:b",
                                      "a:1:b:2:3",  "a:x:b:2",      "a:1:b:70000",
                                      "[::1:1:b:2", "a:1:[::1]x:2", "a:0:b:2"};
    struct connect_to rule;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str host = str_of(cases[i].host);
        uint16_t port = cases[i].port;

        assert_int_equal(connect_to_parse(str_of(cases[i].rule), &rule, NULL), 0);
        assert_int_equal(connect_to_apply(&rule, 1, &host, &port), cases[i].meant);
        assert_true(str_eq(host, str_of(cases[i].to_host)));
        assert_int_equal(port, cases[i].to_port);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err;

        if (connect_to_parse(str_of(bad[i]), &rule, &err) != -EINVAL)
            fail_msg("accepted: %s", bad[i]);
        assert_non_null(strstr(err.text, "expected HOST:PORT:ADDR:PORT"));
    }
}

static void the_first_rule_that_matches_counts(void **state)
{
    struct connect_to rules[2];
    struct str host = STR("a.test");
    uint16_t port = 1;

    (void)state;
    assert_int_equal(connect_to_parse(STR("a.test::first.test:"), &rules[0], NULL), 0);
    assert_int_equal(connect_to_parse(STR("::second.test:"), &rules[1], NULL), 0);
    assert_true(connect_to_apply(rules, 2, &host, &port));
    assert_true(str_eq(host, STR("first.test")));
}

/* What a device is told, and what is observed, when a tunnel to `target` is refused. */
static void assert_refused(struct world *w, const char *target, const char *status,
                           const char *says, const char *why)
{
    char request[256];
    int d = device(w);

    snprintf(request, sizeof request, "CONNECT %s HTTP/1.1\r\nHost: x\r\n\r\n", target);
    say(w, d, request);
    const char *answer = heard(w, d);
    if (!strstr(answer, status) || !strstr(answer, says))
        fail_msg("%s: %s", target, answer);
    const char *all = seen(w);
    if (!strstr(all, "flow-opened host=") || !strstr(all, why))
        fail_msg("%s: %s", target, all);
    leave(w, d);
}

static void the_proxy_goes_nowhere_it_should_not(void **state)
{
    static const struct {
        const char *target, *says;
    } cases[] = {
        {"127.0.0.1:443", "does not relay to loopback addresses"},
        {"localhost:443", "does not relay to loopback addresses"},
        {"[::1]:443", "does not relay to loopback addresses"},
        {"[::ffff:127.0.0.1]:443", "does not relay to loopback addresses"},
        {"0.0.0.0:443", "does not relay to unspecified addresses"},
        {"169.254.169.254:80", "does not relay to cloud metadata addresses"},
        {"[fe80::1]:80", "does not relay to link-local addresses"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(w, cases[i].target, "403 Forbidden", cases[i].says, "why=refused");
}

static void what_cannot_be_reached_is_said(void **state)
{
    struct world *w = *state;
    char target[64];

    close(w->listener); /* nobody listens there any more */
    snprintf(target, sizeof target, "origin.test:%u", w->server_port);
    assert_refused(w, target, "502 Bad Gateway", "Connection refused", "why=connect-failed");
    w->listener = -1;
}

static void the_proxy_does_not_call_itself(void **state)
{
    struct proxy_options options = {0};
    const char *rules[] = {"self.test:::"};
    struct world *w = calloc(1, sizeof *w);
    char rule[64], text[64];

    (void)state;
    world_init(w, NULL);
    uint16_t port = proxy_port(w->proxy, 0);
    world_finish(w);

    /* The port is free now, and the new proxy is told to lead there: to itself. */
    snprintf(rule, sizeof rule, "self.test::127.0.0.1:%u", port);
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    rules[0] = rule;
    options = (struct proxy_options){.listen = (const char *const[]){text},
                                     .listen_count = 1,
                                     .connect_to = rules,
                                     .connect_to_count = 1};
    world_init(w, &options);
    assert_refused(w, "self.test:80", "403 Forbidden", "does not relay to its own addresses",
                   "why=refused");
    world_finish(w);
    free(w);
}

static void lead_home(void *ctx, struct sockaddr_storage *address)
{
    struct world *w = ctx;

    *address = address_of("127.0.0.1");
    address_set_port(address, w->server_port);
}

static void the_dial_hook_leads_where_it_wants(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct proxy_options options = {.dial = lead_home, .dial_ctx = w};
    int d;

    (void)state;
    world_init(w, &options);
    d = device(w);
    say(w, d, "CONNECT 192.0.2.1:443 HTTP/1.1\r\nHost: x\r\n\r\n");
    server(w);
    assert_non_null(strstr(heard(w, d), "200 Connection established"));
    assert_non_null(strstr(seen(w), "connected address=127.0.0.1 port=ORIGIN"));
    world_finish(w);
    free(w);
}

static unsigned refuse_some(void *ctx, struct str host)
{
    (void)ctx;
    return str_eq(host, STR("blocked.test")) ? 403 : str_eq(host, STR("asks.test")) ? 407 : 0;
}

static void hosts_that_the_owner_refuses_are_refused(void **state)
{
    struct proxy_options options = {.refuse = refuse_some};
    struct world *w = calloc(1, sizeof *w);

    (void)state;
    world_init(w, &options);
    assert_refused(w, "Blocked.TEST:443", "403 Forbidden", "is blocked", "why=blocked");
    assert_refused(w, "asks.test:443", "407 Proxy Authentication Required",
                   "\r\nProxy-Authenticate: Negotiate\r\n", "why=authentication");
    world_finish(w);
    free(w);
}

/* Hostile devices */

static void a_head_has_a_ceiling(void **state)
{
    static char filler[70000];
    struct world *w = *state;
    int d = device(w);

    say(w, d, "GET http://origin.test/ HTTP/1.1\r\nHost: a\r\nX: ");
    memset(filler, 'x', sizeof filler);
    say_bytes(w, d, filler, sizeof filler);
    assert_non_null(strstr(heard(w, d), "HTTP/1.1 431 Request Header Fields Too Large\r\n"));
    assert_non_null(strstr(seen(w), "why=too-many"));
}

static void a_large_head_passes(void **state)
{
    static char filler[60000];
    struct world *w = *state;
    int d = device(w), s;

    memset(filler, 'x', sizeof filler);
    say(w, d, "GET http://origin.test/ HTTP/1.1\r\nHost: a\r\nCookie: ");
    say_bytes(w, d, filler, sizeof filler);
    say(w, d, "\r\n\r\n");
    s = server(w);
    assert_int_equal(strlen(heard(w, s)),
                     strlen("GET / HTTP/1.1\r\nHost: origin.test\r\nCookie: \r\n\r\n") +
                         sizeof filler);
    say(w, s, "HTTP/1.1 200 OK\r\nSet-Cookie: ");
    say_bytes(w, s, filler, sizeof filler);
    say(w, s, "\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(strlen(heard(w, d)),
                     strlen("HTTP/1.1 200 OK\r\nSet-Cookie: \r\nContent-Length: 0\r\n\r\n") +
                         sizeof filler);
}

static void a_slow_head_is_cut_off(void **state)
{
    struct world *w = *state;
    int d = device(w);

    say(w, d, "GET http://origin.test/ HTTP/1.1\r\n");
    for (int i = 0; i < 25; i++) { /* a byte a second does not help */
        pass_time(w, SECOND);
        say(w, d, "X");
    }
    pass_time(w, 6 * SECOND);
    assert_non_null(strstr(heard(w, d), "HTTP/1.1 408 Request Timeout\r\n"));
    assert_non_null(strstr(seen(w), "why=timeout"));
}

static void a_connection_without_a_request_is_closed(void **state)
{
    struct world *w = *state;
    int d = device(w);

    settle(w);
    pass_time(w, 130 * SECOND);
    assert_string_equal(heard(w, d), "<FIN>");
    assert_string_equal(seen(w), "");
}

static void a_device_that_pipelines_without_end_is_not_read_without_end(void **state)
{
    enum { ALL = 16 << 20 };
    static char filler[65536];
    struct world *w = *state;
    int d = device(w);
    size_t sent = 0;

    say(w, d, "GET http://origin.test/ HTTP/1.1\r\nHost: a\r\n\r\n");
    server(w);
    memset(filler, 'x', sizeof filler);
    for (int stuck = 0; stuck < 3;) {
        ssize_t n = send(d, filler, sizeof filler, MSG_DONTWAIT | MSG_NOSIGNAL);

        sent += n > 0 ? (size_t)n : 0;
        stuck = n > 0 ? 0 : stuck + 1;
        settle(w);
        assert_true(sent < ALL);
    }
}

static void without_descriptors_those_who_knock_wait(void **state)
{
    struct world *w = *state;
    struct rlimit was, now;
    int first = device(w), second, spare, s;

    say(w, first, "GET http://origin.test/ HTTP/1.1\r\nHost: a\r\n\r\n");
    s = server(w);
    second = device(w);
    spare = dup(0);
    close(spare);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    now = was;
    now.rlim_cur = (rlim_t)spare; /* the next descriptor is one too many */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
    settle(w);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    say(w, second, "GET http://origin.test/b HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_false(server_was_called(w)); /* it pauses, and does not spin */
    pass_time(w, 2 * SECOND);
    assert_int_equal(strncmp(heard(w, server(w)), "GET /b ", 7), 0);
    say(w, s, "HTTP/1.1 204 None\r\n\r\n");
    assert_string_equal(heard(w, first), "HTTP/1.1 204 None\r\n\r\n");
}

static void bad_options_are_said_in_a_sentence(void **state)
{
    static const struct {
        const char *listen, *name_server, *says;
    } cases[] = {
        {"x", NULL, "'x': expected [ADDR:]PORT[=NAME] to listen on"},
        {"127.0.0.1:99999", NULL, "'127.0.0.1:99999': expected [ADDR:]PORT[=NAME] to listen on"},
        {"nowhere:80", NULL, "cannot listen on nowhere:80: not an address"},
        {"192.0.2.1:0", NULL, "cannot listen on 192.0.2.1:0: Cannot assign requested address"},
        {"0", "x y", "'x y': expected a name server as ADDR or ADDR:PORT"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proxy_options options = {
            .listen = &cases[i].listen, .listen_count = 1, .name_server = cases[i].name_server};
        struct proxy *p = NULL;
        struct err err;

        assert_true(proxy_create(w->loop, &w->stream, &w->devices, &options, &p, &err) < 0);
        assert_null(p);
        assert_string_equal(err.text, cases[i].says);
    }
}

static void it_says_where_it_listens(void **state)
{
    struct world *w = *state;
    char wanted[64];

    snprintf(wanted, sizeof wanted, "127.0.0.1:%u", proxy_port(w->proxy, 0));
    assert_true(str_eq(proxy_address(w->proxy, 0), str_of(wanted)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(private_addresses_are_served),
        cmocka_unit_test(dangerous_addresses_are_refused),
        cmocka_unit_test(private_networks_are_known),
        cmocka_unit_test(an_own_address_with_the_own_port_is_self),
        cmocka_unit_test(connect_to_rules_are_read_as_curl_reads_them),
        cmocka_unit_test(the_first_rule_that_matches_counts),
        TEST(the_proxy_goes_nowhere_it_should_not),
        TEST(what_cannot_be_reached_is_said),
        cmocka_unit_test(the_proxy_does_not_call_itself),
        cmocka_unit_test(the_dial_hook_leads_where_it_wants),
        cmocka_unit_test(hosts_that_the_owner_refuses_are_refused),
        TEST(a_head_has_a_ceiling),
        TEST(a_large_head_passes),
        TEST(a_slow_head_is_cut_off),
        TEST(a_connection_without_a_request_is_closed),
        TEST(a_device_that_pipelines_without_end_is_not_read_without_end),
        TEST(without_descriptors_those_who_knock_wait),
        TEST(bad_options_are_said_in_a_sentence),
        TEST(it_says_where_it_listens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
