/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/unit/unit.h"

#include "base/url.h"
#include "obs/devices.h"
#include "sources/imports/intake.h"
#include "test/unit/sources/imported.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CASES(table) (sizeof(table) / sizeof *(table))

#define SQUID(at, elapsed, host)                                                                   \
    "175203035" at " " elapsed " 192.0.2.7 TCP_TUNNEL/200 1039 CONNECT " host                      \
    ":443 - HIER_DIRECT/198.51.100.4 -"

/* Imports `text`; the caller finishes what comes back, which is terminated. */
static struct buf imported(struct str text, struct import_report *ret_report, int *ret_r)
{
    struct buf out;

    buf_init(&out, 64 << 20);
    *ret_report = (struct import_report){0};
    *ret_r = import_text(text, ret_report, &out);
    buf_put_byte(&out, '\0');
    return out;
}

static void assert_imported(struct str text, const char *want)
{
    struct import_report report;
    int r;
    struct buf out = imported(text, &report, &r);

    assert_string_equal(out.p, want);
    assert_int_equal(r, 0);
    buf_finish(&out);
}

static void assert_refused(struct str text, const char *why)
{
    struct import_report report;
    int r;
    struct buf out = imported(text, &report, &r);

    assert_true(r < 0);
    if (!strstr(out.p, why))
        fail_msg("not \"%s\" but \"%s\"", why, out.p);
    buf_finish(&out);
}

static void flows_come_in_the_order_in_which_they_were_opened(void **state)
{
    struct import_report report;
    int r;
    struct buf out = imported(STR(SQUID("7.500", "100", "short.example") "\n" SQUID(
                                  "9.000", "2000", "long.example") "\n"),
                              &report, &r);
    char *after_name = strstr(out.p, "0.000 device-seen");

    (void)state;
    assert_int_equal(r, 0);
    assert_non_null(strstr(out.p, "0.000 source-started name=Squid access log text=flightstrip-"));
    assert_string_equal(after_name,
                        "0.000 device-seen @1 client=192.0.2.7\n"
                        "0.000 flow-opened #1 @1 client=192.0.2.7 host=long.example port=443 "
                        "how=connect\n"
                        "0.000 http-request #1 @1 method=CONNECT url=long.example:443 "
                        "host=long.example\n"
                        "0.000 connected #1 @1 address=198.51.100.4 port=443\n"
                        "0.000 http-response #1 @1 status=200 by=proxy\n"
                        "0.400 flow-opened #2 @1 client=192.0.2.7 host=short.example port=443 "
                        "how=connect\n"
                        "0.400 http-request #2 @1 method=CONNECT url=short.example:443 "
                        "host=short.example\n"
                        "0.400 connected #2 @1 address=198.51.100.4 port=443\n"
                        "0.400 http-response #2 @1 status=200 by=proxy\n"
                        "0.500 flow-closed #2 @1 bytes_down=1000 why=finished\n"
                        "2.000 flow-closed #1 @1 bytes_down=1000 why=finished\n"
                        "2.000 source-lost name=Squid access log text=end of the file\n");
    assert_int_equal(report.records, 2);
    assert_int_equal(report.skipped, 0);
    assert_int_equal(report.began_wall_us, 1752030357000000);
    buf_finish(&out);
}

static void the_kind_is_recognised_from_the_content(void **state)
{
    static const struct {
        const char *text, *format;
    } cases[] = {
        {SQUID("7.500", "100", "h"), "Squid access log"},
        {"\xef\xbb\xbf" SQUID("7.500", "100", "h"), "Squid access log"},
        {"the rest of a line that a rotation cut\n" SQUID("7.500", "100", "h"), "Squid access log"},
        {"# a comment\n\n" SQUID("7.500", "100", "h") "\r\n", "Squid access log"},
        {"192.0.2.7 - - [09/Jul/2025:03:05:57 +0000] \"GET http://h/ HTTP/1.1\" 200 5",
         "combined access log"},
        {"{\"log\":{\"entries\":[{\"startedDateTime\":\"2026-01-01T00:00:00Z\",\"request\":"
         "{\"method\":\"GET\",\"url\":\"http://h/\"}}]}}",
         "HAR"},
        {" \n{ \"log\" : {\"entries\":[{\"startedDateTime\":\"2026-01-01T00:00:00Z\",\"request\":"
         "{\"method\":\"GET\",\"url\":\"http://h/\"}}]}}",
         "HAR"},
        {"{\"flightstrip\":1,\"recording\":{\"began\":\"2026-01-01T00:00:00Z\"}}\n",
         "NDJSON of observations"},
        {"{\"seq\":1,\"at_us\":5,\"kind\":\"note\",\"text\":\"x\"}", "NDJSON of observations"},
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        struct import_report report;
        int r;
        struct buf out = imported(str_of(cases[i].text), &report, &r);

        if (r)
            fail_msg("%s: %s", cases[i].text, out.p);
        assert_string_equal(report.format, cases[i].format);
        buf_finish(&out);
    }
}

