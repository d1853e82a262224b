/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/unit/unit.h"

#include "sources/imports/har.h"
#include "sources/imports/har_scan.h"
#include "test/unit/sources/imported.h"

#include <stdlib.h>
#include <string.h>

#define CASES(table) (sizeof(table) / sizeof *(table))

static int describe_one(void *out, const struct obs *o)
{
    struct obs relative = *o;

    relative.at_us -= 1767225600000000; /* 2026-01-01 */
    describe(out, &relative);
    return 0;
}

/* The observations that an entry becomes, or "nothing", or why it is bad. */
static struct buf told(const char *text)
{
    struct account x;
    struct buf out;
    struct err err = {0};
    json_t *entry = json_object_in(str_of(text), &err);
    const char *why = "";

    if (!entry)
        fail_msg("%s: %s", err.text, text);
    buf_init(&out, 1 << 20);
    account_init(&x);
    switch (har_entry(entry, &x, &why)) {
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
    json_decref(entry);
    return out;
}

static void an_entry_becomes_what_a_watcher_would_have_seen(void **state)
{
    struct buf out = told(
        "{\"startedDateTime\":\"2026-01-01T01:00:00.250+01:00\",\"time\":100,"
        "\"request\":{\"method\":\"POST\",\"url\":\"https://H.example/a?b=c\","
        "\"headers\":[{\"name\":\"user-agent\",\"value\":\"Edge\"}],"
        "\"headersSize\":200,\"bodySize\":30},"
        "\"response\":{\"status\":201,\"content\":{\"size\":9,\"mimeType\":\"text/html\"},"
        "\"headersSize\":100,\"bodySize\":50,\"_transferSize\":160},"
        "\"timings\":{\"blocked\":1,\"dns\":10,\"connect\":20,\"ssl\":15,\"send\":1,\"wait\":60,"
        "\"receive\":8},\"serverIPAddress\":\"[2001:db8::1]\"}");

    (void)state;
    assert_string_equal(out.p,
                        "0.250 flow-opened #1 host=h.example port=443 how=direct\n"
                        "0.250 http-request #1 method=POST url=https://H.example/a?b=* "
                        "host=h.example user_agent=Edge length=30\n"
                        "0.261 name-resolved #1 addresses=2001:db8::1 ms=10\n"
                        "0.281 connected #1 address=2001:db8::1 port=443 ms=20\n"
                        "0.342 http-response #1 status=201 content_type=text/html length=50 ms=92 "
                        "by=server\n"
                        "0.350 flow-closed #1 bytes_up=230 bytes_down=160 why=finished\n");
    buf_finish(&out);
}

#define ENTRY(url, response)                                                                       \
    "{\"startedDateTime\":\"2026-01-01T00:00:00Z\",\"time\":5,\"request\":{\"method\":\"GET\","    \
    "\"url\":\"" url "\"},\"response\":" response "}"
#define FAILED(error) ENTRY("http://h/", "{\"status\":0,\"_error\":\"" error "\"}")

static void what_an_entry_says_is_found_in_it(void **state)
{
    static const struct {
        const char *entry, *has;
    } cases[] = {
        {FAILED("net::ERR_NAME_NOT_RESOLVED"),
         "0.005 name-failed #1 error=net::ERR_NAME_NOT_RESOLVED\n"},
        {FAILED("net::ERR_CONNECTION_REFUSED"),
         "0.005 connect-failed #1 port=80 error=net::ERR_CONNECTION_REFUSED\n"},
        {FAILED("net::ERR_CONNECTION_TIMED_OUT"), "why=connect-failed"},
        {FAILED("net::ERR_TIMED_OUT"), "why=timeout"},
        {FAILED("net::ERR_CONNECTION_RESET"), "why=server-reset"},
        {FAILED("net::ERR_EMPTY_RESPONSE"), "why=server-closed"},
        {FAILED("net::ERR_ABORTED"), "why=device-aborted"},
        {FAILED("net::ERR_PROXY_CONNECTION_FAILED"), "why=upstream-failed"},
        {FAILED("net::ERR_CERT_AUTHORITY_INVALID"),
         "tls-alert #1 by=device error=net::ERR_CERT_AUTHORITY_INVALID\n"},
        {FAILED("net::ERR_SSL_PROTOCOL_ERROR"), "tls-alert #1 error=net::ERR_SSL_PROTOCOL_ERROR\n"},
        {FAILED("net::ERR_UNHEARD_OF"), "why=unknown"},
        {ENTRY("http://h/", "{\"status\":-1,\"_failureText\":\"net::ERR_NAME_NOT_RESOLVED\"}"),
         "why=name-failed"},
        {ENTRY("http://h/", "{\"status\":200,\"_failureText\":\"net::ERR_ABORTED\"}"),
         "http-response #1 status=200 by=server\n0.005 flow-closed #1 why=device-aborted\n"},
        {ENTRY("http://h/", "{\"status\":200,\"_transferSize\":0}"), "nothing"},
        {ENTRY("http://h/",
               "{\"status\":0,\"_transferSize\":0,\"_error\":\"net::ERR_EMPTY_RESPONSE\"}"),
         "why=server-closed"},
        {FAILED("net::ERR_UNSAFE_PORT"), "nothing"},
        {ENTRY("http://h/", "{}"), "why=unknown"},
        {ENTRY("http://h/", "null"), "why=unknown"},
        {ENTRY("wss://h/live", "{\"status\":101}"), "host=h port=443"},
        {ENTRY("data:text/plain,x", "{\"status\":200}"), "nothing"},
        {ENTRY("blob:https://h/1", "{\"status\":200}"), "nothing"},
        {ENTRY("chrome-extension://abc/x.js", "{\"status\":200}"), "nothing"},
        {FAILED("net::ERR_BLOCKED_BY_CLIENT"), "nothing"},
        {"{\"_fromCache\":\"disk\",\"startedDateTime\":\"2026-01-01T00:00:00Z\",\"request\":"
         "{\"method\":\"GET\",\"url\":\"http://h/\"}}",
         "nothing"},
        {"{\"startedDateTime\":\"2026-01-01T00:00:00Z\",\"request\":{\"method\":\"CONNECT\","
         "\"url\":\"https://h:444/\"},\"response\":{\"status\":200}}",
         "host=h port=444 how=connect"},
        {"{\"startedDateTime\":\"2026-01-01T00:00:00Z\",\"time\":-1,\"request\":{\"method\":"
         "\"GET\",\"url\":\"http://h/\"},\"response\":{\"status\":200,\"bodySize\":-1},"
         "\"timings\":{\"wait\":1e300,\"send\":\"x\",\"dns\":-1}}",
         "0.000 flow-closed #1 why=finished"},
        {"{}", "it has no request with a method and a URL"},
        {"{\"request\":[]}", "it has no request with a method and a URL"},
        {"{\"startedDateTime\":\"yesterday\",\"request\":{\"method\":\"GET\",\"url\":\"x\"}}",
         "its startedDateTime is not a time"},
        {"{\"startedDateTime\":\"1980-01-01T00:00:00Z\",\"request\":{\"method\":\"GET\",\"url\":"
         "\"x\"}}",
         "its startedDateTime is not a time"},
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        struct buf out = told(cases[i].entry);

        if (!strstr(out.p, cases[i].has))
            fail_msg("%s\nbecame\n%s", cases[i].entry, out.p);
        buf_finish(&out);
    }
}

/* Each part that was found: a letter and its text. */
static int note_part(void *ctx, enum har_part part, struct str text)
{
    struct buf *out = ctx;

    buf_put_byte(out, (uint8_t) "?cbe"[part]);
    buf_put_str(out, text.n ? text : STR("too large"));
    buf_put_byte(out, '\n');
    return 0;
}

static bool scan(struct str text, size_t piece_bytes, struct buf *out)
{
    struct har_scan s;

    har_scan_init(&s, note_part, out);
    while (text.n) {
        assert_int_equal(har_scan_feed(&s, str_head(text, piece_bytes)), 0);
        text = str_skip(text, piece_bytes);
    }

    bool complete = har_scan_complete(&s);
    har_scan_finish(&s);
    return complete;
}

static void entries_are_found_wherever_the_pieces_are_cut(void **state)
{
    static const struct str text = STR(
        " {\"x\":{\"log\":{\"entries\":[{\"no\":0}]}},\"entries\":[{\"no\":1}],"
        "\"log\" : {\"version\":\"1.2\",\"creator\":{\"name\":\"a\"},\"pages\":[{\"no\":2}],"
        "\"entries\":[{\"a\":\"}]{[,\\\"\",\"entries\":[{}]}, {\"b\":{\"c\":[]}},3,[{\"no\":4}]],"
        "\"_x\":{\"entries\":[{\"no\":5}]},\"browser\":{\"name\":\"\\u007d\"}}}\n");
    static const char want[] = "c{\"name\":\"a\"}\n"
                               "e{\"a\":\"}]{[,\\\"\",\"entries\":[{}]}\n"
                               "e{\"b\":{\"c\":[]}}\n"
                               "b{\"name\":\"\\u007d\"}\n";

    (void)state;
    for (size_t piece = 1; piece <= text.n; piece++) {
        struct buf out;

        buf_init(&out, 1 << 20);
        assert_true(scan(text, piece, &out));
        buf_put_byte(&out, '\0');
        assert_string_equal(out.p, want);
        buf_finish(&out);
    }
}

static void a_file_that_ends_in_the_middle_is_not_complete(void **state)
{
    static const char *const cases[] = {"{\"log\":{\"entries\":[{\"a\":1}", "{\"lo", "{"};

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        struct buf out;

        buf_init(&out, 1000);
        assert_false(scan(str_of(cases[i]), 5, &out));
        buf_finish(&out);
    }
}

