/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * names: the name server of a simulated internet. Every host that was added has an IPv4 address of
 * its own out of 198.18.0.0/15, which is set aside for tests of networks (RFC 2544) and so is
 * nobody's; all other names do not exist. It listens on loopback, over UDP (RFC 1035).
 */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"

#include <netinet/in.h>

struct names;

int names_create(struct loop *loop, struct names **ret_names, struct err *err);
void names_destroy(struct names *n);

void names_add(struct names *n, struct str name); /* in lower case; twice is once */
bool names_know(const struct names *n, struct str name);
const char *names_server(const struct names *n); /* "127.0.0.1:PORT" */

/* The host that has the address, or the empty str. */
struct str names_host_of(const struct names *n, struct in_addr address);

/* The answer to one message; nothing is written when it deserves none. */
enum { NAMES_MESSAGE_MAX = 512 };
void names_answer(const struct names *n, struct str message, struct buf *out);
