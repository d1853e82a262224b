/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * policy: whom the proxy serves, and where it never goes. It stands on a lab network among
 * strangers' devices and must be neither an open relay nor a way in. Destinations are judged by the
 * address that is dialled, whatever name led to it.
 */
#pragma once

#include "base/cidr.h"

#include <sys/socket.h>

/* Private, link-local and loopback addresses alone (RFC 1918, RFC 4193). */
bool policy_serves(const struct sockaddr_storage *client);

/* NULL, or what sort of address it is that the proxy does not relay to. */
const char *policy_refuses(const struct sockaddr_storage *server);

/*
 * The private address space (RFC 1918, RFC 4193, RFC 6598) that an address is of, and its bytes; or
 * NULL. Of an IPv6 address that carries an IPv4 one, that one is meant.
 */
const struct cidr *policy_private(const struct sockaddr_storage *server, uint8_t ret_address[16]);

/* An address as base/cidr.h has it. */
void policy_address(const struct sockaddr_storage *a, uint8_t ret_address[16]);
/* The IPv4 address that an IPv6 address carries, and so leads to; false when it carries none. */
bool policy_carried(const struct sockaddr_storage *a, uint8_t ret_address[16]);

/* The proxy's own port on one of this machine's addresses: relaying there would never end. */
bool policy_is_self(const struct sockaddr_storage *server, uint16_t own_port);
