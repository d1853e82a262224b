/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * host_table: patterns of hosts (base/host_pattern.h), each with a value, and for a host the most
 * specific pattern that fits it: an exact name; then the one with the longest text after its last
 * `*`; of those the one with the most text beside its `*`s; of those the first in the alphabet.
 *
 * Built once and then only read, by any number of threads; a match costs well under 100 ns over
 * thousands of patterns (bench/bench_endpoints.c).
 */
#pragma once

#include "base/host_pattern.h"

struct host_table;

struct host_table *host_table_create(void);
void host_table_destroy(struct host_table *t); /* NULL is fine */

struct host_entry {
    struct str pattern; /* as it is kept (host_pattern_normal) */
    void *value;        /* the caller's; to be set before the table is built */
};

/* The entry of a pattern, in whatever spelling: the one that is there, or a new one. */
struct host_entry *host_table_add(struct host_table *t, struct str pattern);
void host_table_build(struct host_table *t); /* after the last add, before the first match */

/* The value for a host (without a port), or NULL. Longer than HOST_MAX is no host. */
void *host_table_match(const struct host_table *t, struct str host);

size_t host_table_count(const struct host_table *t);
void *host_table_at(const struct host_table *t, size_t i); /* in order of pattern, once built */
