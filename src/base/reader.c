/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/reader.h"

struct reader reader_of(struct str bytes)
{
    return (struct reader){.rest = bytes};
}

struct str reader_take(struct reader *r, size_t n)
{
    if (r->bad || n > r->rest.n) {
        r->bad = true;
        r->rest.n = 0;
        return (struct str){0};
    }

    struct str taken = str_head(r->rest, n);
    r->rest = str_skip(r->rest, n);
    return taken;
}

static uint32_t take_be(struct reader *r, size_t n)
{
    struct str bytes = reader_take(r, n);
    uint32_t value = 0;

    for (size_t i = 0; i < bytes.n; i++)
        value = value << 8 | (uint8_t)bytes.p[i];
    return value;
}

uint8_t reader_u8(struct reader *r)
{
    return (uint8_t)take_be(r, 1);
}

uint16_t reader_u16be(struct reader *r)
{
    return (uint16_t)take_be(r, 2);
}

uint32_t reader_u24be(struct reader *r)
{
    return take_be(r, 3);
}

uint32_t reader_u32be(struct reader *r)
{
    return take_be(r, 4);
}

uint64_t reader_varint(struct reader *r)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = reader_u8(r);

        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return r->bad ? 0 : value;
    }
    r->bad = true;
    r->rest.n = 0;
    return 0;
}

struct reader reader_sub(struct reader *r, size_t n)
{
    struct str bytes = reader_take(r, n);

    return (struct reader){.rest = bytes, .bad = r->bad};
}
