/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Up to three bytes as four characters. */
static void put_group(struct buf *out, struct str bytes)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 3; i++)
        bits = bits << 8 | (i < bytes.n ? (uint8_t)bytes.p[i] : 0);
    for (size_t i = 0; i < 4; i++)
        buf_put_byte(out, i <= bytes.n ? (uint8_t)digits[bits >> (18 - 6 * i) & 63] : '=');
}

void base64_put(struct buf *out, struct str bytes)
{
    for (; bytes.n; bytes = str_skip(bytes, 3))
        put_group(out, str_head(bytes, 3));
}

/* Four characters, of which the last `padding` are '='. */
static bool read_group(struct str text, size_t padding, struct buf *out)
{
    const struct str all = str_of(digits);
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        size_t digit = i < 4 - padding ? str_find(all, text.p[i]) : 0;

        if (digit == all.n)
            return false;
        bits = bits << 6 | (uint32_t)digit;
    }
    if (bits & ((1u << 8 * padding) - 1)) /* a second way to write the same bytes */
        return false;
    for (size_t i = 0; i < 3 - padding; i++)
        buf_put_byte(out, (uint8_t)(bits >> (16 - 8 * i)));
    return true;
}

static size_t padding_of(struct str text)
{
    return str_ends(text, STR("==")) ? 2 : str_ends(text, STR("=")) ? 1 : 0;
}

bool base64_read(struct str text, struct buf *out)
{
    size_t before = out->n;

    if (text.n % 4)
        return false;
    for (; text.n; text = str_skip(text, 4))
        if (!read_group(text, text.n == 4 ? padding_of(text) : 0, out)) {
            out->n = before;
            return false;
        }
    return true;
}
