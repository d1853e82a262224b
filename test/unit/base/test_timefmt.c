/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/timefmt.h"

#include "test/unit/unit.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define MS 1000ull
#define S 1000000ull

struct parse_case {
    const char *text;
    bool ok;
    uint64_t value;
};

static void check_parse(bool (*parse)(struct str s, uint64_t *ret), const struct parse_case *c)
{
    uint64_t value = 42;

    if (parse(str_of(c->text), &value) != c->ok)
        fail_msg("'%s' was %s", c->text, c->ok ? "refused" : "accepted");
    if (value != (c->ok ? c->value : 42))
        fail_msg("'%s' gave %llu", c->text, (unsigned long long)value);
}

static void durations_are_numbers_with_units(void **state)
{
    static const struct parse_case cases[] = {
        {"90", true, 90 * S},
        {"0", true, 0},
        {"90s", true, 90 * S},
        {"1m30s", true, 90 * S},
        {"1m 30s", true, 90 * S},
        {" 2h ", true, 7200 * S},
        {"250ms", true, 250 * MS},
        {"7us", true, 7},
        {"1d", true, 86400 * S},
        {"5min", true, 300 * S},
        {"", false, 0},
        {"s", false, 0},
        {"1x", false, 0},
        {"1s2", false, 0},
        {"-1s", false, 0},
        {"1.5s", false, 0},
        {"18446744073709551615", false, 0},
        {"18446744073709551616us", false, 0},
        {"9999999999999d", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check_parse(duration_parse, &cases[i]);
}

static void strip_times_are_minutes_or_hours(void **state)
{
    static const struct parse_case cases[] = {
        {"02:16", true, 136 * S}, {"1:02:16", true, 3736 * S}, {"90:00", true, 5400 * S},
        {"90s", true, 90 * S},    {"00:60", false, 0},         {"1:60:00", false, 0},
        {"02:", false, 0},        {":02", false, 0},           {"1:02:03:04", false, 0},
        {"1:02:03:", false, 0},   {"99999999:00", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check_parse(strip_time_parse, &cases[i]);
}

static void dates_are_read_in_any_offset(void **state)
{
    static const struct parse_case cases[] = {
        {"1970-01-01T00:00:00Z", true, 0},
        {"2026-11-23T18:39:00.123Z", true, 1795459140 * S + 123 * MS},
        {"2026-11-23T20:39:00.123+02:00", true, 1795459140 * S + 123 * MS},
        {"2026-11-23T13:09:00.123-0530", true, 1795459140 * S + 123 * MS},
        {"2026-11-23t18:39:00,1239999999z", true, 1795459140 * S + 123999},
        {"2000-02-29T00:00:00Z", true, 951782400 * S},
        {"2016-12-31T23:59:60Z", true, 1483228800 * S},
        {"1900-02-29T00:00:00Z", false, 0},
        {"2026-02-30T00:00:00Z", false, 0},
        {"2026-04-31T00:00:00Z", false, 0},
        {"2026-13-01T00:00:00Z", false, 0},
        {"2026-00-01T00:00:00Z", false, 0},
        {"2026-01-00T00:00:00Z", false, 0},
        {"2026-01-01T24:00:00Z", false, 0},
        {"2026-01-01T00:00:00+24:00", false, 0},
        {"2026-01-01T00:00:00Zulu", false, 0},
        {"2026-01-01", false, 0},
        {"1969-12-31T23:59:59Z", false, 0},
        {"1970-01-01T00:00:00+01:00", false, 0},
        {"1969-12-31T23:30:00-01:00", true, 1800 * S},
        {"", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check_parse(rfc3339_parse, &cases[i]);
}

static void what_is_written_is_read_back(void **state)
{
    struct buf out;
    uint64_t back = 0;

    (void)state;
    buf_init(&out, 64);
    /* 86,399.999 days apart, so that every month, leap year and century comes by. */
    for (uint64_t us = 0; us < 253402300800 * S; us += 7464959999 * MS * 10) {
        buf_clear(&out);
        put_rfc3339(&out, us);
        assert_true(rfc3339_parse(buf_str(&out), &back));
        assert_true(back == us);
    }
    buf_finish(&out);
}

struct put_case {
    uint64_t value;
    const char *text;
};

static void check_put(void (*put)(struct buf *out, uint64_t value), const struct put_case *c)
{
    struct buf out;

    buf_init(&out, 64);
    put(&out, c->value);
    buf_put_byte(&out, 0);
    assert_string_equal(out.p, c->text);
    buf_finish(&out);
}

static void sizes_are_read(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"0", 0},           {"512", 512},    {"2 kB", 2000}, {"64kB", 64000},
        {"1.5MB", 1500000}, {"0.5 kb", 500}, {"3 bytes", 3}, {"1.999999TB", 1999999000000},
        {"1.9", 1},
    };
    static const char *const bad[] = {"",
                                      "kB",
                                      "-1",
                                      ".5kB",
                                      "1.2.3",
                                      "3 MiB",
                                      "1.9999999 TB",
                                      "18446744073709551616",
                                      "99999999999 GB"};
    uint64_t bytes;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(bytes_parse(str_of(good[i].text), &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(bytes_parse(str_of(bad[i]), &bytes));
}

static void figures_read_well(void **state)
{
    static const struct put_case strip[] = {
        {0, "00:00"}, {136 * S + 999 * MS, "02:16"}, {3599 * S, "59:59"}, {3736 * S, "1:02:16"}};
    static const struct put_case durations[] = {{0, "0 ms"},
                                                {350 * MS, "350 ms"},
                                                {12 * S, "12 s"},
                                                {309 * S, "5 min 09 s"},
                                                {3720 * S, "1 h 02 min"}};
    static const struct put_case sizes[] = {
        {0, "0 bytes"},         {1, "1 byte"},        {999, "999 bytes"}, {1000, "1.0 kB"},
        {3400, "3.4 kB"},       {12345, "12 kB"},     {999499, "999 kB"}, {999500, "1.0 MB"},
        {1250000000, "1.2 GB"}, {UINT64_MAX, "18 EB"}};

    (void)state;
    for (size_t i = 0; i < COUNT(strip); i++)
        check_put(put_strip_time, &strip[i]);
    for (size_t i = 0; i < COUNT(durations); i++)
        check_put(put_duration, &durations[i]);
    for (size_t i = 0; i < COUNT(sizes); i++)
        check_put(put_bytes, &sizes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_numbers_with_units),
        cmocka_unit_test(strip_times_are_minutes_or_hours),
        cmocka_unit_test(dates_are_read_in_any_offset),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(sizes_are_read),
        cmocka_unit_test(figures_read_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
