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
    if (b->n + n > b->room) {
        size_t room = b->room ? b->room : 64;

        while (room < b->n + n)
            room *= 2;
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

void buf_put(struct buf *b, const void *p, size_t n)
{
    if (!n)
        return;

    void *at = buf_reserve(b, n);
    if (!at)
        return;
    memcpy(at, p, n);
    b->n += n;
}

void buf_put_str(struct buf *b, struct str s)
{
    buf_put(b, s.p, s.n);
}

void buf_put_byte(struct buf *b, uint8_t byte)
{
    buf_put(b, &byte, 1);
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

struct str buf_str(const struct buf *b)
{
    return (struct str){b->p, b->n};
}
