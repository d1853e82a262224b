/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * text: a sentence of a rule, with places for values: "Intune lives in scale unit {unit:upper}".
 *
 * A place is {NAME} or {NAME:ARGUMENT}; {{ and }} stand for the braces themselves. A sentence one
 * of whose values is not known is not said at all: so a rule can list what it would say of a run,
 * and each run gets the sentences that are true of it.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

struct text_piece {
    struct str literal;
    struct str name, argument; /* name empty: the piece is the literal alone */
    struct text_piece *next;
};

struct text {
    struct text_piece *pieces;
    struct text *next; /* the following sentence */
};

/* Writes the value, or returns false when there is none. */
struct text_values {
    bool (*put)(const void *ctx, struct str name, struct str argument, struct buf *out);
    const void *ctx;
};

/* NULL, or why it is not a text: a sentence for the rule's author. */
const char *text_parse(struct arena *arena, struct str source, struct text *ret_text);

/* One sentence; false, and nothing appended, when a value is missing. */
bool text_put(const struct text *text, const struct text_values *values, struct buf *out);
/* All of a chain as it was written, with its places; a space between the sentences. */
void texts_put_source(const struct text *first, struct buf *out);
/* Those of a chain whose values are known, a space between. */
void texts_put(const struct text *first, const struct text_values *values, struct buf *out);
