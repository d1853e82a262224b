/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wrap: text laid out for a width counted in terminal columns. */
#pragma once

#include "base/buf.h"

enum { WRAP_NEVER = 0 }; /* as a width: lines are as long as they are */

/* How many columns a text takes when a terminal shows it: wide characters two, marks none. */
unsigned text_columns(struct str text);

/* Appends at most `columns` columns of the text, made safe; what is cut ends in an ellipsis. */
void put_fitted(struct buf *out, struct str text, unsigned columns);

/* Spaces from column `at` to column `to`; none when it is already past it. */
void put_padding(struct buf *out, unsigned at, unsigned to);

/*
 * Appends the text, made safe, from column `at` on, broken at spaces so that no line passes
 * `width`; further lines begin at column `indent`. A newline in the text begins a new line. A word
 * that is longer than a line is not broken. No newline at the end.
 */
void put_wrapped(struct buf *out, struct str text, unsigned at, unsigned indent, unsigned width);
