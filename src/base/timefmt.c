/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/timefmt.h"

#include <inttypes.h>
#include <stdio.h>

enum { US_PER_MS = 1000, US_PER_S = 1000000 };

struct unit {
    struct str name;
    uint64_t us;
};

static const struct unit units[] = {
    {STR("us"), 1},
    {STR("ms"), US_PER_MS},
    {STR("s"), US_PER_S},
    {STR("m"), 60000000ull},
    {STR("min"), 60000000ull},
    {STR("h"), 3600000000ull},
    {STR("d"), 86400000000ull},
};

static bool take_number(struct str *s, uint64_t *ret_value)
{
    size_t n = 0;

    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
        n++;
    if (!str_to_u64(str_head(*s, n), ret_value))
        return false;
    *s = str_skip(*s, n);
    return true;
}

static bool take_unit(struct str *s, uint64_t *ret_us)
{
    size_t n = 0;

    while (n < s->n && ascii_lower(s->p[n]) >= 'a' && ascii_lower(s->p[n]) <= 'z')
        n++;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (str_eq(str_head(*s, n), units[i].name)) {
            *s = str_skip(*s, n);
            *ret_us = units[i].us;
            return true;
        }
    return false;
}

bool duration_parse(struct str s, uint64_t *ret_us)
{
    uint64_t total = 0, number = 0, unit = 0;

    s = str_trim(s);
    if (str_to_u64(s, &number)) {
        if (__builtin_mul_overflow(number, (uint64_t)US_PER_S, &total))
            return false;
        *ret_us = total;
        return true;
    }
    while (s.n) {
        uint64_t part = 0;

        if (!take_number(&s, &number) || !take_unit(&s, &unit) ||
            __builtin_mul_overflow(number, unit, &part) ||
            __builtin_add_overflow(total, part, &total))
            return false;
        s = str_trim(s);
        unit = 1;
    }
    if (!unit)
        return false;
    *ret_us = total;
    return true;
}

bool strip_time_parse(struct str s, uint64_t *ret_us)
{
    uint64_t seconds = 0, part = 0;
    struct str rest = str_trim(s);

    if (str_find(rest, ':') == rest.n)
        return duration_parse(s, ret_us);
    if (str_ends(rest, STR(":")))
        return false;
    for (unsigned i = 0; i < 3 && rest.n; i++) {
        struct str field = str_cut(&rest, ':');

        if (!str_to_u64(field, &part) || part > 1000000 || (i && part > 59))
            return false;
        seconds = seconds * 60 + part;
    }
    if (rest.n)
        return false;
    *ret_us = seconds * US_PER_S;
    return true;
}

void put_strip_time(struct buf *out, uint64_t at_us)
{
    uint64_t s = at_us / US_PER_S;

    if (s >= 3600)
        buf_printf(out, "%" PRIu64 ":%02u:%02u", s / 3600, (unsigned)(s / 60 % 60),
                   (unsigned)(s % 60));
    else
        buf_printf(out, "%02u:%02u", (unsigned)(s / 60), (unsigned)(s % 60));
}

void put_duration(struct buf *out, uint64_t us)
{
    uint64_t s = us / US_PER_S;

    if (us < US_PER_S)
        buf_printf(out, "%" PRIu64 " ms", us / US_PER_MS);
    else if (s < 60)
        buf_printf(out, "%" PRIu64 " s", s);
    else if (s < 3600)
        buf_printf(out, "%" PRIu64 " min %02" PRIu64 " s", s / 60, s % 60);
    else
        buf_printf(out, "%" PRIu64 " h %02" PRIu64 " min", s / 3600, s / 60 % 60);
}

/* Days since 1970-01-01, counting years from March so that the leap day comes last. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;

    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned year_of_era = (unsigned)(year - era * 400);
    unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + (int64_t)day_of_era - 719468;
}

static void date_of(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day)
{
    days += 719468;

    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned day_of_era = (unsigned)(days - era * 146097);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned march_month = (5 * day_of_year + 2) / 153;

    *ret_day = day_of_year - (153 * march_month + 2) / 5 + 1;
    *ret_month = march_month < 10 ? march_month + 3 : march_month - 9;
    *ret_year = (int64_t)year_of_era + era * 400 + (*ret_month <= 2);
}

/* Since 1970; less than 0 before. */
static int64_t seconds_of(int64_t year, unsigned month, unsigned day, unsigned hour,
                          unsigned minute, unsigned second)
{
    return days_of(year, month, day) * 86400 + (int64_t)hour * 3600 + (int64_t)minute * 60 +
           (int64_t)second;
}

uint64_t wall_us_of(int year, unsigned month, unsigned day, unsigned hour, unsigned minute,
                    unsigned second)
{
    int64_t s = seconds_of(year, month, day, hour, minute, second);

    return s < 0 ? 0 : (uint64_t)s * US_PER_S;
}

void put_rfc3339(struct buf *out, uint64_t wall_us)
{
    uint64_t s = wall_us / US_PER_S;
    unsigned of_day = (unsigned)(s % 86400), month = 0, day = 0;
    int64_t year = 0;

    date_of((int64_t)(s / 86400), &year, &month, &day);
    buf_printf(out, "%04" PRId64 "-%02u-%02uT%02u:%02u:%02u.%03uZ", year, month, day, of_day / 3600,
               of_day / 60 % 60, of_day % 60, (unsigned)(wall_us % US_PER_S / US_PER_MS));
}

