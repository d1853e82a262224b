/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * resolver: names to addresses without blocking, over c-ares. Address literals and /etc/hosts are
 * answered at once; the rest is asked of the system's name servers, or of the one given. Search
 * domains are not applied: the device asked for exactly this name. Negative answers are remembered
 * for a few seconds. At most RESOLVER_PENDING_MAX questions are open; further ones fail at once.
 */
#pragma once

#include "loop/loop.h"

#include <sys/socket.h>

enum { RESOLVER_ADDRESSES_MAX = 16, RESOLVER_PENDING_MAX = 4096 };

struct resolver;
struct resolver_query; /* NULL when the answer came during the call */

struct resolved {
    const char *error; /* NULL: it worked */
    size_t n;
    struct sockaddr_storage addresses[RESOLVER_ADDRESSES_MAX]; /* port 0, in the order to try */
};

/* server: "ADDR" or "ADDR:PORT" of a name server to ask instead of the system's, or NULL. */
int resolver_create(struct loop *loop, const char *server, struct resolver **ret_resolver,
                    struct err *err);
/* Open questions are dropped without a call. Not from within `done`. */
void resolver_destroy(struct resolver *r);

/*
 * `host` is a name or an address literal without brackets; it need not live on. `done` is called
 * once, perhaps before this returns, and its answer is gone when it returns.
 */
struct resolver_query *resolver_ask(struct resolver *r, struct str host,
                                    void (*done)(void *ctx, const struct resolved *answer),
                                    void *ctx);
void resolver_drop(struct resolver *r, struct resolver_query *query); /* NULL is fine */
