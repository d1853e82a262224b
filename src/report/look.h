/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * look: how text may look where it goes. A terminal has a width, lines that can be written again,
 * and colour unless the person said no (NO_COLOR set to anything, https://no-color.org, or
 * TERM=dumb). A pipe or file has none of it, and text for it is not wrapped.
 */
#pragma once

#include "base/buf.h"

struct look {
    bool terminal; /* a person is watching; lines can be rewritten in place */
    bool colour;
    unsigned width; /* columns, or WRAP_NEVER */
};

enum paint { PAINT_PLAIN, PAINT_BOLD, PAINT_DIM, PAINT_GOOD, PAINT_CAUTION, PAINT_BAD, PAINT_TIME };

struct look look_of(int fd);

/* Begins and ends a colour; nothing is written where there are none. */
void paint_on(struct buf *out, const struct look *look, enum paint paint);
void paint_off(struct buf *out, const struct look *look, enum paint paint);
/* The text, made safe, in the colour. */
void put_painted(struct buf *out, const struct look *look, enum paint paint, struct str text);
