/* SPDX-License-Identifier: GPL-3.0-or-later */
/* address: socket addresses as text and by their parts. IPv4 in IPv6 (::ffff:0:0/96) is IPv4. */
#pragma once

#include "base/err.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum { ADDRESS_TEXT = INET6_ADDRSTRLEN + 8 }; /* room for "[ADDR]:PORT" */

/* An IPv4 address that came in IPv6 clothes becomes one. */
void address_unmap(struct sockaddr_storage *a);
socklen_t address_bytes(const struct sockaddr_storage *a);
uint16_t address_port(const struct sockaddr_storage *a);
void address_set_port(struct sockaddr_storage *a, uint16_t port);

/* "192.0.2.1", "2001:db8::1"; with the port "192.0.2.1:80", "[2001:db8::1]:80". */
struct str address_text(const struct sockaddr_storage *a, char text[static ADDRESS_TEXT]);
struct str address_port_text(const struct sockaddr_storage *a, char text[static ADDRESS_TEXT]);

/* An address literal without brackets; false when it is a name. The port is 0. */
bool address_parse(struct str literal, struct sockaddr_storage *ret_address);

bool address_is_loopback(const struct sockaddr_storage *a);

/* "[ADDR:]PORT" as options have it; without an address *ret_host is empty. */
bool address_parse_listen(struct str text, struct str *ret_host, uint16_t *ret_port);
