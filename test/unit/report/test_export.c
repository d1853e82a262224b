/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/unit/unit.h"

#include "report/export.h"
#include "test/unit/sources/imported.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define CASES(table) (sizeof(table) / sizeof *(table))
#define BEGAN_US 1767225600123456ull /* 2026-01-01T00:00:00.123456Z */

static bool holds(const struct buf *b, const char *text)
{
    return str_search(buf_str(b), str_of(text)) < b->n;
}

/* A run as the proxy sees it: a tunnel, a download, what went wrong, and one that is still open. */
static const struct obs run[] = {
    {.kind = OBS_SOURCE_STARTED, .source = SOURCE_PROXY, .name = STR("proxy"), .text = STR("8080")},
    {.kind = OBS_DEVICE_SEEN,
     .source = SOURCE_PROXY,
     .at_us = 1000000,
     .device = 1,
     .client = STR("192.0.2.7"),
     .name = STR("Desk")},
    {.kind = OBS_FLOW_OPENED,
     .at_us = 1000000,
     .flow = 1,
     .device = 1,
     .client = STR("192.0.2.7:50000"),
     .host = STR("login.example"),
     .port = 443,
     .how = HOW_CONNECT},
    {.kind = OBS_HTTP_REQUEST,
     .at_us = 1000000,
     .flow = 1,
     .device = 1,
     .method = STR("CONNECT"),
     .url = STR("login.example:443"),
     .host = STR("login.example"),
     .user_agent = STR("Agent/1")},
    {.kind = OBS_NAME_RESOLVED,
     .at_us = 1010000,
     .flow = 1,
     .device = 1,
     .addresses = STR("198.51.100.1 198.51.100.2"),
     .ms = 10},
    {.kind = OBS_CONNECTED,
     .at_us = 1030000,
     .flow = 1,
     .device = 1,
     .address = STR("198.51.100.1"),
     .port = 443,
     .ms = 20},
    {.kind = OBS_TLS_HELLO, .at_us = 1040000, .flow = 1, .device = 1, .sni = STR("login.example")},
    {.kind = OBS_FLOW_OPENED,
     .at_us = 2000000,
     .flow = 2,
     .device = 1,
     .client = STR("192.0.2.7:50001"),
     .host = STR("cdn.example"),
     .port = 80,
     .how = HOW_ABSOLUTE},
    {.kind = OBS_HTTP_REQUEST,
     .at_us = 2000000,
     .flow = 2,
     .device = 1,
     .method = STR("GET"),
     .url = STR("http://cdn.example/a,b.cab?x=*"),
     .host = STR("cdn.example"),
     .user_agent = STR("=cmd|'/c calc'!A0")},
    {.kind = OBS_FLOW_OPENED,
     .at_us = 2500000,
     .flow = 3,
     .device = 1,
     .client = STR("192.0.2.7:50002"),
     .host = STR("gone.example"),
     .port = 443,
     .how = HOW_CONNECT},
    {.kind = OBS_NAME_FAILED,
     .at_us = 2600000,
     .flow = 3,
     .device = 1,
     .error = STR("no such name"),
     .ms = 100},
    {.kind = OBS_FLOW_CLOSED, .at_us = 2600000, .flow = 3, .device = 1, .why = WHY_NAME_FAILED},
    {.kind = OBS_CONNECTED,
     .at_us = 2700000,
     .flow = 2,
     .device = 1,
     .address = STR("2001:db8::1"),
     .port = 80},
    {.kind = OBS_HTTP_RESPONSE,
     .at_us = 3000000,
     .flow = 2,
     .device = 1,
     .status = 206,
     .content_type = STR("text/html; charset=\"utf-8\""),
     .length = 500,
     .by = BY_SERVER},
    {.kind = OBS_FLOW_CLOSED,
     .at_us = 4000000,
     .flow = 2,
     .device = 1,
     .bytes_up = 300,
     .bytes_down = 700,
     .why = WHY_FINISHED},
    {.kind = OBS_FLOW_OPENED,
     .at_us = 4100000,
     .flow = 4,
     .device = 1,
     .client = STR("192.0.2.7:50003"),
     .host = STR("push.example"),
     .port = 443,
     .how = HOW_CONNECT},
    {.kind = OBS_FLOW_CLOSED,
     .at_us = 5000000,
     .flow = 1,
     .device = 1,
     .bytes_up = 1000,
     .bytes_down = 5000,
     .why = WHY_DEVICE_CLOSED},
    {.kind = OBS_NOTE, .source = SOURCE_PERSON, .at_us = 6000000, .text = STR("signed \"in\"\n")},
};