static void what_is_of_no_kind_is_refused_in_a_sentence(void **state)
{
    (void)state;
    assert_refused(STR(""), ": is empty; expected a Squid access log, a combined access log");
    assert_refused(STR("\n \r\n"), ": is empty; expected");
    assert_refused(STR("hello\nworld\n"), ": is of no kind that is known; expected a Squid");
    assert_refused(STR("\x00\x01\x02\xff"), ": is of no kind that is known");
    assert_refused(STR("\x1f\x8b\x08\x00"), ": is compressed with gzip: unpack it first");
    assert_refused(STR("PK\x03\x04 zip"), ": is a ZIP archive");
    assert_refused(STR("\xff\xfe"
                       "1\0"),
                   ": is UTF-16 text");
    assert_refused(STR("\xd4\xc3\xb2\xa1\x02\x00"), ": is a packet capture");
    assert_refused(STR("{\"log\":{\"entries\":[]}}"), ": this HAR tells of no traffic");
    assert_refused(STR("{\"log\":{\"entries\":[{}]}}"),
                   ": nothing in this HAR could be read; entry 1: it has no request");
    assert_refused(STR("{\"flightstrip\":2,\"recording\":{}}"), ": is version 2 of the format");
    assert_refused(STR("{\"flightstrip\":1,\"recording\":{}}"),
                   ": the header does not say when the recording began");
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct import *import = NULL;
    struct import_report report;
    struct err err = {0};

    (void)state;
    assert_true(import_open("/nonexistent/x.log", NULL, &import, &report, &err) < 0);
    assert_string_equal(err.text, "/nonexistent/x.log: cannot open: No such file or directory");
    assert_true(import_open("/tmp", NULL, &import, &report, &err) < 0);
    assert_string_equal(err.text, "/tmp: cannot read: Is a directory");
}

static void a_line_that_cannot_be_read_is_counted_and_skipped(void **state)
{
    struct import_report report;
    struct buf text;
    int r;

    (void)state;
    buf_init(&text, BUF_UNBOUNDED);
    buf_put_str(&text, STR(SQUID("7.500", "100", "one.example") "\n\n"));
    buf_put_str(&text, STR("garbage \xff\xfe\r\n"));
    for (size_t i = 0; i < (1 << 20); i++) /* many times what is kept of a line */
        buf_put_byte(&text, 'x');
    buf_put_str(&text, STR("\nNUL \0 in the middle\n"));
    buf_put_str(&text, STR(SQUID("7.600", "100", "two.example")));

    struct buf out = imported(buf_str(&text), &report, &r);
    assert_int_equal(r, 0);
    assert_int_equal(report.records, 5);
    assert_int_equal(report.skipped, 3);
    assert_int_equal(report.first_bad, 3);
    assert_string_equal(report.first_bad_why, "it does not begin with a time");
    assert_non_null(strstr(out.p, "host=one.example"));
    assert_non_null(strstr(out.p, "host=two.example"));
    buf_finish(&out);
    buf_finish(&text);
}

/* Lines around the place where a piece of the file ends, of every length around the ceiling. */
static void lines_are_cut_at_line_ends_alone(void **state)
{
    static const size_t lengths[] = {0, 1, 99, 100, 101, 200, 262143, 262144, 262145, 5, 600000, 3};
    struct buf text;

    (void)state;
    buf_init(&text, BUF_UNBOUNDED);
    for (size_t i = 0; i < CASES(lengths); i++) {
        for (size_t k = 0; k < lengths[i]; k++)
            buf_put_byte(&text, (uint8_t)('a' + i));
        buf_put_str(&text, i % 2 ? STR("\r\n") : STR("\n"));
    }
    buf_put_str(&text, STR("last"));

    char *path = file_with(buf_str(&text));
    struct intake in;
    struct str line, head;
    bool too_long;

    assert_int_equal(intake_open(&in, path, NULL, NULL), 0);
    assert_int_equal(intake_head(&in, &head, NULL), 0);
    for (size_t i = 0; i < CASES(lengths); i++) {
        /* a CR counts as one of the 100 */
        bool is_long = lengths[i] + i % 2 > 100;

        assert_int_equal(intake_line(&in, 100, &line, &too_long, NULL), 1);
        assert_int_equal(too_long, is_long);
        assert_int_equal(line.n, is_long ? 0 : lengths[i]);
        for (size_t k = 0; k < line.n; k++)
            assert_int_equal(line.p[k], 'a' + (char)i);
    }
    assert_int_equal(intake_line(&in, 100, &line, &too_long, NULL), 1);
    assert_true(str_eq(line, STR("last")));
    assert_int_equal(intake_line(&in, 100, &line, &too_long, NULL), 0);
    assert_int_equal(in.done, text.n);
    intake_close(&in);
    unlink(path);
    free(path);
    buf_finish(&text);
}

