/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is asked of the proxy itself, and what it calls those who come to a port with a name. */
#include "test/unit/sources/proxy_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE "application/x-ns-proxy-autoconfig"

static void the_file_is_served_where_clients_look_for_it(void **state)
{
    static const char *const requests[] = {
        "GET /proxy.pac HTTP/1.1\r\nHost: proxy.example:1\r\n\r\n",
        "GET /wpad.dat HTTP/1.1\r\nHost: wpad\r\n\r\n",
        "GET /wpad.dat HTTP/1.0\r\n\r\n",
        "GET /proxy.pac?fresh=1 HTTP/1.1\r\nHost: proxy.example\r\n\r\n",
    };
    struct world *w = *state;
    char here[64];

    snprintf(here, sizeof here, "return \"PROXY 127.0.0.1:%u\";\n}\n<FIN>",
             proxy_port(w->proxy, 0));
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        int d = device(w);

        say(w, d, requests[i]);
        const char *answer = heard(w, d);
        if (!str_starts(str_of(answer), STR("HTTP/1.1 200 OK\r\nContent-Type: " TYPE "\r\n")) ||
            !strstr(answer, "\r\n\r\nfunction FindProxyForURL(url, host)\n{\n") ||
            !strstr(answer, here))
            fail_msg("%s%s", requests[i], answer);
    }
}

static void what_is_asked_of_the_proxy_is_a_flow_too(void **state)
{
    struct world *w = *state;
    int d = device(w);
    char wanted[512];
    size_t body;

    say(w, d, "GET /wpad.dat?a=secret HTTP/1.1\r\nHost: wpad\r\nUser-Agent: WinHttp\r\n\r\n");
    const char *answer = heard(w, d);
    body = strlen(strstr(answer, "\r\n\r\n") + 4) - strlen("<FIN>");
    snprintf(wanted, sizeof wanted,
             "device-seen\n"
             "flow-opened host=127.0.0.1 port=PROXY how=own\n"
             "http-request method=GET url=http://127.0.0.1:%u/wpad.dat?a=* host=127.0.0.1 "
             "user_agent=WinHttp\n"
             "http-response status=200 content_type=" TYPE " length=%zu by=proxy\n"
             "flow-closed bytes_up=68 why=finished\n",
             proxy_port(w->proxy, 0), body);
    assert_string_equal(seen(w), wanted);
}

static void head_is_answered_without_the_file(void **state)
{
    struct world *w = *state;
    int d = device(w);

    say(w, d, "HEAD /proxy.pac HTTP/1.1\r\nHost: x\r\n\r\n");
    const char *answer = heard(w, d);
    assert_null(strstr(answer, "Content-Length: 0\r\n"));
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n<FIN>");
    assert_non_null(strstr(seen(w), "flow-closed bytes_up=37 why=finished\n"));
}

static void nothing_else_is_the_proxys_own(void **state)
{
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /proxy.pac/x HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /Proxy.pac HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /proxy.pac HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        int d = device(w);

        say(w, d, requests[i]);
        if (!strstr(heard(w, d), "HTTP/1.1 400 Bad Request\r\n"))
            fail_msg("%s", requests[i]);
    }
}

/* A name that leads elsewhere is for elsewhere. */
static void a_file_of_another_host_is_asked_for_there(void **state)
{
    struct world *w = *state;
    int d = device(w);

    say(w, d, "GET http://origin.test/wpad.dat HTTP/1.1\r\nHost: origin.test\r\n\r\n");
    assert_string_equal(heard(w, server(w)), "GET /wpad.dat HTTP/1.1\r\nHost: origin.test\r\n\r\n");
}

static void who_is_not_served_gets_no_file(void **state)
{
    const char *const allow[] = {"10.0.0.0/8"};
    struct world *w = *state;
    int d = device(w);

    world_obey(w, &(struct rules_options){.allow = {allow, 1}});
    say(w, d, "GET /wpad.dat HTTP/1.1\r\nHost: x\r\n\r\n");
    const char *answer = heard(w, d);
    assert_non_null(strstr(answer, "HTTP/1.1 403 Forbidden\r\n"));
    assert_non_null(strstr(answer, "flightstrip: your address is not served here\n"));
    assert_null(strstr(answer, "FindProxyForURL"));
    assert_non_null(strstr(seen(w), " why=refused\n"));
}

static void hosts_that_go_direct_are_in_the_file(void **state)
{
    const char *const direct[] = {"*.corp.example"};
    struct proxy_options options = {.direct = direct, .direct_count = 1};
    struct world *w = calloc(1, sizeof *w);
    int d;

    (void)state;
    world_init(w, &options);
    d = device(w);
    say(w, d, "GET /proxy.pac HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_non_null(strstr(heard(w, d), "if (dnsDomainIs(host, \".corp.example\"))\n"));
    world_finish(w);
    free(w);
}

static void who_comes_to_a_port_with_a_name_is_that_device(void **state)
{
    const char *const listen[] = {"127.0.0.1:0=LAB-PC-1"};
    struct proxy_options options = {.listen = listen, .listen_count = 1};
    struct world *w = calloc(1, sizeof *w);

    (void)state;
    world_init(w, &options);
    for (int i = 0; i < 2; i++) {
        say(w, device(w), "CONNECT origin.test:443 HTTP/1.1\r\nHost: x\r\n\r\n");
        server(w);
        struct str all = str_of(seen(w)), line;

        assert_true(str_line(&all, &line));
        assert_true(str_eq(line, i ? STR("flow-opened host=origin.test port=443 how=connect")
                                   : STR("device-seen client=*:PROXY name=LAB-PC-1")));
    }
    world_finish(w);
    free(w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_file_is_served_where_clients_look_for_it),
        TEST(what_is_asked_of_the_proxy_is_a_flow_too),
        TEST(head_is_answered_without_the_file),
        TEST(nothing_else_is_the_proxys_own),
        TEST(a_file_of_another_host_is_asked_for_there),
        TEST(who_is_not_served_gets_no_file),
        cmocka_unit_test(hosts_that_go_direct_are_in_the_file),
        cmocka_unit_test(who_comes_to_a_port_with_a_name_is_that_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
