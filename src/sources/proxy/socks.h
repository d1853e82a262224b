/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * socks: a device that speaks SOCKS 5 (RFC 1928) on the proxy's port: CONNECT alone, names resolved
 * here. A connection is one tunnel. How it logs in, and that it does when it has to, is RFC 1929.
 */
#pragma once

#include "sources/proxy/client.h"

struct socks;

bool socks_begins(char first_byte);
struct socks *socks_create(void);
void socks_destroy(struct socks *s); /* NULL is fine */

/* Reads on in c->in. False: more is wanted; true: something came of it. */
bool socks_read(struct client *c);
/* Its request is granted, or refused as far as it got. */
void socks_grant(struct client *c);
void socks_refuse(struct client *c, const struct refusal *refusal);
