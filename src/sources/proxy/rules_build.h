/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rules_build: rules while they are put together, from the command line (rules.c) and from a policy
 * file (rules_load.c). Each call takes one thing as a person wrote it, and gives NULL or what is
 * wrong with it. What is said later replaces what was said of the same pattern before.
 */
#pragma once

#include "base/host_table.h"
#include "base/yaml.h"
#include "sources/proxy/rules.h"

#include <stdatomic.h>

/* Sorts of rules for hosts. */
enum rule_sort {
    RULE_DENY,
    RULE_BLOCK,
    RULE_THROTTLE,
    RULE_DELAY,
    RULE_UPSTREAM_FOR,
    RULE_SORTS,
};

const char *rule_sort_name(enum rule_sort sort); /* "deny", "upstream-for" */

struct upstream_of {
    struct upstream upstream;
    struct upstream_of *next;
};

struct rules {
    atomic_uint holders;
    struct arena *arena;
    struct cidr *allow;
    size_t allow_n;
    uint8_t ports[(UINT16_MAX + 1) / 8]; /* a bit for each that may be gone to */
    bool ports_given;
    struct str ports_text; /* as --ports would have them; empty: that is too long to be read */
    struct host_table *tables[RULE_SORTS]; /* of struct host_rule */
    struct host_rule *upstream;            /* the default; NULL: direct */
    struct upstream_of *upstreams;         /* all that are named */
    struct str credentials;                /* the path of the file */
    struct host_rule *logs_in;             /* the default when that was named: see below */
    struct str warning;
};

struct rules *rules_new(void); /* with one holder; rules_unref frees it, built or not */
const char *rules_allow(struct rules *r, struct str network);
const char *rules_ports(struct rules *r, struct str ports);
/* The value of deny and block is the empty str. */
const char *rules_host(struct rules *r, enum rule_sort sort, struct str pattern, struct str value);
const char *rules_upstream(struct rules *r, struct str url);
/*
 * A USER:PASSWORD in it that stands alone is for the default upstream; for the one that was named
 * before, where there was one: what a policy file has for its own is not for the command line's.
 */
void rules_credentials(struct rules *r, struct str path);
/* After all of the above: reads the credentials. Rules that were built are not changed any more. */
int rules_build(struct rules *r, struct err *err);

bool rules_port_is_open(const struct rules *r, unsigned port);

/* Takes what a policy file says; the number of problems, which are in the doc. */
unsigned rules_load(struct rules *r, struct yaml_doc *doc);
