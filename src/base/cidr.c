/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/cidr.h"

#include <arpa/inet.h>
#include <string.h>

void cidr_map_v4(const void *v4, uint8_t ret_address[16])
{
    memset(ret_address, 0, 10);
    memset(ret_address + 10, 0xff, 2);
    memcpy(ret_address + 12, v4, 4);
}

/* *ret_at: how many bits of the 16 bytes come before those that its lengths count. */
static bool parse_address(struct str text, uint8_t ret_address[16], unsigned *ret_at)
{
    char terminated[INET6_ADDRSTRLEN];
    struct in_addr v4;

    if (!text.n || text.n >= sizeof terminated || memchr(text.p, '\0', text.n))
        return false;
    memcpy(terminated, text.p, text.n);
    terminated[text.n] = '\0';
    *ret_at = 0;
    if (inet_pton(AF_INET6, terminated, ret_address) == 1)
        return true;
    if (inet_pton(AF_INET, terminated, &v4) != 1)
        return false;
    cidr_map_v4(&v4, ret_address);
    *ret_at = CIDR_V4_AT;
    return true;
}

static bool ends_in_zeros(const struct cidr *cidr)
{
    for (unsigned bit = cidr->bits; bit < CIDR_BITS; bit++)
        if (cidr->prefix[bit / 8] & 0x80 >> bit % 8)
            return false;
    return true;
}

const char *cidr_parse(struct str text, struct cidr *ret_cidr)
{
    bool has_bits = str_find(text, '/') < text.n;
    struct str address = str_cut(&text, '/');
    struct cidr cidr = {.bits = CIDR_BITS};
    unsigned at = 0;
    uint64_t bits;

    if (!parse_address(address, cidr.prefix, &at))
        return "expected an address or a network (192.0.2.7, 10.0.0.0/8, fd00::/8)";
    if (has_bits) {
        if (!str_to_u64(text, &bits) || bits > CIDR_BITS - at)
            return at ? "the length of an IPv4 network is from 0 to 32"
                      : "the length of an IPv6 network is from 0 to 128";
        cidr.bits = (uint8_t)(at + bits);
    }
    if (!ends_in_zeros(&cidr))
        return "the address has bits set after the network's length";
    *ret_cidr = cidr;
    return NULL;
}

void cidr_put(struct buf *out, const struct cidr *cidr)
{
    static const struct cidr all_v4 = CIDR_V4(0, 0, 0, 0, 0);
    bool is_v4 = cidr->bits >= CIDR_V4_AT && cidr_contains(&all_v4, cidr->prefix);
    unsigned at = is_v4 ? CIDR_V4_AT : 0;
    char text[INET6_ADDRSTRLEN] = "";

    inet_ntop(is_v4 ? AF_INET : AF_INET6, cidr->prefix + at / 8, text, sizeof text);
    buf_printf(out, "%s/%u", text, cidr->bits - at);
}

bool cidr_contains(const struct cidr *cidr, const uint8_t address[16])
{
    unsigned bytes = cidr->bits / 8, bits = cidr->bits % 8;

    if (memcmp(cidr->prefix, address, bytes) != 0)
        return false;
    return !bits || (cidr->prefix[bytes] ^ address[bytes]) >> (8 - bits) == 0;
}
