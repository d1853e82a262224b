/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * upstream: the proxy behind this one. A tunnel through it is asked for with CONNECT, as the device
 * asked us (RFC 9110, section 9.3.6). What goes wrong there is told apart from what goes wrong at
 * the origin: the refusal names the upstream proxy, and its answer is observed as its own.
 */
#pragma once

#include "sources/proxy/client.h"
#include "sources/proxy/rules.h"

struct ask;

/* Host and port of the origin. What is needed of the upstream is copied. */
struct ask *ask_create(struct str host, uint16_t port, const struct upstream *upstream);
void ask_destroy(struct ask *a); /* NULL is fine */

/* The upstream is connected as c->server: sends the question. */
void ask_send(struct ask *a, struct client *c);
/*
 * Reads its answer from c->server. DONE: the tunnel is there; *ret_rest is what came behind the
 * answer, as long as the ask lives. ODD: it is not, and *ret_refusal says why.
 */
enum parsed ask_read(struct ask *a, struct client *c, struct str *ret_rest,
                     struct refusal *ret_refusal);
void ask_is_late(const struct ask *a, struct refusal *ret_refusal);

/* The upstream has refused a plain request, with a 407 that the device is not to see as ours. */
void upstream_refused(struct refusal *ret_refusal, unsigned status, struct str host);
