/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * exchange: one plain HTTP request and its response. The request's body and the response are passed
 * on as they come, at the same time if need be; bodies keep their framing.
 *
 * A request that may be sent twice (RFC 9110, section 9.2.2), and that has no body, goes over the
 * connection of the exchange before when it is for the same server; and once more over a new one
 * when the server closes just then. Any other has a new connection.
 */
#pragma once

#include "sources/proxy/admit.h"
#include "sources/proxy/client.h"

/* The flow is open; the head's bytes are still at the front of c->in and are eaten here. */
void exchange_start(struct client *c, const struct http1_head *head, size_t head_bytes,
                    const struct url *url, const struct admission *admission);
void exchange_device_ready(struct client *c, unsigned events);
void exchange_server_ready(struct client *c, unsigned events);
void exchange_idle(struct client *c);
void exchange_destroy(struct exchange *x); /* NULL is fine */
