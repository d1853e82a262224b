/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * networks: this machine's own addresses, and the networks that it is attached to, as its
 * interfaces have them. They change while the proxy runs (a cable, a VPN), so before an address is
 * found to be none of them they are read again, at most every NETWORKS_READ_US. One for each
 * thread.
 */
#pragma once

#include "base/cidr.h"

#define NETWORKS_READ_US UINT64_C(5000000)

enum { NETWORKS_MAX = 256 };

/* An address of an interface, and how many of its bits those in its network have in common. */
struct attachment {
    uint8_t address[16];
    uint8_t bits; /* 0: no network is reached through it */
};

/* Fills in at most NETWORKS_MAX; the number of them. */
typedef size_t networks_read(void *ctx, struct attachment *ret_attachments);

struct networks;

struct networks *networks_create(networks_read *read, void *ctx); /* NULL: from the interfaces */
void networks_destroy(struct networks *n);                        /* NULL is fine */

/* Whether the address is in one of the networks, and whether it is one of this machine's own. */
bool networks_hold(struct networks *n, const uint8_t address[16], uint64_t now_us);
bool networks_own(struct networks *n, const uint8_t address[16], uint64_t now_us);
