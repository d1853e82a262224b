/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * proxy: the forward proxy. HTTP/1.1 in absolute-form and CONNECT (RFC 9110, RFC 9112), and SOCKS 5
 * on the same ports; TLS is tunnelled unopened and its ClientHello read in passing. Every flow is
 * observed while it lives, and closed once, also one that was refused or whose device left.
 *
 * A tunnel is a flow, and so is each plain request on a connection. Bytes are counted as they
 * arrive: of a tunnel what passes through it, of a request and its response the heads and bodies.
 * Of a URL the names in its query are kept and the values are not; of a head no field is kept but
 * the User-Agent and the Content-Type.
 *
 * Whom it serves, where it goes and what it does on the way is in rules.h. By default only private
 * and loopback clients are served, and nothing is ever relayed to loopback, link-local, multicast
 * or cloud metadata addresses or to this machine's own, but where connect_to or the dial hook
 * leads; and to the proxy itself not even there. What a client can make grow, and how long it can
 * wait, is in private.h.
 */
#pragma once

#include "loop/loop.h"
#include "obs/devices.h"
#include "obs/stream.h"
#include "sources/proxy/counters.h"

#include <sys/socket.h>

struct credentials;
struct proxy;
struct rules;

struct proxy_options {
    const char *const *listen; /* "[ADDR:]PORT[=NAME]" each; port 0: the kernel picks */
    size_t listen_count;
    const int *fds; /* sockets that listen already; taken, also by a call that fails */
    size_t fd_count;
    unsigned threads;    /* a loop in each; 0: the caller's loop does it all, under any clock */
    struct rules *rules; /* the proxy is another holder; NULL: the defaults */
    struct credentials *credentials; /* likewise; NULL: nobody has to log in */
    const char *const *connect_to;   /* HOST:PORT:ADDR:PORT as curl's; empty fields match all */
    size_t connect_to_count;
    const char *const *direct; /* patterns of hosts that the PAC file sends past the proxy */
    size_t direct_count;
    const char *name_server; /* NULL: the system's */
    /*
     * Where a resolved address is really dialled, for a rehearsal whose internet is on loopback:
     * rewrites it in place. NULL: where it says. Without threads alone.
     */
    void (*dial)(void *ctx, struct sockaddr_storage *address);
    void *dial_ctx;
    /*
     * Whether a host (in lower case) is served: 0, or the status that it is refused with (403, or
     * 407 for want of credentials). NULL: every host is. Without threads alone.
     */
    unsigned (*refuse)(void *ctx, struct str host);
    void *refuse_ctx;
};

/*
 * The options need live no longer than the call, but for what `listen` points to (the names of
 * devices are views into it) and the hooks.
 */
int proxy_create(struct loop *loop, struct stream *stream, struct devices *devices,
                 const struct proxy_options *options, struct proxy **ret_proxy, struct err *err);

size_t proxy_port_count(const struct proxy *p);
uint16_t proxy_port(const struct proxy *p, size_t i);
struct str proxy_address(const struct proxy *p, size_t i); /* "ADDR:PORT", for people */

/* What it has done so far, of all its workers. */
void proxy_counters(const struct proxy *p, struct counters *ret_sum);

/* For flows from now on; those that are open keep theirs. The proxy is another holder. */
void proxy_set_rules(struct proxy *p, struct rules *rules);
/* Likewise, for who logs in from now on; only where there were some from the beginning. */
void proxy_set_credentials(struct proxy *p, struct credentials *credentials);

/*
 * No new flows. Open ones get until grace_us from now to end; `done` is called in the loop when
 * there is none any more, or that time is over.
 */
void proxy_drain(struct proxy *p, uint64_t grace_us, void (*done)(void *ctx), void *ctx);
/*
 * Open flows are closed and observed as such (shutdown). When it returns nothing more will be
 * observed. Idempotent.
 */
void proxy_stop(struct proxy *p);
void proxy_destroy(struct proxy *p); /* NULL is fine */