static void export_run(const struct export_format *format, struct buf *out)
{
    void *exporter = format->create(out, BEGAN_US);

    for (size_t i = 0; i < CASES(run); i++) {
        struct obs o = run[i];

        o.seq = i + 1;
        o.source = o.source ? o.source : SOURCE_PROXY;
        format->put(exporter, &o);
    }
    format->finish(exporter);
}

static struct buf exported(const struct export_format *format)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    export_run(format, &out);
    assert_false(out.full);
    buf_put_byte(&out, '\0');
    return out;
}

static void csv_has_a_line_for_each_flow(void **state)
{
    struct buf out = exported(&export_csv);

    (void)state;
    assert_string_equal(
        out.p,
        "started,duration_ms,flow,device,client,how,method,host,port,url,status,content_type,"
        "address,sni,bytes_up,bytes_down,why,error,user_agent\r\n"
        "2026-01-01T00:00:02.623Z,100,3,1,192.0.2.7:50002,connect,,gone.example,443,,,,,,0,0,"
        "name-failed,\"no such name\",\r\n"
        "2026-01-01T00:00:02.123Z,2000,2,1,192.0.2.7:50001,absolute-form,GET,cdn.example,80,"
        "\"http://cdn.example/a,b.cab?x=*\",206,\"text/html; charset=\"\"utf-8\"\"\",2001:db8::1,,"
        "300,700,finished,,\"'=cmd|'/c calc'!A0\"\r\n"
        "2026-01-01T00:00:01.123Z,4000,1,1,192.0.2.7:50000,connect,CONNECT,login.example,443,"
        "login.example:443,200,,198.51.100.1,login.example,1000,5000,device-closed,,Agent/1\r\n"
        "2026-01-01T00:00:04.223Z,1900,4,1,192.0.2.7:50003,connect,,push.example,443,,,,,,0,0,"
        "open,,\r\n");
    buf_finish(&out);
}

