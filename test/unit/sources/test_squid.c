/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/unit/unit.h"

#include "sources/imports/squid.h"
#include "test/unit/sources/imported.h"

#include <stdio.h>
#include <string.h>

#define CASES(table) (sizeof(table) / sizeof *(table))
#define AT "1752030357.582 "

static int describe_one(void *out, const struct obs *o)
{
    struct obs relative = *o;

    relative.at_us -= 1752030357000000;
    describe(out, &relative);
    return 0;
}

/* The observations that a line becomes, or "nothing", or why it is bad. */
static void told(struct str line, struct buf *out)
{
    struct account x;
    const char *why = "";

    account_init(&x);
    switch (squid_parse(line, &x, &why)) {
    case RECORD_FLOW:
        account_tell(&x, 1, describe_one, out);
        break;
    case RECORD_NOTHING:
        buf_put_str(out, STR("nothing"));
        break;
    case RECORD_BAD:
        buf_put_str(out, str_of(why));
        break;
    }
    account_finish(&x);
}

static void assert_told(const char *line, const char *want)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    told(str_of(line), &out);
    buf_put_byte(&out, '\0');
    assert_string_equal(out.p, want);
    buf_finish(&out);
}

static void a_line_becomes_what_a_watcher_would_have_seen(void **state)
{
    (void)state;
    assert_told(AT
                "    82 192.0.2.7 TCP_MISS/200 275 GET http://WWW.MsftConnectTest.com/c.txt?a=b - "
                "HIER_DIRECT/198.51.100.4 text/plain",
                "0.500 flow-opened #1 client=192.0.2.7 host=www.msftconnecttest.com port=80 "
                "how=absolute-form\n"
                "0.500 http-request #1 method=GET url=http://WWW.MsftConnectTest.com/c.txt?a=* "
                "host=www.msftconnecttest.com\n"
                "0.500 connected #1 address=198.51.100.4 port=80\n"
                "0.582 http-response #1 status=200 content_type=text/plain by=server\n"
                "0.582 flow-closed #1 bytes_down=275 why=finished\n");
    assert_told(AT "   582 2001:db8::7 TCP_TUNNEL/200 5674 CONNECT Login.Live.com:443 - "
                   "HIER_DIRECT/2001:db8:1::4 -",
                "0.000 flow-opened #1 client=2001:db8::7 host=login.live.com port=443 how=connect\n"
                "0.000 http-request #1 method=CONNECT url=login.live.com:443 host=login.live.com\n"
                "0.000 connected #1 address=2001:db8:1::4 port=443\n"
                "0.000 http-response #1 status=200 by=proxy\n"
                "0.582 flow-closed #1 bytes_down=5635 why=finished\n");
}

/* Squid counts its own answer to a CONNECT, 39 bytes, to what went through the tunnel. */
static void an_empty_tunnel_did_not_reach_its_server(void **state)
{
    (void)state;
    assert_told(AT "    82 192.0.2.7 TCP_TUNNEL/200 39 CONNECT h:443 - HIER_DIRECT/198.51.100.4 -",
                "0.500 flow-opened #1 client=192.0.2.7 host=h port=443 how=connect\n"
                "0.500 http-request #1 method=CONNECT url=h:443 host=h\n"
                "0.500 name-resolved #1 addresses=198.51.100.4\n"
                "0.500 http-response #1 status=200 by=proxy\n"
                "0.582 flow-closed #1 why=finished\n");
}

