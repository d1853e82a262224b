/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * addresses: what a name leads to, both families apart, each in the order it came in. At most
 * ADDRESSES_MAX of a family are kept; further ones are left out.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADDRESSES_MAX = 16 };

/* In the order of preference (RFC 6724, section 2.1). */
enum family { FAMILY_V6, FAMILY_V4, FAMILY_COUNT };

struct addresses {
    uint8_t count[FAMILY_COUNT];
    struct in6_addr v6[ADDRESSES_MAX];
    struct in_addr v4[ADDRESSES_MAX];
};

int family_number(enum family family); /* AF_INET6 or AF_INET */
enum family family_other(enum family family);

/* `bytes`: a struct in6_addr or in_addr. */
void addresses_add(struct addresses *a, enum family family, const void *bytes);
void addresses_add_all(struct addresses *a, const struct addresses *more);
/* False, and nothing added: it is no address literal. IPv6 without brackets. */
bool addresses_add_literal(struct addresses *a, const char *literal);

/* The i-th of a family; the port is 0. */
struct sockaddr_storage addresses_at(const struct addresses *a, enum family family, size_t i);
