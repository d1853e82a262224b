/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flow_check: a sink that knows what holds of every stream of a proxy, whatever its peers do; and
 * which link to a server belongs to which flow and device, so that what went in can be compared
 * with what came out.
 */
#pragma once

#include "fuzz/fake_net.h"
#include "obs/stream.h"

struct flow_seen {
    bool opened, closed;
    enum flow_how how;
    enum flow_why why;
    uint64_t bytes_up, bytes_down;
    const struct link *device;
    const struct link *server; /* NULL: none, or there were several that it could be */
    bool upstream;             /* it goes through another proxy */
    bool throttled;            /* what is there may have to wait for its time */
    bool both_ended;           /* before it was closed, each in order and reading */
};

struct flow_check {
    uint64_t last_seq, last_us;
    size_t count;            /* observations */
    struct flow_seen *flows; /* by their numbers, from 1 */
    size_t flow_count;
    uint64_t flow_of[LINKS_MAX]; /* the last that a server's link was of; 0: none */
    bool tells;                  /* every observation on standard error */
};

void flow_check_put(void *ctx, const struct obs *o);

/*
 * Compares what the links have carried so far. `quiet`: nothing is ready any more, so nothing that
 * could be passed on may still be waiting, but for what is throttled.
 */
void flow_check_links(const struct flow_check *c, bool quiet);
/* Everything is over. */
void flow_check_finish(struct flow_check *c);
