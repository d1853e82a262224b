/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/fields.h"

/* "0", "0.0", "0.000": a weight that means never. */
static bool is_zero(struct str weight)
{
    if (!str_starts(weight, STR("0")))
        return false;
    for (size_t i = 1; i < weight.n; i++)
        if (weight.p[i] != '0' && weight.p[i] != '.')
            return false;
    return true;
}

/* RFC 9110, section 12.5.3: "gzip;q=0.5". */
static bool is_refused(struct str parameters)
{
    while (parameters.n) {
        struct str parameter = str_trim(str_cut(&parameters, ';'));

        if (str_istarts(parameter, STR("q=")))
            return is_zero(str_skip(parameter, 2));
    }
    return false;
}

/* What is said of gzip itself goes before what is said of everything. */
bool fields_accept_gzip(struct str value)
{
    bool accepts_any = false;

    while (value.n) {
        struct str parameters = str_cut(&value, ',');
        struct str coding = str_trim(str_cut(&parameters, ';'));

        if (str_ieq(coding, STR("gzip")) || str_ieq(coding, STR("x-gzip")))
            return !is_refused(parameters);
        if (str_eq(coding, STR("*")))
            accepts_any = !is_refused(parameters);
    }
    return accepts_any;
}

/* RFC 9110, section 13.1.2. Ours have no comma inside. */
bool fields_have_etag(struct str value, struct str etag)
{
    while (value.n) {
        struct str tag = str_trim(str_cut(&value, ','));

        if (str_eq(tag, STR("*")))
            return true;
        if (str_starts(tag, STR("W/")))
            tag = str_skip(tag, 2);
        if (tag.n >= 2 && tag.p[0] == '"' && tag.p[tag.n - 1] == '"' &&
            str_eq(str_skip(str_head(tag, tag.n - 1), 1), etag))
            return true;
    }
    return false;
}

/* RFC 6265, section 4.2.1. */
bool fields_next_cookie(struct str *rest, struct str name, struct str *ret_value)
{
    while (rest->n) {
        struct str value = str_trim(str_cut(rest, ';'));

        if (str_eq(str_cut(&value, '='), name)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

/* "-500": the last bytes, at most all. */
static enum range range_of_end(struct str digits, uint64_t size, uint64_t *ret_from,
                               uint64_t *ret_n)
{
    uint64_t n;

    if (!str_to_u64(digits, &n))
        return RANGE_WHOLE;
    if (!n || !size)
        return RANGE_NOWHERE;
    *ret_n = n < size ? n : size;
    *ret_from = size - *ret_n;
    return RANGE_PART;
}

/* RFC 9110, section 14.1.2: "bytes=0-499", "bytes=500-", "bytes=-500". */
enum range fields_range(struct str value, uint64_t size, uint64_t *ret_from, uint64_t *ret_n)
{
    struct str last = str_trim(value), unit = str_cut(&last, '='), first;
    uint64_t from, to = UINT64_MAX;

    if (!str_ieq(unit, STR("bytes")) || str_find(last, '-') == last.n)
        return RANGE_WHOLE;
    first = str_cut(&last, '-');
    if (!first.n)
        return range_of_end(last, size, ret_from, ret_n);
    if (!str_to_u64(first, &from) || (last.n && !str_to_u64(last, &to)) || to < from)
        return RANGE_WHOLE;
    if (from >= size)
        return RANGE_NOWHERE;
    *ret_from = from;
    *ret_n = (to < size ? to : size - 1) - from + 1;
    return RANGE_PART;
}
