/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * account: one request and its answer, or one tunnel, as a log line or a HAR entry tells of it
 * after the fact; and the observations that a source which had watched it would have made.
 *
 * What a record does not say is empty or 0, and no observation is made of it.
 */
#pragma once

#include "base/url.h"
#include "obs/obs.h"

/* Times are microseconds since 1970; those that are not said are 0, but for the first and last. */
struct account {
    uint64_t began_us;
    uint64_t resolved_us, resolve_ms;
    uint64_t connected_us, connect_ms;
    uint64_t answered_us;
    uint64_t ended_us;

    struct str client; /* the device's address; empty: unknown */
    enum flow_how how;
    struct str host; /* lower case, into `text` */
    uint16_t port;
    struct str method;
    struct str url; /* without its secrets, into `text` */
    struct str user_agent;
    uint64_t request_bytes; /* of the body */

    struct str address; /* of the server: connected to, or tried in vain */
    enum { REACHED, NAME_NOT_FOUND, NOT_REACHED, TLS_REFUSED, TLS_FAILED } reached;
    char error[80]; /* why not, in the record's words */

    uint64_t status; /* 0: no answer */
    struct str content_type;
    uint64_t response_bytes; /* of the body */
    enum obs_by by;          /* who answered */

    uint64_t bytes_up, bytes_down;
    enum flow_why why;

    struct buf text;
};

void account_init(struct account *a);
void account_finish(struct account *a);
/* Forgets all that was said and keeps the memory. */
void account_clear(struct account *a);

/*
 * Sets the method, and what was asked for: `target` is an absolute URL, and for a CONNECT
 * also HOST[:PORT]. False when it is neither.
 */
bool account_ask(struct account *a, struct str method, struct str target);

/*
 * Hands over the observations, from flow-opened to flow-closed, each with its at_us since 1970 and
 * the flow given.
 */
int account_tell(const struct account *a, uint64_t flow, int (*put)(void *ctx, const struct obs *o),
                 void *ctx);

/* What became of a record. */
enum record_fate {
    RECORD_FLOW,    /* the account is filled in */
    RECORD_NOTHING, /* it was read, and tells of no exchange */
    RECORD_BAD,     /* it could not be read: *ret_why says why */
};

/* Times that a clock may have shown: a record with others is bad. 1990 to 2100. */
#define WALL_US_MIN 631152000000000ull
#define WALL_US_MAX 4102444800000000ull
#define ELAPSED_US_MAX (30ull * 86400 * 1000000) /* a longer one is taken as not said */