static void csv_takes_no_formula_from_a_stranger(void **state)
{
    static const struct {
        struct str agent;
        const char *cell;
    } cases[] = {
        {STR("+1"), ",\"'+1\"\r\n"},
        {STR("-1"), ",\"'-1\"\r\n"},
        {STR("@SUM(A1)"), ",\"'@SUM(A1)\"\r\n"},
        {STR("\t=1"), ",\"'\xef\xbf\xbd=1\"\r\n"},
        {STR("a\r\n=1"), "a\xef\xbf\xbd\xef\xbf\xbd=1\r\n"},
        {STR("\xff"), ",\xef\xbf\xbd\r\n"},
        {STR("a=1"), ",a=1\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        struct buf out;

        buf_init(&out, 10000);
        void *exporter = export_csv.create(&out, 0);
        export_csv.put(
            exporter,
            &(struct obs){.kind = OBS_HTTP_REQUEST, .flow = 1, .user_agent = cases[i].agent});
        export_csv.finish(exporter);
        if (!str_ends(buf_str(&out), str_of(cases[i].cell)))
            fail_msg("case %zu: " STR_FMT, i, STR_ARG(buf_str(&out)));
        buf_finish(&out);
    }
}

static void a_squid_log_has_what_squid_would_have_written(void **state)
{
    struct buf out = exported(&export_squid);

    (void)state;
    assert_string_equal(
        out.p,
        "1767225602.723    100 192.0.2.7 NONE_NONE/503 0 CONNECT gone.example:443 - HIER_NONE/- "
        "-\n"
        "1767225604.123   2000 192.0.2.7 TCP_MISS/206 700 GET http://cdn.example/a,b.cab?x=* - "
        "HIER_DIRECT/2001:db8::1 text/html\n"
        "1767225605.123   4000 192.0.2.7 TCP_TUNNEL/200 5039 CONNECT login.example:443 - "
        "HIER_DIRECT/198.51.100.1 -\n");
    buf_finish(&out);
}

static void a_squid_log_says_how_each_flow_ended(void **state)
{
    static const struct {
        enum flow_how how;
        enum flow_why why;
        uint64_t status;
        const char *address, *has;
    } cases[] = {
        {HOW_CONNECT, WHY_BLOCKED, 403, "", "TCP_DENIED/403 0 CONNECT h:443 - HIER_NONE/- -"},
        {HOW_CONNECT, WHY_REFUSED, 0, "", "TCP_DENIED/403 0 CONNECT"},
        {HOW_ABSOLUTE, WHY_AUTHENTICATION, 407, "", "TCP_DENIED/407 0 GET http://h/ - HIER_NONE/-"},
        {HOW_CONNECT, WHY_CONNECT_FAILED, 502, "192.0.2.9",
         "NONE_NONE/503 0 CONNECT h:443 - HIER_DIRECT/192.0.2.9"},
        {HOW_ABSOLUTE, WHY_DEVICE_ABORTED, 0, "192.0.2.9", "TCP_MISS_ABORTED/000 0 GET"},
        {HOW_ABSOLUTE, WHY_TIMEOUT, 504, "192.0.2.9", "TCP_MISS_TIMEDOUT/504 0 GET"},
        {HOW_CONNECT, WHY_UPSTREAM_FAILED, 502, "192.0.2.9", " FIRSTUP_PARENT/- "},
        {HOW_CONNECT, WHY_SERVER_RESET, 0, "192.0.2.9", "TCP_TUNNEL/200 39 CONNECT"},
        {HOW_ABSOLUTE, WHY_FINISHED, 404, "192.0.2.9", "TCP_MISS/404 0 GET"},
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        bool reached = cases[i].why != WHY_CONNECT_FAILED;
        struct buf out;

        buf_init(&out, 10000);
        void *exporter = export_squid.create(&out, BEGAN_US);
        export_squid.put(exporter, &(struct obs){.kind = OBS_FLOW_OPENED,
                                                 .flow = 1,
                                                 .client = STR("192.0.2.7:5"),
                                                 .host = STR("h"),
                                                 .port = 443,
                                                 .how = cases[i].how});
        if (cases[i].how == HOW_ABSOLUTE)
            export_squid.put(exporter, &(struct obs){.kind = OBS_HTTP_REQUEST,
                                                     .flow = 1,
                                                     .method = STR("GET"),
                                                     .url = STR("http://h/")});
        if (cases[i].address[0])
            export_squid.put(exporter,
                             &(struct obs){.kind = reached ? OBS_CONNECTED : OBS_CONNECT_FAILED,
                                           .flow = 1,
                                           .address = str_of(cases[i].address)});
        if (cases[i].status)
            export_squid.put(
                exporter,
                &(struct obs){.kind = OBS_HTTP_RESPONSE, .flow = 1, .status = cases[i].status});
        export_squid.put(exporter,
                         &(struct obs){.kind = OBS_FLOW_CLOSED, .flow = 1, .why = cases[i].why});
        export_squid.finish(exporter);
        buf_put_byte(&out, '\0');
        if (!holds(&out, cases[i].has))
            fail_msg("not %s: %s", cases[i].has, out.p);
        buf_finish(&out);
    }
}

static void nothing_in_a_squid_log_forges_a_line(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 10000);
    void *exporter = export_squid.create(&out, BEGAN_US);
    export_squid.put(exporter, &(struct obs){.kind = OBS_FLOW_OPENED,
                                             .flow = 1,
                                             .client = STR("a b"),
                                             .host = STR("h"),
                                             .port = 80,
                                             .how = HOW_ABSOLUTE});
    export_squid.put(exporter, &(struct obs){.kind = OBS_HTTP_REQUEST,
                                             .flow = 1,
                                             .method = STR("GE\tT"),
                                             .url = STR("http://h/\n1 2\xff\x1b[2J")});
    export_squid.put(exporter, &(struct obs){.kind = OBS_FLOW_CLOSED, .flow = 1});
    export_squid.finish(exporter);
    assert_true(holds(&out, " a%20b "));
    assert_true(holds(&out, " GE%09T http://h/%0A1%202%FF%1B[2J - "));
    assert_int_equal(str_find(buf_str(&out), '\n'), out.n - 1);
    buf_finish(&out);
}

