/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/arena.h"

#include "base/xalloc.h"

#include <assert.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 4096 };

struct block {
    struct block *next;
    size_t used, room;
    alignas(max_align_t) char bytes[];
};

struct arena {
    struct block *blocks; /* the one in use comes first */
    size_t handed_out;
};

struct arena *arena_create(void)
{
    return xalloc(sizeof(struct arena));
}

void arena_destroy(struct arena *a)
{
    if (!a)
        return;
    while (a->blocks) {
        struct block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
    free(a);
}

static struct block *add_block(struct arena *a, size_t n)
{
    size_t room = n > BLOCK_BYTES ? n : BLOCK_BYTES;
    struct block *b = xalloc(sizeof *b + room);

    b->room = room;
    b->next = a->blocks;
    a->blocks = b;
    return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
    size_t aligned = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct block *b = a->blocks;

    assert(aligned >= n);
    if (!b || b->room - b->used < aligned)
        b = add_block(a, aligned);

    void *p = b->bytes + b->used;
    b->used += aligned;
    a->handed_out += aligned;
    return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    size_t bytes = 0;

    if (__builtin_mul_overflow(n, size, &bytes)) {
        fputs("flightstrip: out of memory\n", stderr);
        exit(2);
    }
    return arena_alloc(a, bytes);
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);

    if (s.n)
        memcpy(p, s.p, s.n);
    return (struct str){p, s.n};
}

struct str arena_printf(struct arena *a, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    assert(n >= 0);

    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, format, args);
    va_end(args);
    return (struct str){p, (size_t)n};
}

size_t arena_bytes(const struct arena *a)
{
    return a->handed_out;
}
