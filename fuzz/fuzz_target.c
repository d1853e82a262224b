/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes are a request's target: no segment is longer than it is written or holds a slash that
 * was not escaped, and what is found in the query is no longer than the query.
 */
#include "serve/target.h"

#include <assert.h>

static void check_segments(const struct target *t)
{
    size_t n = 0;

    assert(t->segment_count && t->segment_count <= TARGET_SEGMENTS_MAX);
    for (size_t i = 0; i < t->segment_count; i++)
        n += 1 + t->segments[i].n;
    assert(n <= t->path.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct str names[] = {STR("token"), STR("a"), STR("")};
    struct arena *arena = arena_create();
    struct target t;

    if (target_parse(str_from(data, size), arena, &t)) {
        check_segments(&t);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            assert(target_query(&t, names[i], arena).n <= t.query.n);
    }
    arena_destroy(arena);
    return 0;
}