/* The lines of Squid 5.7 and of older ones for each way in which a request can end. */
static void how_it_ended_is_read_from_the_result_codes(void **state)
{
    static const struct {
        const char *line;  /* after the client */
        const char *event; /* the line of the failure, or NULL */
        const char *response;
        const char *why;
    } cases[] = {
        {"NONE_NONE/503 0 CONNECT h:443 - HIER_DIRECT/192.0.2.9 -",
         "connect-failed #1 address=192.0.2.9 port=443 error=NONE_NONE/503 HIER_DIRECT",
         "status=503 by=proxy", "connect-failed"},
        {"NONE_NONE/500 0 CONNECT h:443 - HIER_NONE/- -",
         "name-failed #1 error=NONE_NONE/500 HIER_NONE", "status=500 by=proxy", "name-failed"},
        {"TCP_TUNNEL/503 0 CONNECT h:443 - HIER_NONE/- -",
         "name-failed #1 error=TCP_TUNNEL/503 HIER_NONE", "status=503 by=proxy", "name-failed"},
        {"TAG_NONE/503 0 CONNECT 192.0.2.9:443 - HIER_NONE/- -",
         "connect-failed #1 port=443 error=TAG_NONE/503 HIER_NONE", "status=503 by=proxy",
         "connect-failed"},
        {"TCP_MISS/503 3437 GET http://h/ - HIER_DIRECT/192.0.2.9 text/html",
         "connect-failed #1 address=192.0.2.9 port=80 error=TCP_MISS/503 HIER_DIRECT",
         "status=503 content_type=text/html by=proxy", "connect-failed"},
        {"TCP_MISS_ABORTED/503 4019 GET http://h/ - HIER_DIRECT/2001:db8::1 text/html",
         "connect-failed #1 address=2001:db8::1 port=80 error=TCP_MISS_ABORTED/503 HIER_DIRECT",
         "status=503 content_type=text/html by=proxy", "connect-failed"},
        {"TCP_MISS/503 229 GET http://h/ - HIER_DIRECT/192.0.2.9 text/html", NULL,
         "status=503 content_type=text/html by=server", "finished"},
        {"TCP_MISS/503 3900 GET http://h/ - HIER_DIRECT/192.0.2.9 application/json", NULL,
         "status=503 content_type=application/json by=server", "finished"},
        {"TCP_MISS/503 3500 GET http://h/ - HIER_NONE/- text/html",
         "name-failed #1 error=TCP_MISS/503 HIER_NONE",
         "status=503 content_type=text/html by=proxy", "name-failed"},
        {"TCP_MISS/502 3331 GET http://h/ - HIER_DIRECT/192.0.2.9 text/html", NULL,
         "status=502 content_type=text/html by=proxy", "bad-response"},
        {"TCP_MISS/504 3480 GET http://h/ - HIER_DIRECT/192.0.2.9 text/html", NULL,
         "status=504 content_type=text/html by=proxy", "timeout"},
        {"TCP_MISS_TIMEDOUT/200 99 GET http://h/ - HIER_DIRECT/192.0.2.9 text/html", NULL,
         "status=200 content_type=text/html", "timeout"},
        {"TCP_MISS_ABORTED/000 0 GET http://h/ - HIER_DIRECT/192.0.2.9 -", NULL, NULL,
         "device-aborted"},
        {"TCP_MISS_ABORTED/200 208 GET http://h/ - HIER_DIRECT/192.0.2.9 text/plain", NULL,
         "status=200 content_type=text/plain by=server", "device-aborted"},
        {"TCP_DENIED/403 3412 GET http://h/ - HIER_NONE/- text/html", NULL,
         "status=403 content_type=text/html by=proxy", "blocked"},
        {"TCP_DENIED/403 3402 CONNECT h:443 - HIER_NONE/- text/html", NULL,
         "status=403 content_type=text/html by=proxy", "blocked"},
        {"TCP_DENIED_REPLY/403 3402 GET http://h/ - HIER_DIRECT/192.0.2.9 text/html", NULL,
         "status=403 content_type=text/html by=proxy", "blocked"},
        {"TCP_DENIED/407 3484 CONNECT h:443 - HIER_NONE/- text/html", NULL,
         "status=407 content_type=text/html by=proxy", "authentication"},
        {"TCP_MISS/407 99 GET http://h/ - FIRSTUP_PARENT/up.example text/html", NULL,
         "status=407 content_type=text/html by=upstream", "authentication"},
        {"TCP_TUNNEL/502 0 CONNECT h:443 - FIRSTUP_PARENT/192.0.2.3 -", NULL,
         "status=502 by=upstream", "upstream-failed"},
        {"TCP_MEM_HIT/200 99 GET http://h/ - HIER_NONE/- text/css", NULL,
         "status=200 content_type=text/css by=proxy", "finished"},
        {"TCP_REFRESH_UNMODIFIED/304 99 GET http://h/ bob DIRECT/192.0.2.9 -", NULL,
         "status=304 by=server", "finished"},
        {"TCP_MISS/404 99 GET http://h/ - TIMEOUT_DIRECT/192.0.2.9 text/html", NULL,
         "status=404 content_type=text/html by=server", "finished"},
        {"ERR_CONNECT_FAIL/502 99 GET http://h/ - DIRECT/h text/html",
         "connect-failed #1 port=80 error=ERR_CONNECT_FAIL/502 DIRECT",
         "status=502 content_type=text/html by=proxy", "connect-failed"},
        {"ERR_DNS_FAIL/500 99 GET http://h/ - NONE/- text/html",
         "name-failed #1 error=ERR_DNS_FAIL/500 NONE", "status=500 content_type=text/html by=proxy",
         "name-failed"},
        {"ERR_CLIENT_ABORT/000 0 GET http://h/ - DIRECT/h -", NULL, NULL, "device-aborted"},
        {"NONE/400 3500 NONE error:invalid-request - HIER_NONE/- text/html", NULL,
         "status=400 content_type=text/html by=proxy", "bad-request"},
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        char line[512], expected[200];
        struct buf out;

        buf_init(&out, 1 << 20);
        snprintf(line, sizeof line, AT "0 192.0.2.7 %s", cases[i].line);
        told(str_of(line), &out);
        buf_put_byte(&out, '\0');

        snprintf(expected, sizeof expected, "why=%s\n", cases[i].why);
        if (!strstr(out.p, expected))
            fail_msg("%s\nbecame\n%s", cases[i].line, out.p);
        if (strstr(out.p, "connected #") &&
            (!cases[i].response || !strstr(cases[i].response, "by=server")))
            fail_msg("%s\nbecame\n%s", cases[i].line, out.p);
        if (cases[i].event ? !strstr(out.p, cases[i].event) : !!strstr(out.p, "-failed #"))
            fail_msg("%s\nbecame\n%s", cases[i].line, out.p);
        snprintf(expected, sizeof expected, "http-response #1 %s\n", cases[i].response);
        if (cases[i].response ? !strstr(out.p, expected) : !!strstr(out.p, "http-response"))
            fail_msg("%s\nbecame\n%s", cases[i].line, out.p);
        buf_finish(&out);
    }
}

