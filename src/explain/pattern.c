/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "explain/pattern.h"

#include "base/xalloc.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdio.h>
#include <stdlib.h>

enum { MATCH_STEPS_MAX = 100000, MATCH_DEPTH_MAX = 1000, SUBJECT_MAX = 16 << 10 };

struct pattern {
    pcre2_code *code;
    pcre2_match_data *data; /* scratch: what a match found */
    pcre2_match_context *limits;
    unsigned name_count, name_size;
    PCRE2_SPTR names; /* PCRE2's table: two bytes of group number, then the name */
};

struct pattern *pattern_create(struct str source, char *why, size_t n)
{
    struct pattern *p = xalloc(sizeof *p);
    int code = 0;
    PCRE2_SIZE at = 0;

    p->code = pcre2_compile((PCRE2_SPTR)(source.n ? source.p : ""), source.n,
                            PCRE2_CASELESS | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
    if (!p->code) {
        PCRE2_UCHAR message[128] = "";

        pcre2_get_error_message(code, message, sizeof message);
        snprintf(why, n, "%s, at character %zu", (const char *)message, (size_t)at + 1);
        pattern_destroy(p);
        return NULL;
    }
    /* Without JIT (a hardened kernel may forbid it) matching is slower, and the same; it only
       counts steps in another way. */
    (void)pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE);
    p->data = pcre2_match_data_create_from_pattern(p->code, NULL);
    p->limits = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(p->limits, MATCH_STEPS_MAX);
    pcre2_set_depth_limit(p->limits, MATCH_DEPTH_MAX);
    pcre2_pattern_info(p->code, PCRE2_INFO_NAMECOUNT, &p->name_count);
    pcre2_pattern_info(p->code, PCRE2_INFO_NAMEENTRYSIZE, &p->name_size);
    pcre2_pattern_info(p->code, PCRE2_INFO_NAMETABLE, &p->names);
    return p;
}

void pattern_destroy(struct pattern *p)
{
    if (!p)
        return;
    pcre2_match_context_free(p->limits);
    pcre2_match_data_free(p->data);
    pcre2_code_free(p->code);
    free(p);
}

bool pattern_match(const struct pattern *p, struct str subject, struct captures *captures)
{
    PCRE2_SPTR text = (PCRE2_SPTR)(subject.n ? subject.p : "");
    size_t n = subject.n < SUBJECT_MAX ? subject.n : SUBJECT_MAX;
    int found = pcre2_match(p->code, text, n, 0, 0, p->data, p->limits);

    /* Compiled code has a small stack of its own; what is too deep for it need not be for PCRE2. */
    if (found == PCRE2_ERROR_JIT_STACKLIMIT)
        found = pcre2_match(p->code, text, n, 0, PCRE2_NO_JIT, p->data, p->limits);
    if (found < 0)
        return false;
    if (!captures)
        return true;

    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(p->data);
    for (unsigned i = 0; i < p->name_count; i++) {
        PCRE2_SPTR row = p->names + (size_t)i * p->name_size;
        size_t group = (size_t)row[0] << 8 | row[1];

        if (group < (size_t)found && ends[group * 2] != PCRE2_UNSET)
            captures_add(
                captures, str_of((const char *)row + 2),
                str_from(subject.p + ends[group * 2], ends[group * 2 + 1] - ends[group * 2]));
    }
    return true;
}

bool pattern_has(const struct pattern *p, struct str group)
{
    for (unsigned i = 0; p && i < p->name_count; i++)
        if (str_eq(str_of((const char *)p->names + (size_t)i * p->name_size + 2), group))
            return true;
    return false;
}

void captures_add(struct captures *c, struct str name, struct str value)
{
    if (c->n < CAPTURES_MAX)
        c->v[c->n++] = (struct capture){name, value};
}

struct str captures_get(const struct captures *c, struct str name)
{
    for (unsigned i = 0; i < c->n; i++)
        if (str_eq(c->v[i].name, name))
            return c->v[i].value;
    return (struct str){0};
}
