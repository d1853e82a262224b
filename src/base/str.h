/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * str: a borrowed view of bytes.
 *
 * It lives as long as the bytes it was cut from, is not terminated, and may hold any byte.
 * An empty str may have a null pointer. Comparisons that ignore case do so for ASCII only, as host
 * names and HTTP field names want it (RFC 4343, RFC 9110).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

/* A literal; its length is known when compiling. */
#define STR(lit) ((struct str){"" lit, sizeof(lit) - 1})

static inline struct str str_from(const void *p, size_t n)
{
    return (struct str){(const char *)p, n};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (!a.n || memcmp(a.p, b.p, a.n) == 0);
}

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_ieq_bytes(const char *a, const char *b, size_t n);

static inline bool str_ieq(struct str a, struct str b)
{
    return a.n == b.n && str_ieq_bytes(a.p, b.p, a.n);
}

/* Its first n bytes. */
static inline struct str str_head(struct str s, size_t n)
{
    return (struct str){s.p, n < s.n ? n : s.n};
}

/* Without its first n bytes. */
static inline struct str str_skip(struct str s, size_t n)
{
    n = n < s.n ? n : s.n;
    return (struct str){n ? s.p + n : s.p, s.n - n};
}

/* For printf: printf(STR_FMT, STR_ARG(s)). */
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).n, (s).n ? (s).p : ""

struct str str_of(const char *cstr); /* NULL gives the empty str */

int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_istarts(struct str s, struct str prefix);
bool str_iends(struct str s, struct str suffix);

struct str str_trim(struct str s); /* without spaces, tabs, CR and LF at both ends */

/* The index of the first (last) byte c, or s.n when there is none. */
size_t str_find(struct str s, char c);
size_t str_rfind(struct str s, char c);
/* The index where the first needle starts, or s.n. */
size_t str_search(struct str s, struct str needle);

/*
 * Cuts *rest at the first `sep`: returns what is before it and leaves what is after it.
 * Without a `sep` all of *rest is returned and *rest becomes empty.
 */
struct str str_cut(struct str *rest, char sep);
/* The next word: skips spaces and tabs, returns the bytes up to the next one. */
struct str str_word(struct str *rest);
/* The next line without its line end (LF or CR LF). False when nothing is left. */
bool str_line(struct str *rest, struct str *ret_line);

/* Decimal digits alone, all of them; false on anything else and on overflow. */
bool str_to_u64(struct str s, uint64_t *ret_value);

uint64_t str_hash(struct str s);
uint64_t str_ihash(struct str s); /* equal for strs that str_ieq calls equal */

char *str_dup(struct str s); /* terminated copy; the caller frees it */