static void put_repeated(struct buf *out, struct str unit, size_t bytes)
{
    for (size_t n = 0; n < bytes; n += unit.n)
        buf_put_str(out, unit);
}

/* Bodies of every kind are cut so that what is left is the JSON it was. */
static void long_strings_are_cut_to_good_json(void **state)
{
    static const struct {
        struct str unit; /* the body is made of these */
        bool is_cut;
    } cases[] = {
        {STR("plain text "), true},           {STR("\xe4\xb8\xad\xe6\x96\x87 "), true},
        {STR("\\n\\\"quoted\\\"\\\\"), true}, {STR("\\u4e2d\\u6587x"), true},
        {STR("\\ud83d\\ude00!"), true},       {STR("\\ud83d\\ude00"), false}, /* no place to cut */
        {STR("\xf0\x9f\x98\x80"), false},
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        for (size_t piece = 4093; piece <= 4096; piece++) {
            struct buf text, out;
            struct err err = {0};

            buf_init(&text, BUF_UNBOUNDED);
            buf_init(&out, BUF_UNBOUNDED);
            buf_put_str(&text, STR("{\"log\":{\"entries\":[{\"body\":\""));
            put_repeated(&text, cases[i].unit, 300000);
            buf_put_str(&text, STR("\",\"z\":1}]}}"));
            assert_true(scan(buf_str(&text), piece, &out));

            json_t *entry = json_object_in(str_trim(str_skip(buf_str(&out), 1)), &err);
            if (!entry)
                fail_msg("case %zu: %s", i, err.text);
            assert_int_equal(out.n < 100000, cases[i].is_cut);
            assert_int_equal(json_integer_value(json_object_get(entry, "z")), 1);
            json_decref(entry);
            buf_finish(&text);
            buf_finish(&out);
        }
    }
}

