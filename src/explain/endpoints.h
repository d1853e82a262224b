/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * endpoints: which host belongs to which service. Patterns are host names, lower case, in which
 * `*` stands for one or more characters of any kind (`*.manage.microsoft.com`,
 * `cp*.prod.do.dsp.mp.microsoft.com`, `fef.*.manage.microsoft.com`); a pattern that starts with a
 * dot means the same as with `*` before the dot. The most specific pattern wins: an exact name,
 * then the pattern with the longest fixed text at its end, then the one with the most fixed text in
 * all.
 *
 * Built once and then only read; a match costs well under 100 ns over thousands of patterns
 * (bench/bench_endpoints.c).
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"

enum requirement { REQUIRED_NO, REQUIRED_CONDITIONAL, REQUIRED_YES };

struct endpoint {
    struct str pattern;
    struct str service; /* "intune-mdm" */
    struct str role;    /* what the device does there: a short sentence */
    struct str phases;  /* ids, separated by commas */
    struct str ports;   /* "443", "80,443" */
    enum requirement required;
    bool inspection_unsupported; /* TLS inspection breaks it, says the source */
    struct str source;
};

struct endpoints;

struct endpoints *endpoints_create(void);
void endpoints_destroy(struct endpoints *e);

/* A pattern that is there already is replaced. The texts are copied. */
void endpoints_add(struct endpoints *e, const struct endpoint *endpoint);
void endpoints_build(struct endpoints *e); /* after the last add, before the first match */

/* The endpoint for a host (any case, no port, a trailing dot is ignored), or NULL. */
const struct endpoint *endpoints_match(const struct endpoints *e, struct str host);

size_t endpoints_count(const struct endpoints *e);
const struct endpoint *endpoints_at(const struct endpoints *e, size_t i); /* in order of pattern */

/* Whether one pattern fits one host: the same language, for rules. */
bool host_pattern_fits(struct str pattern, struct str host);
