/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writers, on strips made by hand, with texts that try to be more than text. */
#include "report/report.h"

#include "test/unit/unit.h"

#include <jansson.h>
#include <string.h>

#define HOSTILE "\x1b]0;x\x07<b>|`*[a](http://e.example)\r\n=1+1,\"\xff"

static struct strip_phase phases[] = {
    {STR("net"), STR("Network"), 0, 2000000, false, CONFIDENCE_SEEN},
    {STR("profile"), STR("Autopilot profile"), 2000000, 9500000, true, CONFIDENCE_INFERRED},
};
static struct strip_moment moments[] = {
    {STR("first-traffic"),
     0,
     STR("First sign of life"),
     STR("The device has a network."),
     STR("net"),
     CONFIDENCE_SEEN,
     {1, 1, {7}}},
    {STR("reboot"),
     3661000000,
     STR(HOSTILE),
     STR("=HYPERLINK(\"x\")"),
     {0},
     CONFIDENCE_INFERRED,
     {12, 2, {8, 9}}},
    {STR("summary"),
     3662000000,
     STR("The end"),
     STR("It took an hour."),
     {0},
     CONFIDENCE_SEEN,
     {0, 0, {0}}},
};
static struct strip_service services[] = {
    {STR("device-identity"), 3, 1, 2000, 64000000, 1000000, 9000000, 2500000},
};
static struct strip_finding findings[] = {
    {STR("host-blocked"),
     SEVERITY_ERROR,
     4000000,
     STR("login is blocked"),
     STR("A proxy refuses."),
     STR("Allow it."),
     CONFIDENCE_SEEN,
     {4, 1, {11}}},
};
static struct strip_coverage coverage[] = {
    {STR("proxy"), 0, 5000000, false},
    {STR("proxy"), 5000000, 6000000, true},
};
static const struct strip strip = {
    .device = 1,
    .id = STR("device-1"),
    .name = STR(HOSTILE),
    .address = STR("192.0.2.7"),
    .scenario = STR("user-driven"),
    .scenario_title = STR("User-driven"),
    .scenario_confidence = CONFIDENCE_INFERRED,
    .outcome = STR("in-progress"),
    .outcome_why = STR("It goes on."),
    .start_us = 0,
    .end_us = 10000000,
    .unattributed_us = 500000,
    .flows = 3,
    .bytes_up = 2000,
    .bytes_down = 64000000,
    .phases = phases,
    .moments = moments,
    .services = services,
    .findings = findings,
    .coverage = coverage,
    .phase_count = 2,
    .moment_count = 3,
    .service_count = 1,
    .finding_count = 1,
    .coverage_count = 2,
};
static const struct report_flow flows[] = {
    {.flow = 5,
     .opened_us = 1000000,
     .ended_us = 1500000,
     .host = STR("login.example"),
     .port = 443,
     .service = STR("device-identity"),
     .bytes_up = 10,
     .bytes_down = 20,
     .why = STR("finished")},
    {.flow = 6,
     .opened_us = 3663000000,
     .ended_us = 3664000000,
     .is_open = true,
     .host = STR(HOSTILE),
     .port = 80},
};
static const struct report_device device = {&strip, flows, 2};
static const struct report report = {
    .name = STR(HOSTILE),
    .kind = STR("recording"),
    .began_wall_us = 1763923140000000,
    .duration_us = 3664000000,
    .devices = &device,
    .device_count = 1,
    .traffic = true,
};

static struct str written(report_writer *writer, struct buf *out, size_t n)
{
    const struct report both[] = {report, report};

    buf_init(out, BUF_UNBOUNDED);
    writer(out, both, n);
    return buf_str(out);
}

static bool has(struct str text, const char *part)
{
    return str_search(text, str_of(part)) < text.n;
}

static void no_format_lets_a_control_character_through(void **state)
{
    static report_writer *const writers[] = {report_text, report_markdown, report_json,
                                             report_ndjson, report_csv};

    (void)state;
    for (size_t i = 0; i < sizeof writers / sizeof *writers; i++) {
        struct buf out;
        struct str text = written(writers[i], &out, 2);

        assert_true(text.n > 100);
        for (size_t k = 0; k < text.n; k++)
            assert_true((uint8_t)text.p[k] >= 0x20 || text.p[k] == '\n' || text.p[k] == '\r');
        assert_false(has(text, "\xff"));
        buf_finish(&out);
    }
}

static void text_reads_from_the_first_moment_to_the_summary(void **state)
{
    struct buf out;
    struct str text = written(report_text, &out, 1);
    static const char *const order[] = {
        "recording, from 2025-11-23 18:39:00 UTC, 1 h 01 min",
        "192.0.2.7",
        "  scenario  User-driven (inferred)\n",
        "  outcome   in progress: It goes on.\n",
        "  00:00  First sign of life  [1]\n         The device has a network.\n",
        "  00:01  \xc2\xb7 login.example:443, 10 bytes up, 20 bytes down, 500 ms\n",
        "  1:01:01  ",
        "  (inferred)  [12]\n",
        "still open\n",
        "Where the time went\n  00:00  Network                          2 s\n",
        "7 s, not ended  (inferred)\n",
        "nothing explains                 500 ms\n",
        "device-identity              3      1      64 MB     2.0 kB    00:01    00:09\n",
        "  00:04  error: login is blocked  [4]\n         A proxy refuses.\n         → Allow it.\n",
        "Not recorded\n  00:05  proxy, for 1 s\n",
        "Summary\n  It took an hour.\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        size_t at = str_search(text, str_of(order[i]));

        if (at == text.n)
            fail_msg("not there, or not in its place: %s", order[i]);
        text = str_skip(text, at + strlen(order[i]));
    }
    assert_int_equal(text.n, 0);
    buf_finish(&out);
}

