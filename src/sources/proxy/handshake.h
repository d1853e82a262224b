/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * handshake: what a tunnel's first bytes say in the clear, read in passing: the ClientHello, the
 * answer to it, alerts. It observes and nothing else; the bytes go on without waiting for it.
 */
#pragma once

#include "base/str.h"
#include "sources/proxy/flow.h"

struct handshake;

struct handshake *handshake_create(struct flow *flow);
void handshake_destroy(struct handshake *h); /* NULL is fine */

/* The next bytes of a direction. */
void handshake_read_up(struct handshake *h, struct str bytes);
void handshake_read_down(struct handshake *h, struct str bytes);
/* Nothing in the clear will come any more, from that direction or from both. */
bool handshake_up_is_over(const struct handshake *h);
bool handshake_down_is_over(const struct handshake *h);