static void lines_without_a_request_are_read_and_tell_of_nothing(void **state)
{
    static const char *const cases[] = {
        AT "0 192.0.2.7 NONE_NONE/000 0 - error:transaction-end-before-headers - HIER_NONE/- -",
        AT "0 192.0.2.7 NONE/000 0 NONE error:transaction-end-before-headers - HIER_NONE/- -",
        AT
        "0 127.0.0.1 TCP_MISS/200 2558 GET cache_object://localhost/info - HIER_NONE/- text/plain",
        AT "0 192.0.2.7 UDP_MISS/000 50 ICP_QUERY http://h/ - HIER_NONE/- -",
        AT "0 - NONE_NONE/000 0 - - - HIER_NONE/- -",
        AT "3 192.0.2.7 NONE_NONE/200 0 CONNECT h:443 - HIER_NONE/- -", /* ssl_bump's first look */
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++)
        assert_told(cases[i], "nothing");
}

static void what_is_odd_about_a_line_does_not_keep_it_out(void **state)
{
    static const struct {
        const char *line, *has;
    } cases[] = {
        /* clocks */
        {AT "-5 192.0.2.7 TCP_MISS/200 1 GET http://h/ - HIER_NONE/- -", "0.582 flow-opened"},
        {AT "- 192.0.2.7 TCP_MISS/200 1 GET http://h/ - HIER_NONE/- -", "0.582 flow-opened"},
        {AT "99999999999999 192.0.2.7 TCP_MISS/200 1 GET http://h/ - HIER_NONE/- -",
         "0.582 flow-opened"},
        {"1752030357 0 192.0.2.7 TCP_MISS/200 1 GET http://h/ - HIER_NONE/- -",
         "0.000 flow-opened"},
        {"[09/Jul/2025:05:05:57 +0200] 0 192.0.2.7 TCP_MISS/200 1 GET http://h/ - HIER_NONE/- -",
         "0.000 flow-opened"},
        {"09/Jul/2025:03:05:57 +0000 0 192.0.2.7 TCP_MISS/200 1 GET http://h/ - HIER_NONE/- -",
         "0.000 flow-opened"},
        {"Jul  9 03:05:57 gate (squid-1)[812]: " AT
         "0 192.0.2.7 TCP_MISS/200 1 GET http://h/ - HIER_NONE/- -",
         "0.582 flow-opened #1 client=192.0.2.7"},
        {"2025-07-09T03:05:57Z gate squid: " AT
         "0 192.0.2.7 TCP_MISS/200 1 GET http://squid/: - HIER_NONE/- -",
         "url=http://squid/:"},
        /* fields that are missing, added or strange */
        {AT "0 - TCP_MISS/200 1 GET http://h/ - HIER_NONE/- -", "flow-opened #1 host=h"},
        {AT "0 192.0.2.7 TCP_MISS/200 - GET http://h/ - HIER_NONE/-", "flow-closed #1 why"},
        {AT "0 192.0.2.7 TCP_MISS/200 1 GET http://h/ DOM\\bob HIER_NONE/- text/html \"x\" y",
         "content_type=text/html"},
        {AT "0 192.0.2.7 TCP_MISS/200 1 GET http://h/a b c.txt - HIER_NONE/- -",
         "url=http://h/a b c.txt"},
        {AT "0 192.0.2.7 TCP_MISS/200 1 PROPFIND http://h/ - HIER_NONE/- -", "method=PROPFIND"},
        {AT "0 192.0.2.7 TCP_MISS/200 1 GET https://me:pw@h:8443/?t=1 - HIER_NONE/- -",
         "host=h port=8443"},
        {AT "0 192.0.2.7 TCP_TUNNEL/200 1 CONNECT [2001:db8::1]:443 - HIER_DIRECT/2001:db8::1 -",
         "host=2001:db8::1 port=443"},
        {AT "0 192.0.2.7 TCP_TUNNEL/200 1 CONNECT h - HIER_NONE/- -", "host=h port=443"},
        {AT "0 192.0.2.7 TCP_MISS/200 1 GET http://b\xc3\xbc"
            "cher.example/ - HIER_NONE/- -",
         "host=b\xc3\xbc"
         "cher.example"},
        {AT "0 192.0.2.7 TCP_MISS/200 1 GET http://b\xfc"
            "cher.example/ - HIER_NONE/- -",
         "host=b\xfc"
         "cher.example"},
        {AT "0 192.0.2.7 TCP_MISS/200 1 GET http://h/ - HIER_NONE/- - "
            "[User-Agent: Windows-Update-Agent\\r\\nHost: h\\r\\n] [x]",
         "user_agent=Windows-Update-Agent\n"},
        {AT "0 192.0.2.7 TCP_MISS/200 1 GET http://h/ - HIER_NONE/- - "
            "[Host: h%0D%0AUser-Agent: Edge/1%0D%0A] [x]",
         "user_agent=Edge/1\n"},
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        struct buf out;

        buf_init(&out, 1 << 20);
        told(str_of(cases[i].line), &out);
        buf_put_byte(&out, '\0');
        if (!strstr(out.p, cases[i].has))
            fail_msg("%s\nbecame\n%s", cases[i].line, out.p);
        if (strstr(out.p, "pw@"))
            fail_msg("a secret is kept: %s", out.p);
        buf_finish(&out);
    }
}

