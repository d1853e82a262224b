/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/str.h"

#include "base/xalloc.h"

#include <string.h>

struct str str_of(const char *cstr)
{
    return (struct str){cstr, cstr ? strlen(cstr) : 0};
}

bool str_ieq_bytes(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ascii_lower(a[i]) != ascii_lower(b[i]))
            return false;
    return true;
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int r = n ? memcmp(a.p, b.p, n) : 0;

    return r ? r : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq(str_head(s, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_eq(str_skip(s, s.n - suffix.n), suffix);
}

bool str_istarts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_ieq(str_head(s, prefix.n), prefix);
}

bool str_iends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_ieq(str_skip(s, s.n - suffix.n), suffix);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.n && is_blank(s.p[0]))
        s = str_skip(s, 1);
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

size_t str_find(struct str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

    return at ? (size_t)(at - s.p) : s.n;
}

size_t str_rfind(struct str s, char c)
{
    const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;

    return at ? (size_t)(at - s.p) : s.n;
}

size_t str_search(struct str s, struct str needle)
{
    const char *at = NULL;

    if (!needle.n)
        return 0;
    if (s.n)
        at = memmem(s.p, s.n, needle.p, needle.n);
    return at ? (size_t)(at - s.p) : s.n;
}

struct str str_cut(struct str *rest, char sep)
{
    size_t at = str_find(*rest, sep);
    struct str head = str_head(*rest, at);

    *rest = str_skip(*rest, at + 1);
    return head;
}

struct str str_word(struct str *rest)
{
    size_t n = 0;

    while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t'))
        *rest = str_skip(*rest, 1);
    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
        n++;

    struct str word = str_head(*rest, n);
    *rest = str_skip(*rest, n);
    return word;
}

bool str_line(struct str *rest, struct str *ret_line)
{
    if (!rest->n)
        return false;
    *ret_line = str_cut(rest, '\n');
    if (ret_line->n && ret_line->p[ret_line->n - 1] == '\r')
        ret_line->n--;
    return true;
}

bool str_to_u64(struct str s, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (!s.n)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.p[i] - '0'), &value))
            return false;
    }
    *ret_value = value;
    return true;
}

/* FNV-1a, widened at the end: short keys, no hostile collisions matter where it is used. */
static uint64_t hash_end(uint64_t h)
{
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93ull;
    return h ^ (h >> 32);
}

uint64_t str_hash(struct str s)
{
    uint64_t h = 0xcbf29ce484222325ull;

    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (uint8_t)s.p[i]) * 0x100000001b3ull;
    return hash_end(h);
}

uint64_t str_ihash(struct str s)
{
    uint64_t h = 0xcbf29ce484222325ull;

    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (uint8_t)ascii_lower(s.p[i])) * 0x100000001b3ull;
    return hash_end(h);
}

char *str_dup(struct str s)
{
    char *copy = xalloc(s.n + 1);

    if (s.n)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}
