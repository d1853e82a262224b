/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cidr: the addresses that have their first bits in common (RFC 4632). An address is 16 bytes; an
 * IPv4 one is written as IPv6 has it, ::ffff:a.b.c.d, so its networks have 96 bits and more.
 */
#pragma once

#include "base/buf.h"

enum { CIDR_BITS = 128, CIDR_V4_AT = 96 };

struct cidr {
    uint8_t prefix[16];
    uint8_t bits;
};

/* For tables: CIDR_V4(10, 0, 0, 0, 8). */
#define CIDR_V4(a, b, c, d, n)                                                                     \
    {                                                                                              \
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}, CIDR_V4_AT + n                     \
    }

/*
 * "192.168.0.0/16", "2001:db8::/32", or an address alone: that one. NULL, or what is wrong with it.
 * Bits after the prefix must be 0, as whoever wrote them means either another address or another
 * length.
 */
const char *cidr_parse(struct str text, struct cidr *ret_cidr);
void cidr_put(struct buf *out, const struct cidr *cidr); /* as it is parsed, with its length */
bool cidr_contains(const struct cidr *cidr, const uint8_t address[16]);

/* The 4 bytes of an IPv4 address as 16. */
void cidr_map_v4(const void *v4, uint8_t ret_address[16]);
