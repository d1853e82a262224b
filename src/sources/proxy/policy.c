/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/policy.h"

#include "sources/proxy/address.h"

#include <string.h>
#include <unistd.h>

/* The first `bits` of an address, written as IPv6; IPv4 stands after 96 bits of ::ffff:0:0. */
struct range {
    uint8_t prefix[16];
    unsigned bits;
    const char *says;
};

#define V4(a, b, c, d, n, says)                                                                    \
    {                                                                                              \
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}, 96 + n, says                       \
    }

static const struct range served[] = {
    V4(127, 0, 0, 0, 8, "loopback"),
    V4(10, 0, 0, 0, 8, "private"),
    V4(172, 16, 0, 0, 12, "private"),
    V4(192, 168, 0, 0, 16, "private"),
    V4(169, 254, 0, 0, 16, "link-local"),
    {{[15] = 1}, 128, "loopback"},
    {{0xfc}, 7, "private"},
    {{0xfe, 0x80}, 10, "link-local"},
};

/* The first that matches counts. */
static const struct range refused[] = {
    V4(169, 254, 169, 254, 32, "cloud metadata"),
    V4(168, 63, 129, 16, 32, "cloud metadata"),
    V4(100, 100, 100, 200, 32, "cloud metadata"),
    V4(0, 0, 0, 0, 8, "unspecified"),
    V4(127, 0, 0, 0, 8, "loopback"),
    V4(169, 254, 0, 0, 16, "link-local"),
    V4(224, 0, 0, 0, 4, "multicast"),
    V4(240, 0, 0, 0, 4, "reserved"),
    {{0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54}, 128, "cloud metadata"},
    {{0xfd, 0x20, 0x00, 0xce, [14] = 0x02, 0x54}, 128, "cloud metadata"},
    {{0}, 128, "unspecified"},
    {{[15] = 1}, 128, "loopback"},
    {{0xfe, 0x80}, 10, "link-local"},
    {{0xff}, 8, "multicast"},
};

/* IPv6 addresses that carry an IPv4 one, and where: what they lead to is what counts. */
static const struct {
    struct range range;
    unsigned at;
} carriers[] = {
    {{{0x00, 0x64, 0xff, 0x9b}, 96, "NAT64 (RFC 6052)"}, 12},
    {{{0x20, 0x02}, 16, "6to4 (RFC 3056)"}, 2},
    {{{0}, 96, "IPv4-compatible (RFC 4291)"}, 12},
};

static bool contains(const struct range *range, const uint8_t address[16])
{
    unsigned bytes = range->bits / 8, bits = range->bits % 8;

    if (memcmp(range->prefix, address, bytes) != 0)
        return false;
    return !bits || (range->prefix[bytes] ^ address[bytes]) >> (8 - bits) == 0;
}

static const char *find(const struct range *ranges, size_t n, const uint8_t address[16])
{
    for (size_t i = 0; i < n; i++)
        if (contains(&ranges[i], address))
            return ranges[i].says;
    return NULL;
}

static void map_v4(const void *v4, uint8_t ret_address[16])
{
    memset(ret_address, 0, 10);
    memset(ret_address + 10, 0xff, 2);
    memcpy(ret_address + 12, v4, 4);
}

static void bytes_of(const struct sockaddr_storage *a, uint8_t ret_address[16])
{
    if (a->ss_family == AF_INET)
        map_v4(&((const struct sockaddr_in *)a)->sin_addr, ret_address);
    else
        memcpy(ret_address, &((const struct sockaddr_in6 *)a)->sin6_addr, 16);
}

bool policy_serves(const struct sockaddr_storage *client)
{
    uint8_t address[16];

    bytes_of(client, address);
    return find(served, sizeof served / sizeof *served, address);
}

const char *policy_refuses(const struct sockaddr_storage *server)
{
    const size_t n = sizeof refused / sizeof *refused;
    uint8_t address[16], carried[16];
    const char *says;

    bytes_of(server, address);
    says = find(refused, n, address);
    for (size_t i = 0; !says && i < sizeof carriers / sizeof *carriers; i++)
        if (contains(&carriers[i].range, address)) {
            map_v4(address + carriers[i].at, carried);
            says = find(refused, n, carried);
        }
    return says;
}

/* The kernel would send from the very address that it sends to. Nothing is sent. */
static bool is_of_this_machine(const struct sockaddr_storage *a)
{
    struct sockaddr_storage from = {0};
    socklen_t n = sizeof from;
    uint8_t own[16], other[16];
    int fd = socket(a->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool same = false;

    if (fd < 0)
        return false;
    if (connect(fd, (const void *)a, address_bytes(a)) == 0 &&
        getsockname(fd, (void *)&from, &n) == 0) {
        bytes_of(&from, own);
        bytes_of(a, other);
        same = memcmp(own, other, sizeof own) == 0;
    }
    close(fd);
    return same;
}

bool policy_is_self(const struct sockaddr_storage *server, uint16_t own_port)
{
    struct sockaddr_storage plain = *server;

    address_unmap(&plain);
    return address_port(&plain) == own_port && is_of_this_machine(&plain);
}
