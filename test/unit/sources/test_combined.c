/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/unit/unit.h"

#include "sources/imports/combined.h"
#include "test/unit/sources/imported.h"

#include <string.h>

#define CASES(table) (sizeof(table) / sizeof *(table))
#define FROM "192.0.2.7 - - [09/Jul/2025:05:05:57 +0200] "

static int describe_one(void *out, const struct obs *o)
{
    struct obs relative = *o;

    relative.at_us -= 1752030357000000;
    describe(out, &relative);
    return 0;
}

/* The observations that a line becomes, or "nothing", or why it is bad. */
static struct buf told(const char *line)
{
    struct account x;
    struct buf out;
    const char *why = "";

    buf_init(&out, 1 << 20);
    account_init(&x);
    switch (combined_parse(str_of(line), &x, &why)) {
    case RECORD_FLOW:
        account_tell(&x, 1, describe_one, &out);
        break;
    case RECORD_NOTHING:
        buf_put_str(&out, STR("nothing"));
        break;
    case RECORD_BAD:
        buf_put_str(&out, str_of(why));
        break;
    }
    buf_put_byte(&out, '\0');
    account_finish(&x);
    return out;
}

static void a_line_becomes_what_a_watcher_would_have_seen(void **state)
{
    struct buf out = told(FROM "\"GET http://H.example/a?b=c HTTP/1.1\" 200 213 \"http://r/?s=1\" "
                               "\"curl \\\"7\\\"\" TCP_MISS:HIER_DIRECT");

    (void)state;
    assert_string_equal(
        out.p, "0.000 flow-opened #1 client=192.0.2.7 host=h.example port=80 how=absolute-form\n"
               "0.000 http-request #1 method=GET url=http://H.example/a?b=* host=h.example "
               "user_agent=curl \\\"7\\\"\n"
               "0.000 connected #1 port=80\n"
               "0.000 http-response #1 status=200 by=server\n"
               "0.000 flow-closed #1 bytes_down=213 why=finished\n");
    buf_finish(&out);
}

static void what_a_line_says_is_found_in_it(void **state)
{
    static const struct {
        const char *line, *has;
    } cases[] = {
        {FROM "\"CONNECT h.example:443 HTTP/1.1\" 200 108 \"-\" \"a\" TCP_TUNNEL:HIER_DIRECT",
         "flow-closed #1 bytes_down=69 why=finished"},
        {FROM "\"CONNECT h.example:443 HTTP/1.1\" 200 0", "host=h.example port=443 how=connect"},
        {FROM "\"CONNECT h:443 HTTP/1.1\" 503 0 \"-\" \"a\" NONE_NONE:HIER_DIRECT",
         "connect-failed #1 port=443 error=NONE_NONE/503 HIER_DIRECT"},
        {FROM "\"CONNECT h:443 HTTP/1.1\" 500 0 \"-\" \"a\" NONE_NONE:HIER_NONE",
         "name-failed #1 error=NONE_NONE/500 HIER_NONE"},
        {FROM "\"GET http://h/ HTTP/1.1\" 503 3437 \"-\" \"a\" TCP_MISS:HIER_DIRECT",
         "connect-failed #1 port=80 error=TCP_MISS/503 HIER_DIRECT"},
        {FROM "\"CONNECT h:443 HTTP/1.1\" 502 341", "error=answered with status 502"},
        {FROM "\"CONNECT h:443 HTTP/1.1\" 403 341", "status=403 by=proxy"},
        {FROM "\"CONNECT h:443 HTTP/1.1\" 403 341", "why=refused"},
        {FROM "\"GET http://h/ HTTP/1.1\" 403 3412 \"-\" \"a\" TCP_DENIED:HIER_NONE",
         "why=blocked"},
        {FROM "\"GET http://h/ HTTP/1.1\" 407 3412", "why=authentication"},
        {FROM "\"GET http://h/ HTTP/1.1\" 0 0 \"-\" \"a\" TCP_MISS_ABORTED:HIER_DIRECT",
         "why=device-aborted"},
        {FROM "\"GET http://h/a b HTTP/1.1\" 200 -", "url=http://h/a b host=h"},
        {FROM "\"GET http://h/\" 200 5", "url=http://h/ host=h"},
        {"192.0.2.7 - John Doe [09/Jul/2025:03:05:57 +0000] \"GET http://h/ HTTP/1.1\" 200 5",
         "client=192.0.2.7"},
        {"2001:db8::7 - - [09/Jul/2025:03:05:57 +0000] \"GET http://[2001:db8::1]/ HTTP/1.1\" 200 "
         "5",
         "host=2001:db8::1"},
        {"192.0.2.7 - - [08/Jul/2025:22:05:57 -0500] \"GET http://h/ HTTP/1.1\" 200 5",
         "0.000 flow-opened"},
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        struct buf out = told(cases[i].line);

        if (!strstr(out.p, cases[i].has))
            fail_msg("%s\nbecame\n%s", cases[i].line, out.p);
        buf_finish(&out);
    }
}

static void a_line_that_tells_of_no_exchange_says_so(void **state)
{
    static const struct {
        const char *line, *says;
    } cases[] = {
        {FROM "\"-\" 408 0", "nothing"},
        {FROM "\"- error:transaction-end-before-headers NONE/0.0\" 0 0 \"-\" \"-\" "
              "NONE_NONE:HIER_NONE",
         "nothing"},
        {FROM "\"GET cache_object://localhost/info HTTP/1.0\" 200 2558", "nothing"},
        {FROM "\"GET /index.html HTTP/1.1\" 200 5",
         "the request names no host: this is a web server's log, not a proxy's"},
        {FROM "\"\\x16\\x03\\x01 \" 400 5", "the request is not \"METHOD URL VERSION\""},
        {FROM "\"GET foo HTTP/1.1\" 400 5", "the URL is not an absolute one"},
        {FROM "\"GET http://h/ HTTP/1.1", "there is no \"REQUEST\" in quotes after the time"},
        {FROM "\"GET http://h/ HTTP/1.1\"", "there is no status after the request"},
        {FROM "\"GET http://h/ HTTP/1.1\" 20x 5", "there is no status after the request"},
        {FROM "\"GET http://h/ HTTP/1.1\" 200 x", "there is no number of bytes after the status"},
        {"192.0.2.7 - - [32/Jul/2025:03:05:57 +0000] \"GET http://h/ HTTP/1.1\" 200 5",
         "the time is not one as [09/Jul/2025:03:05:57 +0000]"},
        {"192.0.2.7 - - [09/Foo/2025:03:05:57 +0000] \"GET http://h/ HTTP/1.1\" 200 5",
         "the time is not one as [09/Jul/2025:03:05:57 +0000]"},
        {"192.0.2.7 - - [09/Jul/2025:03:05:57] \"GET http://h/ HTTP/1.1\" 200 5",
         "the time is not one as [09/Jul/2025:03:05:57 +0000]"},
        {"192.0.2.7 - - [09/Jul/2025:03:05:57 +0000", /* unfinished */
         "the time is not one as [09/Jul/2025:03:05:57 +0000]"},
        {"hello", "there is no [TIME] after the client's address"},
        {"", "there is no [TIME] after the client's address"},
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        struct buf out = told(cases[i].line);

        assert_string_equal(out.p, cases[i].says);
        buf_finish(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_becomes_what_a_watcher_would_have_seen),
        cmocka_unit_test(what_a_line_says_is_found_in_it),
        cmocka_unit_test(a_line_that_tells_of_no_exchange_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