/* n digits, then the byte `after` (0: nothing). */
static bool take_digits(struct str *s, size_t n, char after, unsigned *ret_value)
{
    uint64_t value = 0;

    if (s->n < n || !str_to_u64(str_head(*s, n), &value))
        return false;
    *s = str_skip(*s, n);
    *ret_value = (unsigned)value;
    if (!after)
        return true;
    if (!s->n || ascii_lower(s->p[0]) != ascii_lower(after))
        return false;
    *s = str_skip(*s, 1);
    return true;
}

static uint64_t take_fraction(struct str *s)
{
    uint64_t us = 0, digit_us = US_PER_S / 10;

    if (!s->n || (s->p[0] != '.' && s->p[0] != ','))
        return 0;
    *s = str_skip(*s, 1);
    while (s->n && s->p[0] >= '0' && s->p[0] <= '9') {
        us += digit_us * (uint64_t)(s->p[0] - '0');
        digit_us /= 10;
        *s = str_skip(*s, 1);
    }
    return us;
}

/* "Z", "+02:00", "+0200", or nothing (taken as UTC): seconds east of UTC. */
static bool take_offset(struct str s, int64_t *ret_seconds)
{
    unsigned hours = 0, minutes = 0;
    char sign = s.n ? s.p[0] : 'Z';

    *ret_seconds = 0;
    if (!s.n || ((sign == 'Z' || sign == 'z') && s.n == 1))
        return true;
    if (sign != '+' && sign != '-')
        return false;
    s = str_skip(s, 1);
    if (!take_digits(&s, 2, 0, &hours))
        return false;
    if (s.n && s.p[0] == ':')
        s = str_skip(s, 1);
    if (!take_digits(&s, 2, 0, &minutes) || s.n || hours > 23 || minutes > 59)
        return false;
    *ret_seconds = ((int64_t)hours * 60 + minutes) * 60 * (sign == '-' ? -1 : 1);
    return true;
}

/* The calendar has it: there is no 30 February. */
static bool is_day_of(unsigned year, unsigned month, unsigned day)
{
    int64_t its_year = 0;
    unsigned its_month = 0, its_day = 0;

    date_of(days_of(year, month, day), &its_year, &its_month, &its_day);
    return its_month == month && its_day == day;
}

bool rfc3339_parse(struct str s, uint64_t *ret_wall_us)
{
    unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    int64_t offset_s = 0;

    s = str_trim(s);
    if (!take_digits(&s, 4, '-', &year) || !take_digits(&s, 2, '-', &month) ||
        !take_digits(&s, 2, 'T', &day) || !take_digits(&s, 2, ':', &hour) ||
        !take_digits(&s, 2, ':', &minute) || !take_digits(&s, 2, 0, &second))
        return false;
    if (month < 1 || month > 12 || !is_day_of(year, month, day) || hour > 23 || minute > 59 ||
        second > 60)
        return false;

    uint64_t fraction_us = take_fraction(&s);
    if (!take_offset(s, &offset_s))
        return false;

    int64_t us = (seconds_of(year, month, day, hour, minute, second) - offset_s) * US_PER_S +
                 (int64_t)fraction_us;
    if (us < 0)
        return false;
    *ret_wall_us = (uint64_t)us;
    return true;
}

void put_bytes(struct buf *out, uint64_t bytes)
{
    static const char *const names[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    size_t i = 0;

    while (value >= 999.5 && i < sizeof names / sizeof *names - 1) {
        value /= 1000;
        i++;
    }
    if (!i)
        buf_printf(out, "%" PRIu64 " %s", bytes, bytes == 1 ? "byte" : "bytes");
    else
        buf_printf(out, "%.*f %s", value < 10 ? 1 : 0, value, names[i]);
}

bool bytes_parse(struct str text, uint64_t *ret_bytes)
{
    static const struct {
        struct str name;
        uint64_t bytes;
    } sizes[] = {{STR(""), 1},
                 {STR("bytes"), 1},
                 {STR("B"), 1},
                 {STR("kB"), 1000},
                 {STR("MB"), 1000000},
                 {STR("GB"), 1000000000},
                 {STR("TB"), 1000000000000}};
    uint64_t whole = 0, decimals = 0, scale = 1, value = 0;
    struct str rest = text;
    size_t n = 0;

    while (n < text.n && ((text.p[n] >= '0' && text.p[n] <= '9') || text.p[n] == '.'))
        n++;

    struct str number = str_head(rest, n), unit = str_trim(str_skip(rest, n));
    struct str before = str_cut(&number, '.');
    if (!str_to_u64(before, &whole) || number.n > 6 || (number.n && !str_to_u64(number, &decimals)))
        return false;
    for (size_t i = 0; i < number.n; i++)
        scale *= 10;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (!str_ieq(unit, sizes[i].name))
            continue;
        if (__builtin_mul_overflow(whole, sizes[i].bytes, &value))
            return false;
        return !__builtin_add_overflow(value, decimals * sizes[i].bytes / scale, ret_bytes);
    }
    return false;
}
