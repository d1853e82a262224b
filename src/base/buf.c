/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"

#include "base/xalloc.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_finish(struct buf *b)
{
    free(b->p);
    *b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->full = false;
}

void *buf_reserve(struct buf *b, size_t n)
{
    if (b->full || n > b->max - b->n) {
        b->full = true;
        return NULL;
    }
    if (!b->p || b->n + n > b->room) {
        size_t room = b->room ? b->room : 64;

        while (room < b->n + n)
            room *= 2;
        room = room < b->max ? room : b->max; /* what there is room for is allowed */
        b->p = xrealloc(b->p, room);
        b->room = room;
    }
    return b->p + b->n;
}

void buf_wrote(struct buf *b, size_t n)
{
    assert(b->n + n <= b->room);
    b->n += n;
}

void buf_put_growing(struct buf *b, const void *p, size_t n)
{
    void *at = buf_reserve(b, n);

    if (!at)
        return;
    memcpy(at, p, n);
    b->n += n;
}

void buf_put_u64(struct buf *b, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    buf_put(b, digits + at, sizeof digits - at);
}

void buf_vprintf(struct buf *b, const char *format, va_list args)
{
    va_list again;

    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    assert(n >= 0);

    char *at = buf_reserve(b, (size_t)n + 1);
    if (!at)
        return;
    vsnprintf(at, (size_t)n + 1, format, args);
    b->n += (size_t)n;
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vprintf(b, format, args);
    va_end(args);
}

void buf_eat(struct buf *b, size_t n)
{
    assert(n <= b->n);
    b->n -= n;
    if (b->n)
        memmove(b->p, b->p + n, b->n);
}
