/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/networks.h"

#include "base/xalloc.h"
#include "sources/proxy/policy.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct networks {
    networks_read *read;
    void *ctx;
    struct attachment at[NETWORKS_MAX];
    size_t n;
    uint64_t read_at_us;
    bool was_read;
};

/* How many bits of a mask are set before the first that is not. */
static unsigned length_of(const uint8_t *mask, unsigned bits)
{
    unsigned n = 0;

    while (n < bits && mask[n / 8] & 0x80 >> n % 8)
        n++;
    return n;
}

/* What getifaddrs gives is not laid out for more than its own type. */
static void bytes_of(const struct sockaddr *a, sa_family_t family, uint8_t ret_address[16])
{
    struct sockaddr_storage copy = {0};

    memcpy(&copy, a, family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
    copy.ss_family = family;
    policy_address(&copy, ret_address);
}

static bool is_address(const struct ifaddrs *at)
{
    return at->ifa_addr &&
           (at->ifa_addr->sa_family == AF_INET || at->ifa_addr->sa_family == AF_INET6);
}

/* Behind an interface that is down, or that leads back here, there is no network. */
static uint8_t network_bits(const struct ifaddrs *at)
{
    sa_family_t family = at->ifa_addr->sa_family;
    unsigned from = family == AF_INET ? CIDR_V4_AT : 0, length;
    uint8_t mask[16];

    if (!at->ifa_netmask || !(at->ifa_flags & IFF_UP) || at->ifa_flags & IFF_LOOPBACK)
        return 0;
    bytes_of(at->ifa_netmask, family, mask);
    length = length_of(mask + from / 8, CIDR_BITS - from);
    return length ? (uint8_t)(from + length) : 0;
}

static void attach(const struct ifaddrs *at, struct attachment *ret_attachment)
{
    bytes_of(at->ifa_addr, at->ifa_addr->sa_family, ret_attachment->address);
    ret_attachment->bits = network_bits(at);
}

static size_t read_interfaces(void *ctx, struct attachment *ret_attachments)
{
    struct ifaddrs *all = NULL;
    size_t n = 0;

    (void)ctx;
    if (getifaddrs(&all) < 0)
        return 0;
    for (const struct ifaddrs *at = all; at && n < NETWORKS_MAX; at = at->ifa_next)
        if (is_address(at))
            attach(at, &ret_attachments[n++]);
    freeifaddrs(all);
    return n;
}

struct networks *networks_create(networks_read *read, void *ctx)
{
    struct networks *n = xalloc(sizeof *n);

    n->read = read ? read : read_interfaces;
    n->ctx = ctx;
    return n;
}

void networks_destroy(struct networks *n)
{
    free(n);
}

static bool is_in_network(const struct attachment *at, const uint8_t address[16])
{
    struct cidr network = {.bits = at->bits};

    memcpy(network.prefix, at->address, sizeof network.prefix);
    return at->bits && cidr_contains(&network, address);
}

static bool is_own(const struct attachment *at, const uint8_t address[16])
{
    return memcmp(at->address, address, sizeof at->address) == 0;
}

typedef bool attachment_fits(const struct attachment *at, const uint8_t address[16]);

static bool find(const struct networks *n, attachment_fits *fits, const uint8_t address[16])
{
    for (size_t i = 0; i < n->n; i++)
        if (fits(&n->at[i], address))
            return true;
    return false;
}

/* False: they were read just now. */
static bool read_again(struct networks *n, uint64_t now_us)
{
    if (n->was_read && now_us < n->read_at_us + NETWORKS_READ_US)
        return false;
    n->n = n->read(n->ctx, n->at);
    n->read_at_us = now_us;
    n->was_read = true;
    return true;
}

static bool look(struct networks *n, attachment_fits *fits, const uint8_t address[16],
                 uint64_t now_us)
{
    return find(n, fits, address) || (read_again(n, now_us) && find(n, fits, address));
}

bool networks_hold(struct networks *n, const uint8_t address[16], uint64_t now_us)
{
    return look(n, is_in_network, address, now_us);
}

bool networks_own(struct networks *n, const uint8_t address[16], uint64_t now_us)
{
    return look(n, is_own, address, now_us);
}