static const json_t *entry_for(const json_t *har, const char *url)
{
    const json_t *entries = json_object_get(json_object_get(har, "log"), "entries"), *entry;
    size_t i;

    json_array_foreach(entries, i, entry)
    {
        const json_t *request = json_object_get(entry, "request");

        if (strcmp(json_string_value(json_object_get(request, "url")), url) == 0)
            return entry;
    }
    fail_msg("there is no entry for %s", url);
    return NULL;
}

static double timing(const json_t *entry, const char *name)
{
    return json_number_value(json_object_get(json_object_get(entry, "timings"), name));
}

/* HAR 1.2: what an entry must have, and timings that add up to the time. */
static void assert_valid_entry(const json_t *entry)
{
    static const char *const parts[] = {"blocked", "dns", "connect", "send", "wait", "receive"};
    static const char *const in_request[] = {"method",  "url",         "httpVersion", "cookies",
                                             "headers", "queryString", "headersSize", "bodySize"};
    static const char *const in_response[] = {"status",      "statusText",  "httpVersion",
                                              "cookies",     "headers",     "content",
                                              "redirectURL", "headersSize", "bodySize"};
    const json_t *request = json_object_get(entry, "request");
    const json_t *response = json_object_get(entry, "response");
    double sum = 0;

    for (size_t i = 0; i < CASES(parts); i++)
        sum += timing(entry, parts[i]) > 0 ? timing(entry, parts[i]) : 0;
    assert_float_equal(sum, json_number_value(json_object_get(entry, "time")), 0.002);
    for (size_t i = 0; i < CASES(in_request); i++)
        assert_non_null(json_object_get(request, in_request[i]));
    for (size_t i = 0; i < CASES(in_response); i++)
        assert_non_null(json_object_get(response, in_response[i]));
    assert_non_null(json_object_get(entry, "startedDateTime"));
    assert_non_null(json_object_get(entry, "cache"));
}

static void a_har_is_a_valid_one(void **state)
{
    struct buf out = exported(&export_har);
    json_error_t error;
    json_t *har = json_loads(out.p, JSON_REJECT_DUPLICATES, &error);
    const json_t *entries, *entry;
    size_t i;

    (void)state;
    if (!har)
        fail_msg("%s", error.text);
    entries = json_object_get(json_object_get(har, "log"), "entries");
    assert_int_equal(json_array_size(entries), 4);
    json_array_foreach(entries, i, entry) assert_valid_entry(entry);

    entry = entry_for(har, "https://login.example:443/");
    assert_float_equal(timing(entry, "dns"), 10, 0.001);
    assert_float_equal(timing(entry, "connect"), 20, 0.001);
    assert_float_equal(timing(entry, "receive"), 3970, 0.001);
    assert_string_equal(json_string_value(json_object_get(entry, "startedDateTime")),
                        "2026-01-01T00:00:01.123Z");
    assert_non_null(json_object_get(entry, "comment"));
    json_decref(har);
    buf_finish(&out);
}

