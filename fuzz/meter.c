/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Calls of our own objects alone are counted: the linker's --wrap leads them here. What libc
 * allocates for us (strdup) is counted when it is freed alone, so the figure is at most too low.
 */
#include "fuzz/meter.h"

#include <malloc.h>
#include <stdlib.h>

#define WRAP(type, name, ...)                                                                      \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

static int64_t bytes;

int64_t meter_bytes(void)
{
    return bytes;
}

static void *count(void *p)
{
    bytes += (int64_t)malloc_usable_size(p);
    return p;
}

WRAP(void *, malloc, size_t n)
{
    return count(__real_malloc(n));
}

WRAP(void *, calloc, size_t n, size_t size)
{
    return count(__real_calloc(n, size));
}

WRAP(void *, realloc, void *p, size_t n)
{
    bytes -= (int64_t)malloc_usable_size(p);
    return count(__real_realloc(p, n));
}

WRAP(void *, reallocarray, void *p, size_t n, size_t size)
{
    bytes -= (int64_t)malloc_usable_size(p);
    return count(__real_reallocarray(p, n, size));
}

WRAP(void, free, void *p)
{
    bytes -= (int64_t)malloc_usable_size(p);
    __real_free(p);
}