static void a_line_that_is_none_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *line, *why;
    } cases[] = {
        {"", "it does not begin with a time"},
        {"squid: ", "it does not begin with a time"},
        {"hello", "it does not begin with a time"},
        {"99.1 0 a TCP_MISS/200 1 GET http://h/ - HIER_NONE/- -", "it does not begin with a time"},
        {"99999999999.1 0 a TCP_MISS/200 1", "it does not begin with a time"},
        {"175203035x.1 0 a TCP_MISS/200 1", "it does not begin with a time"},
        {AT "x", "the second field is not a number of milliseconds"},
        {AT "0", "the third field is not a client address"},
        {AT "0 a", "the fourth field is not CODE/STATUS, as TCP_MISS/200"},
        {AT "0 a b/200", "the fourth field is not CODE/STATUS, as TCP_MISS/200"},
        {AT "0 a TCP_MISS/2000 1", "the fourth field is not CODE/STATUS, as TCP_MISS/200"},
        {AT "0 a TCP_MISS/200 x", "the fifth field is not a number of bytes"},
        {AT "0 a TCP_MISS/200 1 ", "the sixth field is not a method"},
        {AT "0 a TCP_MISS/200 1 GET http://h/",
         "there is no HIERARCHY/PEER after the URL, as HIER_DIRECT/192.0.2.1"},
        {AT "0 a TCP_MISS/200 1 GET /path - HIER_NONE/- -", "the URL is not an absolute one"},
        {AT "0 a TCP_MISS/200 1 GET http://h:99999/ - HIER_NONE/- -",
         "the URL is not an absolute one"},
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++)
        assert_told(cases[i].line, cases[i].why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_becomes_what_a_watcher_would_have_seen),
        cmocka_unit_test(an_empty_tunnel_did_not_reach_its_server),
        cmocka_unit_test(how_it_ended_is_read_from_the_result_codes),
        cmocka_unit_test(lines_without_a_request_are_read_and_tell_of_nothing),
        cmocka_unit_test(what_is_odd_about_a_line_does_not_keep_it_out),
        cmocka_unit_test(a_line_that_is_none_is_refused_with_the_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
