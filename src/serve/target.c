/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/target.h"

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte of the escape that `s` begins with, or -1. */
static int escaped_byte(struct str s)
{
    if (s.n < 3 || s.p[0] != '%' || digit_of(s.p[1]) < 0 || digit_of(s.p[2]) < 0)
        return -1;
    return digit_of(s.p[1]) * 16 + digit_of(s.p[2]);
}

/* Decoding never makes it longer. */
static struct str decode(struct str s, bool plus_is_blank, struct arena *arena)
{
    char *out = arena_alloc(arena, s.n + 1);
    size_t n = 0;

    while (s.n) {
        int byte = escaped_byte(s);
        char c = byte >= 0 ? (char)byte : s.p[0];

        out[n++] = plus_is_blank && s.p[0] == '+' ? ' ' : c;
        s = str_skip(s, byte >= 0 ? 3 : 1);
    }
    return str_from(out, n);
}

bool target_parse(struct str text, struct arena *arena, struct target *ret_target)
{
    struct target t = {.query = text};
    struct str rest;
    bool more = true;

    t.path = str_cut(&t.query, '?');
    if (!str_starts(t.path, STR("/")))
        return false;
    rest = str_skip(t.path, 1);
    while (more) {
        more = str_find(rest, '/') < rest.n;
        if (t.segment_count == TARGET_SEGMENTS_MAX)
            return false;
        t.segments[t.segment_count++] = decode(str_cut(&rest, '/'), false, arena);
    }
    *ret_target = t;
    return true;
}

struct str target_query(const struct target *t, struct str name, struct arena *arena)
{
    struct str rest = t->query;

    while (rest.n) {
        struct str value = str_cut(&rest, '&');

        if (str_eq(decode(str_cut(&value, '='), true, arena), name))
            return decode(value, true, arena);
    }
    return (struct str){0};
}
