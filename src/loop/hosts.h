/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hosts: the names that this machine knows without asking: `localhost` and all below it (RFC 6761,
 * section 6.3), and those of the hosts file (hosts(5)). The file is read again when it has changed;
 * whether it has is looked at when a name is wanted, at most once a second. Of a file that passes
 * the ceilings the rest is left out, which is logged.
 */
#pragma once

#include "base/str.h"
#include "loop/addresses.h"
#include "loop/loop.h"

enum { HOSTS_BYTES_MAX = 8 << 20, HOSTS_ADDRESSES_MAX = 1 << 18 };

struct hosts;

/* A file that is not there has no names; it may come later. */
struct hosts *hosts_create(struct loop *loop, const char *path);
void hosts_destroy(struct hosts *h); /* NULL is fine */

/* All addresses that the name has, added to those in *ret_addresses; false: it is not known. */
bool hosts_find(struct hosts *h, struct str name, struct addresses *ret_addresses);
