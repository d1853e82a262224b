/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * buf: bytes that grow at the end, up to a ceiling given where it is made.
 *
 * A write that would pass the ceiling writes nothing and sets `full`; every later write does
 * nothing too. So a writer writes straight down and asks once, at the end, whether it fitted.
 * What was written is at buf.p, buf.n bytes, and stays valid until the next write.
 */
#pragma once

#include "base/str.h"

#include <stdarg.h>

#define BUF_UNBOUNDED SIZE_MAX /* for output whose input has a ceiling already */

struct buf {
    char *p;
    size_t n;
    size_t room;
    size_t max;
    bool full;
};

void buf_init(struct buf *b, size_t max);
void buf_finish(struct buf *b); /* frees; the buf is then empty and full of nothing */
void buf_clear(struct buf *b);  /* empties it and keeps the memory */

void buf_put_u64(struct buf *b, uint64_t number); /* in decimal */
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *format, va_list args);

/* Room for n more bytes at the returned place, to be counted by buf_wrote; NULL past the ceiling.
 */
void *buf_reserve(struct buf *b, size_t n);
void buf_wrote(struct buf *b, size_t n);

/* Drops n bytes at the front. */
void buf_eat(struct buf *b, size_t n);

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->p, b->n};
}

void buf_put_growing(struct buf *b, const void *p, size_t n); /* what buf_put does without room */

static inline void buf_put(struct buf *b, const void *p, size_t n)
{
    if (!n)
        return;
    if (b->full || n > b->room - b->n) {
        buf_put_growing(b, p, n);
        return;
    }
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

static inline void buf_put_str(struct buf *b, struct str s)
{
    buf_put(b, s.p, s.n);
}

static inline void buf_put_byte(struct buf *b, uint8_t byte)
{
    buf_put(b, &byte, 1);
}