static void a_recording_as_ndjson_keeps_what_it_was(void **state)
{
    (void)state;
    assert_imported(
        STR("{\"flightstrip\":1,\"recording\":{\"began\":\"2026-01-01T00:00:00.000001Z\"}}\n"
            "{\"seq\":1,\"at_us\":0,\"kind\":\"source-started\",\"source\":\"proxy\",\"name\":"
            "\"proxy\"}\n"
            "{\"seq\":2,\"at_us\":5000,\"kind\":\"device-seen\",\"source\":\"proxy\",\"device\":4,"
            "\"client\":\"192.0.2.7\",\"name\":\"Desk\"}\n"
            "{\"seq\":3,\"at_us\":5000,\"kind\":\"flow-opened\",\"source\":\"proxy\",\"device\":4,"
            "\"flow\":2,\"client\":\"192.0.2.7:999\",\"host\":\"h\",\"port\":443,\"how\":"
            "\"connect\",\"later\":[1]}\n"
            "{\"seq\":4,\"at_us\":6000,\"kind\":\"http-request\",\"source\":\"proxy\",\"device\":4,"
            "\"flow\":2,\"method\":\"GET\",\"url\":\"http://u:p@h/?t=secret\"}\n"
            "{\"seq\":5,\"at_us\":7000,\"kind\":\"flow-closed\",\"source\":\"proxy\",\"device\":4,"
            "\"flow\":2,\"bytes_up\":1,\"bytes_down\":2,\"why\":\"a-newer-reason\"}\n"
            "{\"seq\":6,\"at_us\":8000,\"kind\":\"note\",\"source\":\"person\",\"text\":\"a\\u0000"
            "b\"}\n"),
        "0.000 source-started name=proxy\n"
        "0.005 device-seen @1 client=192.0.2.7 name=Desk\n"
        "0.005 flow-opened #2 @1 client=192.0.2.7:999 host=h port=443 how=connect\n"
        "0.006 http-request #2 @1 method=GET url=http://h/?t=*\n"
        "0.007 flow-closed #2 @1 bytes_up=1 bytes_down=2 why=unknown\n"
        "0.008 note text=a");
}

static void a_bad_observation_is_counted_and_skipped(void **state)
{
    static const struct {
        const char *line, *why;
    } cases[] = {
        {"{\"at_us\":1,\"kind\":\"news\"}", "there is no kind of observation named 'news'"},
        {"{\"at_us\":-1,\"kind\":\"note\"}", "\"at_us\" is not a time in microseconds"},
        {"{\"at_us\":99999999999999999,\"kind\":\"note\"}",
         "\"at_us\" is not a time in microseconds"},
        {"{\"at_us\":1.5,\"kind\":\"note\"}", "\"at_us\" is not a time in microseconds"},
        {"{\"at_us\":1,\"kind\":\"note\",\"device\":5000000000}",
         "\"device\" or \"flow\" is too large"},
        {"[1]", "it is not a JSON object"},
        {"{\"at_us\":", "column 9: "},
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        struct import_report report;
        struct buf text;
        int r;

        buf_init(&text, 4096);
        buf_printf(&text, "{\"at_us\":1,\"kind\":\"note\",\"text\":\"x\"}\n%s\n", cases[i].line);

        struct buf out = imported(buf_str(&text), &report, &r);
        assert_int_equal(r, 0);
        assert_int_equal(report.skipped, 1);
        assert_int_equal(report.first_bad, 2);
        if (!str_starts(str_of(report.first_bad_why), str_of(cases[i].why)))
            fail_msg("%s: %s", cases[i].line, report.first_bad_why);
        buf_finish(&out);
        buf_finish(&text);
    }
}

static void count(void *ctx, const struct obs *o)
{
    uint64_t *counts = ctx;

    counts[o->kind]++;
}