static void colour_is_there_only_when_it_is_wanted(void **state)
{
    struct report coloured = report;
    struct buf out;

    (void)state;
    coloured.look = (struct look){.terminal = true, .colour = true, .width = 80};
    buf_init(&out, BUF_UNBOUNDED);
    report_text(&out, &coloured, 1);
    assert_true(has(buf_str(&out), "\033[1m"));
    assert_true(has(buf_str(&out), "\033[0m"));
    assert_false(has(buf_str(&out), "\033]"));
    buf_finish(&out);
}

static void markdown_shows_markup_as_text(void **state)
{
    struct buf out;
    struct str text = written(report_markdown, &out, 1);

    (void)state;
    assert_true(has(text, "\\<b\\>\\|\\`\\*\\[a\\](http\\://e.example)"));
    assert_false(has(text, "<b>"));
    assert_true(has(text, "- **00:00** **First sign of life**: The device has a network.\n"));
    assert_true(has(text, "*(inferred)*: \\=HYPERLINK"));
    assert_true(has(text, "| 00:02 | Autopilot profile *(inferred)* | 7 s, not ended |\n"));
    assert_true(has(text, "  *What to do:* Allow it.\n"));
    buf_finish(&out);
}

static void json_holds_what_went_in(void **state)
{
    struct buf out;
    struct str text = written(report_json, &out, 1);
    json_t *root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    json_t *one = json_array_get(json_object_get(root, "devices"), 0);
    json_t *second = json_array_get(json_object_get(one, "moments"), 1);

    (void)state;
    assert_non_null(root);
    assert_int_equal(json_integer_value(json_object_get(root, "flightstrip")), REPORT_SCHEMA);
    assert_int_equal(json_integer_value(json_object_get(second, "at_ms")), 3661000);
    assert_int_equal(json_integer_value(json_object_get(second, "evidence_count")), 12);
    assert_int_equal(json_array_size(json_object_get(second, "evidence")), 2);
    assert_true(json_is_null(json_object_get(second, "phase")));
    assert_string_equal(json_string_value(json_object_get(second, "says")), "=HYPERLINK(\"x\")");
    assert_int_equal(json_integer_value(json_object_get(one, "unattributed_ms")), 500);
    assert_int_equal(json_array_size(json_object_get(one, "flows")), 2);
    json_decref(root);
    buf_finish(&out);
}

static void several_reports_are_one_document(void **state)
{
    struct buf out;
    struct str text = written(report_json, &out, 2);
    json_t *root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);

    (void)state;
    assert_int_equal(json_array_size(json_object_get(root, "recordings")), 2);
    assert_null(json_object_get(root, "devices"));
    json_decref(root);
    buf_finish(&out);

    text = written(report_csv, &out, 2);
    assert_int_equal(str_search(text, STR("recording,device")), 0);
    assert_false(has(str_skip(text, 1), "recording,device"));
    buf_finish(&out);
}

static void every_line_of_ndjson_is_an_object_with_a_type(void **state)
{
    struct buf out;
    struct str rest = written(report_ndjson, &out, 1), line;
    size_t lines = 0;

    (void)state;
    for (; str_line(&rest, &line); lines++) {
        json_t *object = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL);

        assert_true(json_is_string(json_object_get(object, "type")));
        json_decref(object);
    }
    assert_int_equal(lines, 2 + 2 + 3 + 1 + 1 + 2 + 2);
    buf_finish(&out);
}

static void csv_defuses_formulas(void **state)
{
    struct buf out;
    struct str text = written(report_csv, &out, 1);

    (void)state;
    assert_true(has(text, ",\"'=HYPERLINK(\"\"x\"\")\",,inferred,12\r\n"));
    assert_true(has(text, ",2025-11-23T18:39:00.000Z,00:00,0,first-traffic,"));
    buf_finish(&out);
}

static void a_report_without_devices_is_whole(void **state)
{
    struct report empty = report;
    struct buf out;

    (void)state;
    empty.device_count = 0;
    buf_init(&out, BUF_UNBOUNDED);
    report_text(&out, &empty, 1);
    assert_true(has(buf_str(&out), "No device was seen."));
    buf_clear(&out);
    report_json(&out, &empty, 1);
    assert_true(has(buf_str(&out), "\"devices\": []"));
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_format_lets_a_control_character_through),
        cmocka_unit_test(text_reads_from_the_first_moment_to_the_summary),
        cmocka_unit_test(colour_is_there_only_when_it_is_wanted),
        cmocka_unit_test(markdown_shows_markup_as_text),
        cmocka_unit_test(json_holds_what_went_in),
        cmocka_unit_test(several_reports_are_one_document),
        cmocka_unit_test(every_line_of_ndjson_is_an_object_with_a_type),
        cmocka_unit_test(csv_defuses_formulas),
        cmocka_unit_test(a_report_without_devices_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
