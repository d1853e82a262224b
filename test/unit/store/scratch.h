/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A folder for one test's files, made before it and removed after it. */
#pragma once

#include "base/arena.h"
#include "base/xalloc.h"
#include "test/unit/unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scratch {
    struct arena *arena;
    struct str path;
};

static inline int scratch_make(void **state)
{
    struct scratch *s = xalloc(sizeof(*s));
    const char *tmp = getenv("TMPDIR");

    s->arena = arena_create();
    s->path = arena_printf(s->arena, "%s/flightstrip-test-XXXXXX", tmp ? tmp : "/tmp");
    *state = s;
    return mkdtemp((char *)(uintptr_t)s->path.p) ? 0 : -1;
}

static inline const char *scratch_path(struct scratch *s, const char *name)
{
    return arena_printf(s->arena, STR_FMT "/%s", STR_ARG(s->path), name).p;
}

/* A file with this text; its path. */
static inline const char *scratch_write(struct scratch *s, const char *name, struct str text)
{
    const char *path = scratch_path(s, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text.p, 1, text.n, file), text.n);
    assert_int_equal(fclose(file), 0);
    return path;
}

/* How many files are in it; removes them when told to. */
static inline unsigned scratch_walk(struct scratch *s, bool remove)
{
    DIR *dir = opendir(s->path.p);
    unsigned count = 0;

    for (struct dirent *e; dir && (e = readdir(dir));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            count++;
            if (remove)
                unlink(scratch_path(s, e->d_name));
        }
    if (dir)
        closedir(dir);
    return count;
}

static inline unsigned scratch_count(struct scratch *s)
{
    return scratch_walk(s, false);
}

static inline int scratch_remove(void **state)
{
    struct scratch *s = *state;

    scratch_walk(s, true);
    rmdir(s->path.p);
    arena_destroy(s->arena);
    free(s);
    return 0;
}