static void the_real_log_of_a_windows_server_gives_its_seventeen_flows(void **state)
{
    const char *shared = getenv("FLIGHTSTRIP_SHARED");
    uint64_t counts[OBS_KINDS] = {0};
    struct import *import = NULL;
    struct import_report report;
    struct stream stream;
    struct devices devices;
    char path[4096];

    (void)state;
    snprintf(path, sizeof path, "%s/captures/proxylog--squid-windows-server-2025.log",
             shared ? shared : "../shared");
    if (access(path, R_OK)) {
        print_message("skipped: %s is not there\n", path);
        skip();
    }
    stream_init(&stream, NULL);
    stream_add_sink(&stream, count, counts);
    devices_init(&devices);
    stream_use_devices(&stream, &devices);
    assert_int_equal(import_open(path, NULL, &import, &report, NULL), 0);
    assert_int_equal(import_emit(import, &stream, NULL), 0);
    assert_int_equal(report.records, 17);
    assert_int_equal(report.skipped, 0);
    assert_int_equal(counts[OBS_DEVICE_SEEN], 1);
    assert_int_equal(counts[OBS_FLOW_OPENED], 17);
    assert_int_equal(counts[OBS_FLOW_CLOSED], 17);
    assert_int_equal(counts[OBS_CONNECT_FAILED], 2); /* NCSI over IPv6 */
    assert_int_equal(counts[OBS_CONNECTED], 14);     /* all others but a tunnel that stayed empty */
    import_close(import);
    devices_finish(&devices);
}

static void put_log_line(struct buf *text, unsigned i)
{
    buf_printf(text,
               "%u.%03u %u 192.0.2.%u TCP_MISS/200 %u GET http://host%u.example/file%u?q=%u - "
               "HIER_DIRECT/198.51.100.%u text/plain\n",
               1752030357 + i / 100, i * 7 % 1000, i * 31 % 60000, i % 250, i, i % 1000, i, i,
               i % 250);
}

struct in_order {
    uint64_t last_us, last_flow, opened, closed;
};

static void check_in_order(void *ctx, const struct obs *o)
{
    struct in_order *c = ctx;

    assert_true(o->at_us >= c->last_us);
    c->last_us = o->at_us;
    if (o->kind == OBS_FLOW_OPENED)
        assert_int_equal(o->flow, ++c->opened);
    c->closed += o->kind == OBS_FLOW_CLOSED;
}

static size_t resident_kib(void)
{
    unsigned long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%lu %lu", &pages, &resident), 2);
    fclose(f);
    return resident * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

/* The sanitizers keep what was freed, and shadow what was not. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { ALLOWED_KIB = 1024 * 1024 };
#else
enum { ALLOWED_KIB = 64 * 1024 };
#endif

/* 300,000 lines are 1.5 million observations, 120 MB of them: several times what is held. */
static void a_large_log_goes_through_in_bounded_memory(void **state)
{
    enum { LINES = 300000 };
    struct in_order c = {0};
    struct import *import = NULL;
    struct import_report report;
    struct stream stream;
    struct devices devices;
    struct buf text;

    (void)state;
    buf_init(&text, BUF_UNBOUNDED);
    for (unsigned i = 0; i < LINES; i++)
        put_log_line(&text, i);
    char *path = file_with(buf_str(&text));
    buf_finish(&text);

    size_t before_kib = resident_kib();
    stream_init(&stream, NULL);
    stream_add_sink(&stream, check_in_order, &c);
    devices_init(&devices);
    stream_use_devices(&stream, &devices);
    assert_int_equal(import_open(path, NULL, &import, &report, NULL), 0);
    assert_int_equal(import_emit(import, &stream, NULL), 0);
    assert_int_equal(report.skipped, 0);
    assert_int_equal(c.opened, LINES);
    assert_int_equal(c.closed, LINES);
    assert_true(resident_kib() < before_kib + ALLOWED_KIB);
    import_close(import);
    devices_finish(&devices);
    unlink(path);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flows_come_in_the_order_in_which_they_were_opened),
        cmocka_unit_test(the_kind_is_recognised_from_the_content),
        cmocka_unit_test(what_is_of_no_kind_is_refused_in_a_sentence),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(a_line_that_cannot_be_read_is_counted_and_skipped),
        cmocka_unit_test(lines_are_cut_at_line_ends_alone),
        cmocka_unit_test(a_recording_as_ndjson_keeps_what_it_was),
        cmocka_unit_test(a_bad_observation_is_counted_and_skipped),
        cmocka_unit_test(the_real_log_of_a_windows_server_gives_its_seventeen_flows),
        cmocka_unit_test(a_large_log_goes_through_in_bounded_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