static void an_entry_that_is_too_large_is_told_as_such(void **state)
{
    struct buf text, out;

    (void)state;
    buf_init(&text, BUF_UNBOUNDED);
    buf_init(&out, BUF_UNBOUNDED);
    buf_put_str(&text, STR("{\"log\":{\"entries\":[{\"a\":["));
    put_repeated(&text, STR("1,"), HAR_VALUE_BYTES);
    buf_put_str(&text, STR("1]},{\"b\":2}]}}"));
    assert_true(scan(buf_str(&text), 65536, &out));
    buf_put_byte(&out, '\0');
    assert_string_equal(out.p, "etoo large\ne{\"b\":2}\n");
    buf_finish(&text);
    buf_finish(&out);
}

static void the_browser_stands_for_the_device(void **state)
{
    static const struct {
        const char *log, *client;
    } cases[] = {
        {"\"creator\":{\"name\":\"WebInspector\",\"version\":\"537.36\"}", "client=WebInspector\n"},
        {"\"creator\":{\"name\":\"Playwright\"},\"browser\":{\"name\":\"chromium\"}",
         "client=chromium\n"},
        {"\"browser\":{\"name\":\"chromium\"},\"creator\":{\"name\":\"Playwright\"}",
         "client=chromium\n"},
        {"\"version\":\"1.2\"", "client=HAR\n"},
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        struct import_report report;
        struct buf text, out;

        buf_init(&text, 10000);
        buf_init(&out, 10000);
        buf_printf(&text,
                   "{\"log\":{%s,\"entries\":[{\"startedDateTime\":\"2026-01-01T00:00:00Z\","
                   "\"request\":{\"method\":\"GET\",\"url\":\"http://h/\"}}]}}",
                   cases[i].log);
        assert_int_equal(import_text(buf_str(&text), &report, &out), 0);
        buf_put_byte(&out, '\0');
        if (!strstr(out.p, cases[i].client))
            fail_msg("%s", out.p);
        buf_finish(&text);
        buf_finish(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_becomes_what_a_watcher_would_have_seen),
        cmocka_unit_test(what_an_entry_says_is_found_in_it),
        cmocka_unit_test(entries_are_found_wherever_the_pieces_are_cut),
        cmocka_unit_test(a_file_that_ends_in_the_middle_is_not_complete),
        cmocka_unit_test(long_strings_are_cut_to_good_json),
        cmocka_unit_test(an_entry_that_is_too_large_is_told_as_such),
        cmocka_unit_test(the_browser_stands_for_the_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
