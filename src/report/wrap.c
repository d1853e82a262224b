/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/wrap.h"

#include "base/utf8.h"

struct range {
    uint32_t first, last;
};

/* Unicode's East_Asian_Width W and F, in blocks; and the marks that take no column. */
static const struct range wide[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
    {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};
static const struct range marks[] = {
    {0x0300, 0x036f}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};

static bool in_ranges(uint32_t c, const struct range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

static unsigned columns_of(uint32_t c)
{
    if (c < 0x300 || c == UTF8_BAD)
        return 1;
    if (in_ranges(c, marks, sizeof marks / sizeof *marks))
        return 0;
    return in_ranges(c, wide, sizeof wide / sizeof *wide) ? 2 : 1;
}

unsigned text_columns(struct str text)
{
    unsigned columns = 0;

    while (text.n)
        columns += columns_of(utf8_next(&text));
    return columns;
}

void put_fitted(struct buf *out, struct str text, unsigned columns)
{
    unsigned used = 0;

    if (text_columns(text) <= columns) {
        utf8_put_safe(out, text);
        return;
    }
    while (text.n) {
        struct str whole = text;
        unsigned more = columns_of(utf8_next(&text));

        if (used + more + 1 > columns)
            break;
        utf8_put_safe(out, str_head(whole, whole.n - text.n));
        used += more;
    }
    if (columns)
        buf_put_str(out, STR("…"));
}

void put_padding(struct buf *out, unsigned at, unsigned to)
{
    for (; at < to; at++)
        buf_put_byte(out, ' ');
}

static void new_line(struct buf *out, unsigned indent)
{
    buf_put_byte(out, '\n');
    put_padding(out, 0, indent);
}

/* One line of the text; returns nothing of where it ended, since a new line follows anyway. */
static void wrap_line(struct buf *out, struct str line, unsigned at, unsigned indent,
                      unsigned width)
{
    bool first = true;

    for (struct str word = str_word(&line); word.n; word = str_word(&line)) {
        unsigned columns = text_columns(word);

        if (!first && width && at + 1 + columns > width) {
            new_line(out, indent);
            at = indent;
        } else if (!first) {
            buf_put_byte(out, ' ');
            at++;
        }
        utf8_put_safe(out, word);
        at += columns;
        first = false;
    }
}

void put_wrapped(struct buf *out, struct str text, unsigned at, unsigned indent, unsigned width)
{
    struct str line;

    for (bool first = true; str_line(&text, &line); first = false) {
        if (!first) {
            new_line(out, indent);
            at = indent;
        }
        wrap_line(out, line, at, indent, width);
    }
}
