/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/policy.h"

#include "sources/proxy/address.h"

#include <string.h>
#include <unistd.h>

/* The address spaces that are not the whole world's. */
static const struct {
    struct cidr cidr;
    bool is_served;  /* its clients are, unless it is said which */
    bool is_private; /* addresses of others' networks, which are reached from inside alone */
} spaces[] = {
    {CIDR_V4(127, 0, 0, 0, 8), true, false},    /* loopback */
    {CIDR_V4(169, 254, 0, 0, 16), true, false}, /* link-local, RFC 3927 */
    {CIDR_V4(10, 0, 0, 0, 8), true, true},      /* RFC 1918 */
    {CIDR_V4(172, 16, 0, 0, 12), true, true},
    {CIDR_V4(192, 168, 0, 0, 16), true, true},
    {CIDR_V4(100, 64, 0, 0, 10), false, true},                 /* a carrier's customers, RFC 6598 */
    {{{[15] = 1}, 128}, true, false},                          /* loopback */
    {{{0xfe, 0x80}, 10}, true, false},                         /* link-local, RFC 4291 */
    {{{0xfc}, 7}, true, true},                                 /* RFC 4193 */
    {{{0xfe, 0xc0}, 10}, false, true},                         /* site-local, RFC 3879 */
    {{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48}, false, true}, /* a network's NAT64, RFC 8215 */
};

/* The first that matches counts. */
static const struct {
    struct cidr cidr;
    const char *says;
} refused[] = {
    {CIDR_V4(169, 254, 169, 254, 32), "cloud metadata"},
    {CIDR_V4(168, 63, 129, 16, 32), "cloud metadata"},
    {CIDR_V4(100, 100, 100, 200, 32), "cloud metadata"},
    {CIDR_V4(0, 0, 0, 0, 8), "unspecified"},
    {CIDR_V4(127, 0, 0, 0, 8), "loopback"},
    {CIDR_V4(169, 254, 0, 0, 16), "link-local"},
    {CIDR_V4(224, 0, 0, 0, 4), "multicast"},
    {CIDR_V4(240, 0, 0, 0, 4), "reserved"},
    {{{0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54}, 128}, "cloud metadata"},
    {{{0xfd, 0x20, 0x00, 0xce, [14] = 0x02, 0x54}, 128}, "cloud metadata"},
    {{{0}, 128}, "unspecified"},
    {{{[15] = 1}, 128}, "loopback"},
    {{{0xfe, 0x80}, 10}, "link-local"},
    {{{0xff}, 8}, "multicast"},
};

/* IPv6 addresses that carry an IPv4 one, and where: what they lead to is what counts. */
static const struct {
    struct cidr cidr;
    unsigned at;
} carriers[] = {
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12}, /* NAT64, RFC 6052 */
    {{{0x20, 0x02}, 16}, 2},              /* 6to4, RFC 3056 */
    {{{0}, 96}, 12},                      /* IPv4-compatible, RFC 4291 */
};

static const char *find_refused(const uint8_t address[16])
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (cidr_contains(&refused[i].cidr, address))
            return refused[i].says;
    return NULL;
}

/* The IPv4 address that an IPv6 address carries; false when it carries none. */
static bool find_carried(const uint8_t address[16], uint8_t ret_carried[16])
{
    for (size_t i = 0; i < sizeof carriers / sizeof *carriers; i++)
        if (cidr_contains(&carriers[i].cidr, address)) {
            cidr_map_v4(address + carriers[i].at, ret_carried);
            return true;
        }
    return false;
}

void policy_address(const struct sockaddr_storage *a, uint8_t ret_address[16])
{
    if (a->ss_family == AF_INET)
        cidr_map_v4(&((const struct sockaddr_in *)a)->sin_addr, ret_address);
    else
        memcpy(ret_address, &((const struct sockaddr_in6 *)a)->sin6_addr, 16);
}

bool policy_carried(const struct sockaddr_storage *a, uint8_t ret_address[16])
{
    uint8_t address[16];

    policy_address(a, address);
    return find_carried(address, ret_address);
}

bool policy_serves(const struct sockaddr_storage *client)
{
    uint8_t address[16];

    policy_address(client, address);
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        if (spaces[i].is_served && cidr_contains(&spaces[i].cidr, address))
            return true;
    return false;
}

const char *policy_refuses(const struct sockaddr_storage *server)
{
    uint8_t address[16], carried[16];
    const char *says;

    policy_address(server, address);
    says = find_refused(address);
    if (!says && find_carried(address, carried))
        says = find_refused(carried);
    return says;
}

const struct cidr *policy_private(const struct sockaddr_storage *server, uint8_t ret_address[16])
{
    uint8_t address[16], carried[16];
    const uint8_t *meant = address;

    policy_address(server, address);
    if (find_carried(address, carried))
        meant = carried;
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        if (spaces[i].is_private && cidr_contains(&spaces[i].cidr, meant)) {
            memcpy(ret_address, meant, sizeof address);
            return &spaces[i].cidr;
        }
    return NULL;
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
        policy_address(&from, own);
        policy_address(a, other);
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
