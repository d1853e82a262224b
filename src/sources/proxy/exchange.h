/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * exchange: one plain HTTP request and its response. Each has a connection of its own to the
 * server. The request's body and the response are passed on as they come, at the same time if need
 * be; bodies keep their framing.
 */
#pragma once

#include "sources/proxy/client.h"

/* The flow is open; the head's bytes are still at the front of c->in and are eaten here. */
void exchange_start(struct client *c, const struct http1_head *head, size_t head_bytes,
                    const struct url *url);
void exchange_device_ready(struct client *c, unsigned events);
void exchange_server_ready(struct client *c, unsigned events);
void exchange_idle(struct client *c);
void exchange_destroy(struct exchange *x); /* NULL is fine */
