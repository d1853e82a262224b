/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * endpoints: which host belongs to which service.
 *
 * Hosts are named by patterns (base/host_pattern.h), and the most specific one wins
 * (base/host_table.h). Built once and then only read.
 */
#pragma once

#include "base/str.h"

enum requirement { REQUIRED_NO, REQUIRED_CONDITIONAL, REQUIRED_YES };

struct endpoint {
    struct str pattern;
    struct str service; /* "intune-mdm" */
    struct str role;    /* what the device does there: a short sentence */
    struct str phases;  /* ids, separated by commas; empty: no phase of provisioning */
    struct str ports;   /* "443", "80,443", "123/udp" */
    enum requirement required;
    bool inspection_unsupported; /* TLS inspection breaks it, says the source */
    bool proxies_unsupported;    /* it has to be reached directly, says the source */
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
