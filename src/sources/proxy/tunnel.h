/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tunnel: bytes both ways, unopened, each direction ending by itself. The TLS handshake is read in
 * passing, and nothing is held back for it. An idle tunnel keeps no buffer and no pipe.
 *
 * Bytes are copied, until a direction once fills a whole read; then they are spliced for as long as
 * much comes at a time. Copying is the cheaper way for little, splicing for much.
 */
#pragma once

#include "sources/proxy/admit.h"
#include "sources/proxy/client.h"

/* CONNECT or SOCKS: the flow is open, the head has been eaten, c->in may hold the first bytes. */
void tunnel_dial(struct client *c, struct str host, uint16_t port,
                 const struct admission *admission);
/* The server is connected already (101); `first` is what it has sent behind its head. */
void tunnel_start(struct client *c, struct str first);
void tunnel_device_ready(struct client *c, unsigned events);
void tunnel_server_ready(struct client *c, unsigned events);
void tunnel_idle(struct client *c);
void tunnel_destroy(struct client *c); /* the client's; there may be none */
