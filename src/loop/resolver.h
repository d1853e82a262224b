/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * resolver: names to addresses without blocking, over c-ares. Address literals and the names of the
 * hosts file (hosts.h) are known at once; the rest is asked of the system's name servers, or of the
 * one given. Search domains are not applied: the device asked for exactly this name. A no is
 * remembered for a few seconds.
 *
 * The system's name servers are those of resolv.conf(5), which is looked at when something is
 * asked, at most once a second. When it has changed, what is asked from then on goes to the new
 * ones. While it is not there, those that it named last are asked.
 *
 * The two families of addresses are two questions (RFC 8305, section 3), so that a name server that
 * is silent about one of them does not hold up the other. At most RESOLVER_PENDING_MAX questions
 * are open; further ones fail at once.
 */
#pragma once

#include "base/str.h"
#include "loop/addresses.h"
#include "loop/loop.h"

enum { RESOLVER_PENDING_MAX = 32768 }; /* half of the numbers that questions can have */

struct resolver;
struct resolver_query; /* NULL when the answer came during the call */

struct resolved {
    enum family family;
    const char *error; /* a constant; NULL: it worked, and there is an address */
    unsigned weight;   /* of two errors the one with more weight says more about the name */
    struct addresses addresses;
};

typedef void resolver_done(void *ctx, const struct resolved *answer);

/* server: "ADDR" or "ADDR:PORT" of a name server to ask instead of the system's, or NULL. */
int resolver_create(struct loop *loop, const char *server, struct resolver **ret_resolver,
                    struct err *err);
/* Open questions are dropped without a call. Not from within `done`. */
void resolver_destroy(struct resolver *r);
/* Another hosts file than /etc/hosts. */
void resolver_use_hosts(struct resolver *r, const char *path);
/* Another file of name servers than /etc/resolv.conf, also when one was given; and their port. */
void resolver_use_conf(struct resolver *r, const char *path, uint16_t port);

/*
 * `host` is a name or an address literal without brackets; it need not live on. True: it is known
 * without asking, and its addresses are added to *ret_addresses.
 */
bool resolver_knows(struct resolver *r, struct str host, struct addresses *ret_addresses);

/*
 * For what resolver_knows does not know. `done` is called once, perhaps before this returns, and
 * its answer is gone when it returns.
 */
struct resolver_query *resolver_ask(struct resolver *r, struct str host, enum family family,
                                    resolver_done *done, void *ctx);
void resolver_drop(struct resolver *r, struct resolver_query *query); /* NULL is fine */
