/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dial: from a host and port to a connected socket. Resolves the name, keeps the addresses that
 * policy allows, and tries them in turn, families alternating, the next one a quarter second after
 * the last or as soon as it failed; the first that connects wins (RFC 8305, in its simple form).
 * What it meets is observed in the flow.
 */
#pragma once

#include "sources/proxy/answer.h"
#include "sources/proxy/flow.h"
#include "sources/proxy/private.h"

struct dial;

/* fd: the caller's, or -1 and why not. The dial has ended. */
typedef void dial_done(void *ctx, int fd, const struct refusal *refusal);

/* `done` is called later, never before this returns; perhaps in the same round. */
struct dial *dial_start(struct proxy *p, struct flow *flow, struct str host, uint16_t port,
                        dial_done *done, void *ctx);
void dial_cancel(struct dial *d); /* without a call; NULL is fine */
