/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * target: what a request asks for: a path in its segments and a query in its members, decoded
 * (RFC 3986). An escape that is none stays as it is written.
 */
#pragma once

#include "base/arena.h"

enum { TARGET_SEGMENTS_MAX = 12 };

struct target {
    struct str path;                          /* as written */
    struct str query;                         /* as written, without the question mark */
    struct str segments[TARGET_SEGMENTS_MAX]; /* of the path, decoded: "/a/" has "a" and "" */
    size_t segment_count;
};

/* False: it is no path, or has more segments. What is decoded goes into the arena. */
bool target_parse(struct str text, struct arena *arena, struct target *ret_target);

/* The first member of that name, decoded, a plus as a blank; p is NULL when there is none. */
struct str target_query(const struct target *t, struct str name, struct arena *arena);
