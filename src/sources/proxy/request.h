/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * request: from a whole head to what it asks for: a tunnel, an exchange, something of our own, or a
 * refusal. Here the flow is opened and the request observed.
 */
#pragma once

#include "sources/proxy/client.h"

/* The head is the first bytes of c->in. Afterwards the client is in another state. */
void request_begin(struct client *c, size_t head_bytes);
