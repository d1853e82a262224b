/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * proxy: the forward proxy. HTTP/1.1 in absolute-form and CONNECT (RFC 9110, RFC 9112); TLS is
 * tunnelled unopened and its ClientHello read in passing. Every flow is observed while it lives,
 * and closed once, also one that was refused or whose device left.
 *
 * A tunnel is a flow, and so is each plain request on a connection. Bytes are counted as they
 * arrive: of a tunnel what passes through it, of a request and its response the heads and bodies.
 * Of a URL the names in its query are kept and the values are not; of a head no field is kept but
 * the User-Agent and the Content-Type.
 *
 * Only private and loopback clients are served, and nothing is relayed to loopback, link-local,
 * multicast or cloud metadata addresses or to the proxy itself (policy.h), but where connect_to or
 * the dial hook leads. What a client can make grow, and how long it can wait, is in private.h.
 */
#pragma once

#include "loop/loop.h"
#include "obs/devices.h"
#include "obs/stream.h"

#include <sys/socket.h>

struct proxy;

struct proxy_options {
    const char *listen; /* "[ADDR:]PORT"; port 0: the kernel picks; default address: any */
    const char *const *connect_to; /* HOST:PORT:ADDR:PORT as curl's; empty fields match all */
    size_t connect_to_count;
    const char *name_server; /* NULL: the system's */
    /*
     * Where a resolved address is really dialled, for a rehearsal whose internet is on loopback:
     * rewrites it in place. NULL: where it says.
     */
    void (*dial)(void *ctx, struct sockaddr_storage *address);
    void *dial_ctx;
    /*
     * Whether a host (in lower case) is served: 0, or the status that it is refused with (403, or
     * 407 for want of credentials). NULL: every host is.
     */
    unsigned (*refuse)(void *ctx, struct str host);
    void *refuse_ctx;
};

int proxy_create(struct loop *loop, struct stream *stream, struct devices *devices,
                 const struct proxy_options *options, struct proxy **ret_proxy, struct err *err);
uint16_t proxy_port(const struct proxy *p);
struct str proxy_address(const struct proxy *p); /* "ADDR:PORT", for people */

/* No new flows; open ones are closed and observed as such (shutdown). Idempotent. */
void proxy_stop(struct proxy *p);
void proxy_destroy(struct proxy *p);