static void an_empty_recording_is_an_empty_har(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 10000);
    export_har.finish(export_har.create(&out, 0));

    json_t *har = json_loadb(out.p, out.n, 0, NULL);
    assert_non_null(har);
    json_decref(har);
    buf_finish(&out);
}

static void ndjson_comes_back_as_it_was(void **state)
{
    struct buf out, want, got;
    struct import_report report;

    (void)state;
    buf_init(&out, 1 << 20);
    buf_init(&want, 1 << 20);
    buf_init(&got, 1 << 20);
    export_run(&export_ndjson, &out);
    for (size_t i = 0; i < CASES(run); i++)
        describe(&want, &run[i]);
    assert_int_equal(import_text(buf_str(&out), &report, &got), 0);
    buf_put_byte(&want, '\0');
    buf_put_byte(&got, '\0');
    assert_string_equal(got.p, want.p);
    assert_int_equal(report.began_wall_us, BEGAN_US);
    assert_int_equal(report.skipped, 0);
    buf_finish(&out);
    buf_finish(&want);
    buf_finish(&got);
}

/* What is lost on the way differs, but not where it went, when, and how it ended. */
static void a_log_and_a_har_come_back_as_the_same_flows(void **state)
{
    static const struct {
        const struct export_format *format;
        const char *has[6];
    } cases[] = {
        {&export_squid,
         {"0.000 flow-opened #1 @1 client=192.0.2.7 host=login.example port=443 how=connect\n",
          "1.000 flow-opened #2 @1 client=192.0.2.7 host=cdn.example port=80 how=absolute-form\n",
          "1.600 name-failed #3", "1.600 flow-closed #3 @1 why=name-failed\n",
          "3.000 flow-closed #2 @1 bytes_down=700 why=finished\n",
          "4.000 flow-closed #1 @1 bytes_down=5000 why=finished\n"}},
        {&export_har,
         {"0.000 flow-opened #1 @1 client=192.0.2.7 host=login.example port=443 how=connect\n",
          "1.000 flow-opened #2 @1 client=192.0.2.7 host=cdn.example port=80 how=direct\n",
          "0.030 connected #1", "1.600 name-failed #3 @1 error=no such name\n",
          "3.000 flow-closed #2 @1 bytes_down=700 why=finished\n",
          "4.000 flow-closed #1 @1 bytes_down=5000 why=device-closed\n"}},
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        struct buf out, got;
        struct import_report report;

        buf_init(&out, 1 << 20);
        buf_init(&got, 1 << 20);
        export_run(cases[i].format, &out);
        assert_int_equal(import_text(buf_str(&out), &report, &got), 0);
        buf_put_byte(&got, '\0');
        assert_int_equal(report.skipped, 0);
        for (size_t k = 0; k < CASES(cases[i].has); k++)
            if (!holds(&got, cases[i].has[k]))
                fail_msg("%s: not %s:\n%s", cases[i].format->name, cases[i].has[k], got.p);
        buf_finish(&out);
        buf_finish(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_has_a_line_for_each_flow),
        cmocka_unit_test(csv_takes_no_formula_from_a_stranger),
        cmocka_unit_test(a_squid_log_has_what_squid_would_have_written),
        cmocka_unit_test(a_squid_log_says_how_each_flow_ended),
        cmocka_unit_test(nothing_in_a_squid_log_forges_a_line),
        cmocka_unit_test(a_har_is_a_valid_one),
        cmocka_unit_test(an_empty_recording_is_an_empty_har),
        cmocka_unit_test(ndjson_comes_back_as_it_was),
        cmocka_unit_test(a_log_and_a_har_come_back_as_the_same_flows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
