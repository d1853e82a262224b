/* SPDX-License-Identifier: GPL-3.0-or-later */
/* utf8: bytes from outside, read as UTF-8 (RFC 3629) or made safe to show. */
#pragma once

#include "base/buf.h"

#define UTF8_BAD 0xffffffffu

/*
 * Takes the next character off *s and returns it, or takes one byte and returns UTF8_BAD when the
 * bytes there are not one (a stray or overlong byte, a surrogate, a cut sequence). s->n must not be
 * 0.
 */
uint32_t utf8_next(struct str *s);

/*
 * Appends `s` for a person's terminal or a text file: control characters and bytes that are not
 * UTF-8 become U+FFFD, so nothing from outside can move a cursor or forge a line.
 */
void utf8_put_safe(struct buf *out, struct str s);
