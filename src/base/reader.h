/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reader: a cursor over bytes from outside.
 *
 * A read past the end returns zero, or an empty str, and sets `bad`; from then on every read does.
 * So a parser reads straight down the format and asks once, at the end, whether it held.
 */
#pragma once

#include "base/str.h"

struct reader {
    struct str rest;
    bool bad;
};

struct reader reader_of(struct str bytes);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16be(struct reader *r);
uint32_t reader_u24be(struct reader *r);
uint32_t reader_u32be(struct reader *r);
uint64_t reader_varint(struct reader *r); /* LEB128, at most 10 bytes; longer or wider is bad */
struct str reader_take(struct reader *r, size_t n);
struct reader reader_sub(struct reader *r, size_t n); /* the next n bytes, as their own reader */
