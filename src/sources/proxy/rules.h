/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rules: what the proxy was told to do: whom it serves, where it goes, what it refuses, slows down
 * or sends on to another proxy, and for which hosts. Built from the command line and a policy file,
 * which say the same things (rules_load.c has an example).
 *
 * Immutable once built and counted by its holders, in several threads: a reload builds new rules
 * and hands them out while flows that began under the old ones keep those.
 *
 * Patterns are those of base/host_pattern.h. Of several rules of one sort the most specific one
 * holds; rules of different sorts hold side by side.
 */
#pragma once

#include "base/err.h"
#include "sources/proxy/networks.h"

#include <sys/socket.h>

struct rules;

struct rules_texts {
    const char *const *at;
    size_t n;
};

/* As written on the command line. All may be absent. */
struct rules_options {
    struct rules_texts allow;         /* "10.0.0.0/8", "192.0.2.7" */
    struct rules_texts ports;         /* "443,8443,9000-9100", "any" */
    struct rules_texts deny;          /* PATTERN: refused, as policy */
    struct rules_texts block;         /* PATTERN: refused, as a firewall that is rehearsed */
    struct rules_texts throttle;      /* PATTERN=RATE, bytes a second: "512", "64kB", "1.5MB" */
    struct rules_texts delay;         /* PATTERN=MS: "300", "250ms", "2s" */
    const char *upstream;             /* "http://HOST:PORT" */
    struct rules_texts upstream_for;  /* PATTERN=http://HOST:PORT, PATTERN=direct */
    const char *upstream_credentials; /* a file of "USER:PASSWORD" for `upstream`, and of lines
                                         "http://HOST:PORT USER:PASSWORD" for any of them */
    const char *policy;               /* a file; where both speak the command line wins */
};

enum {
    RULES_MAX = 65536,            /* of one sort */
    RULES_ALLOW_MAX = 1024,       /* networks */
    RULES_POLICY_BYTES = 4 << 20, /* of a policy file */
    RULES_SAYS = 256,
};

/* A negative errno and a sentence when they cannot be read: FILE:LINE:COLUMN when it is a file. */
int rules_create(const struct rules_options *options, struct rules **ret_rules, struct err *err);
struct rules *rules_ref(struct rules *r); /* another holder; any thread */
void rules_unref(struct rules *r);        /* the last one frees it; NULL is fine */

/* Something to warn of once, or the empty str: credentials that others on this machine can read. */
struct str rules_warning(const struct rules *r);

/* --- by address and port ---------------------------------------------------------------------- */

/* Without `allow` the clients of policy_serves, otherwise those of its networks alone. */
bool rules_serve(const struct rules *r, const struct sockaddr_storage *client);

/*
 * Whether it may be relayed to an address: to public ones, and to private ones (RFC 1918, RFC 4193,
 * RFC 6598) in the networks of `allow`, or without `allow` in those that this machine is attached
 * to. Never to what policy_refuses, nor to this machine itself. False: `says` goes on from
 * "flightstrip …".
 */
bool rules_relay_to(const struct rules *r, struct networks *attached,
                    const struct sockaddr_storage *server, uint64_t now_us,
                    char says[static RULES_SAYS]);

/*
 * Whether CONNECT and SOCKS may go to a port, and plain requests to one that is another service's;
 * `says` as above.
 */
bool rules_go_to_port(const struct rules *r, uint16_t port, char says[static RULES_SAYS]);

/* --- by host ---------------------------------------------------------------------------------- */

/* Another proxy that requests are sent through. */
struct upstream {
    struct str host;
    uint16_t port;
    struct str
        authorization; /* the value of Proxy-Authorization; empty: none. Never to be logged */
};

/* One rule: what holds of its sort is set. */
struct host_rule {
    struct str text; /* as it was written, for the record: "block *.events.data.microsoft.com" */
    uint64_t bytes_a_second;         /* throttle: 1 to 10^12, each way */
    uint64_t delay_us;               /* delay: 1 to ten minutes */
    const struct upstream *upstream; /* upstream: NULL is direct */
};

/* NULL where none fits. Borrowed from the rules. */
struct host_rules {
    const struct host_rule *deny, *block, *throttle, *delay;
    const struct host_rule *upstream; /* its pattern's, or the default */
};

/* The host as a client named it: a name in any case, or an address without brackets. */
void rules_for_host(const struct rules *r, struct str host, struct host_rules *ret_rules);
