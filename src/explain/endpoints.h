/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * endpoints: which host belongs to which service.
 *
 * A pattern is a host name in which `*` stands for one or more characters of any kind, dots too:
 * `*.manage.microsoft.com`, `cp*.prod.do.dsp.mp.microsoft.com`, `watson.*.microsoft.com`, `wpad.*`.
 * A pattern that starts with a dot means the same as with `*` before the dot. Upper case and one
 * dot at the end make no difference, in patterns as in hosts.
 *
 * The most specific pattern wins: an exact name; then the one with the longest text after its last
 * `*`; of those the one with the most text beside its `*`s; of those the first in the alphabet.
 *
 * Built once and then only read; a match costs well under 100 ns over thousands of patterns
 * (bench/bench_endpoints.c).
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"
#include "base/url.h" /* HOST_MAX */

enum requirement { REQUIRED_NO, REQUIRED_CONDITIONAL, REQUIRED_YES };

struct endpoint {
    struct str pattern;
    struct str service; /* "intune-mdm" */
    struct str role;    /* what the device does there: a short sentence */
    struct str phases;  /* ids, separated by commas; empty: no phase of provisioning */
    struct str ports;   /* "443", "80,443", "123/udp" */
    enum requirement required;
    bool inspection_unsupported; /* TLS inspection breaks it, says the source */
    bool legacy;                 /* seen once, or by older systems; hardly met today */
    struct str source;           /* whence all this is known; several with "; " between */
};

const char *requirement_name(enum requirement r); /* "no", "conditional", "yes" */

/* What a service is, for people. */
struct service_info {
    struct str id;    /* "intune-mdm" */
    struct str title; /* "Intune device management" */
    struct str says;  /* one sentence */
};

struct endpoints;

struct endpoints *endpoints_create(void);
void endpoints_destroy(struct endpoints *e);

/* A pattern, or a service's id, that is there already is replaced. The texts are copied. */
void endpoints_add(struct endpoints *e, const struct endpoint *endpoint);
void endpoints_add_service(struct endpoints *e, const struct service_info *service);
void endpoints_build(struct endpoints *e); /* after the last add, before the first match */

/* The endpoint for a host (without a port), or NULL. Longer than HOST_MAX is no host. */
const struct endpoint *endpoints_match(const struct endpoints *e, struct str host);

size_t endpoints_count(const struct endpoints *e);
const struct endpoint *endpoints_at(const struct endpoints *e, size_t i); /* in order of pattern */

const struct service_info *endpoints_service(const struct endpoints *e,
                                             struct str id); /* or NULL */
size_t endpoints_service_count(const struct endpoints *e);
const struct service_info *endpoints_service_at(const struct endpoints *e, size_t i); /* by id */

/* Whether one pattern fits one host: the same language, for rules. */
bool host_pattern_fits(struct str pattern, struct str host);
