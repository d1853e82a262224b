/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/imports/har_scan.h"

#include <string.h>

enum { ESCAPE_BEGUN = 5, ESCAPE_DIGITS = 4 };

void har_scan_init(struct har_scan *s, har_found *found, void *ctx)
{
    *s = (struct har_scan){.found = found, .ctx = ctx};
    buf_init(&s->value, HAR_VALUE_BYTES);
}

void har_scan_finish(struct har_scan *s)
{
    buf_finish(&s->value);
}

static void keep(struct har_scan *s, char c)
{
    if (s->part)
        buf_put_byte(&s->value, (uint8_t)c);
}

/* Which part an object is that begins here. */
static enum har_part part_here(const struct har_scan *s)
{
    if (s->part || s->depth < 2 || s->is_array[0] || s->is_array[1] ||
        strcmp(s->keys[0], "log") != 0)
        return HAR_NONE;
    if (s->depth == 3)
        return s->is_array[2] && strcmp(s->keys[1], "entries") == 0 ? HAR_ENTRY : HAR_NONE;
    if (s->depth > 3)
        return HAR_NONE;
    if (strcmp(s->keys[1], "creator") == 0)
        return HAR_CREATOR;
    return strcmp(s->keys[1], "browser") == 0 ? HAR_BROWSER : HAR_NONE;
}

static void open_value(struct har_scan *s, char c)
{
    enum har_part part = c == '{' ? part_here(s) : HAR_NONE;

    if (part) {
        s->part = part;
        s->part_depth = s->depth;
        buf_clear(&s->value);
    }
    if (s->depth < 3)
        s->is_array[s->depth] = c == '[';
    if (s->depth < 2)
        s->keys[s->depth][0] = '\0';
    s->depth++;
    s->expects_key = c == '{';
    keep(s, c);
}

static int close_value(struct har_scan *s, char c)
{
    enum har_part part = s->part;

    keep(s, c);
    s->depth -= s->depth > 0;
    s->expects_key = false;
    if (!part || s->depth != s->part_depth)
        return 0;
    s->part = HAR_NONE;
    return s->found(s->ctx, part, s->value.full ? STR("") : buf_str(&s->value));
}

static void begin_string(struct har_scan *s)
{
    bool is_key = s->expects_key && s->depth >= 1 && s->depth <= 2 && !s->is_array[s->depth - 1];

    s->in_string = true;
    s->string_bytes = 0;
    s->escape = 0;
    s->cuts = false;
    s->key = is_key ? s->keys[s->depth - 1] : NULL;
    s->key_bytes = 0;
    keep(s, '"');
}

static void end_string(struct har_scan *s)
{
    if (s->key)
        s->key[s->key_bytes] = '\0';
    keep(s, '"');
}

static void keep_in_string(struct har_scan *s, char c)
{
    if (s->key && s->key_bytes < sizeof s->keys[0] - 1)
        s->key[s->key_bytes++] = c;
    keep(s, c);
}

/*
 * A long string is cut before an ASCII character that is no part of an escape: the sequence before
 * it, be it UTF-8 or a pair of \u escapes, is whole then.
 */
static void step_string(struct har_scan *s, char c)
{
    s->string_bytes++;
    if (s->escape == ESCAPE_BEGUN)
        s->escape = c == 'u' ? ESCAPE_DIGITS : 0;
    else if (s->escape)
        s->escape--;
    else if (c == '"')
        s->in_string = false;
    else if (c == '\\')
        s->escape = ESCAPE_BEGUN;
    else if (!(c & 0x80) && s->string_bytes > HAR_STRING_BYTES)
        s->cuts = true;

    if (!s->in_string)
        end_string(s);
    else if (!s->cuts)
        keep_in_string(s, c);
}

static int step(struct har_scan *s, char c)
{
    if (s->in_string) {
        step_string(s, c);
        return 0;
    }
    switch (c) {
    case '"':
        begin_string(s);
        return 0;
    case '{':
    case '[':
        open_value(s, c);
        return 0;
    case '}':
    case ']':
        return close_value(s, c);
    case ',':
        s->expects_key = true; /* in an array nobody looks at it */
        break;
    case ':':
        s->expects_key = false;
        break;
    }
    keep(s, c);
    return 0;
}

/* The bytes at the front of a string that end nothing: most of a HAR is such. */
static size_t plain_bytes(const struct har_scan *s, struct str piece)
{
    size_t n = 0,
           room = s->string_bytes < HAR_STRING_BYTES ? HAR_STRING_BYTES - s->string_bytes : 0;

    if (!s->in_string || s->escape || s->key || (!s->cuts && !room))
        return 0;
    if (!s->cuts && piece.n > room)
        piece.n = room;
    while (n < piece.n && piece.p[n] != '"' && piece.p[n] != '\\')
        n++;
    return n;
}

int har_scan_feed(struct har_scan *s, struct str piece)
{
    while (piece.n) {
        size_t n = plain_bytes(s, piece);

        if (n) {
            s->string_bytes += n;
            if (s->part && !s->cuts)
                buf_put(&s->value, piece.p, n);
            piece = str_skip(piece, n);
            continue;
        }

        int r = step(s, piece.p[0]);
        if (r)
            return r;
        piece = str_skip(piece, 1);
    }
    return 0;
}

bool har_scan_complete(const struct har_scan *s)
{
    return !s->depth && !s->in_string;
}
