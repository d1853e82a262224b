/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/imports/logtime.h"

#include "base/timefmt.h"
#include "sources/imports/account.h"

static bool is_possible(uint64_t wall_us)
{
    return wall_us >= WALL_US_MIN && wall_us <= WALL_US_MAX;
}

bool epoch_time_parse(struct str s, uint64_t *ret_wall_us)
{
    uint64_t seconds = 0, us = 0, digit_us = 100000;
    struct str decimals = s;
    struct str whole = str_cut(&decimals, '.');

    if (!str_to_u64(whole, &seconds) || seconds > WALL_US_MAX / 1000000)
        return false;
    for (size_t i = 0; i < decimals.n; i++, digit_us /= 10) {
        if (decimals.p[i] < '0' || decimals.p[i] > '9')
            return false;
        us += digit_us * (uint64_t)(decimals.p[i] - '0');
    }
    *ret_wall_us = seconds * 1000000 + us;
    return is_possible(*ret_wall_us);
}

/* The number that `name` has among the months; 0: none. */
static unsigned month_named(struct str name)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

    for (unsigned i = 0; i < 12; i++)
        if (str_ieq(name, (struct str){names + 3 * (size_t)i, 3}))
            return i + 1;
    return 0;
}

/* A number of `digits` digits at most `max`, up to the byte `sep`. */
static bool take_number(struct str *s, char sep, size_t digits, uint64_t max, unsigned *ret_number)
{
    struct str text = str_cut(s, sep);
    uint64_t number = 0;

    if (text.n != digits || !str_to_u64(text, &number) || number > max)
        return false;
    *ret_number = (unsigned)number;
    return true;
}

bool common_time_parse(struct str s, uint64_t *ret_wall_us)
{
    unsigned day = 0, month = 0, year = 0, hour = 0, minute = 0, second = 0, offset = 0;

    if (!take_number(&s, '/', 2, 31, &day))
        return false;
    month = month_named(str_cut(&s, '/'));
    if (!month || !take_number(&s, ':', 4, 2100, &year) || !take_number(&s, ':', 2, 23, &hour) ||
        !take_number(&s, ':', 2, 59, &minute) || !take_number(&s, ' ', 2, 60, &second))
        return false;
    if (s.n != 5 || (s.p[0] != '+' && s.p[0] != '-'))
        return false;

    bool is_west = s.p[0] == '-';
    s = str_skip(s, 1);
    if (!day || year < 1990 || !take_number(&s, ' ', 4, 2359, &offset))
        return false;

    uint64_t us = wall_us_of((int)year, month, day, hour, minute, second);
    uint64_t offset_us = (uint64_t)(offset / 100 * 60 + offset % 100) * 60 * 1000000;
    *ret_wall_us = is_west ? us + offset_us : us - offset_us;
    return is_possible(*ret_wall_us);
}

bool log_bytes_parse(struct str s, uint64_t *ret_bytes)
{
    if (str_eq(s, STR("-"))) {
        *ret_bytes = 0;
        return true;
    }
    return str_to_u64(s, ret_bytes);
}
