/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * traffic: the flows of a stream, kept for a report that lists them. At most TRAFFIC_FLOWS_MAX;
 * what comes later is counted.
 */
#pragma once

#include "explain/endpoints.h"
#include "report/joined_flow.h"
#include "report/report.h"

enum { TRAFFIC_FLOWS_MAX = 1000000 };

struct traffic {
    const struct endpoints *endpoints;
    struct flow_joiner joiner;
    struct arena *texts;
    struct report_flow *flows;
    uint32_t *devices; /* of each flow */
    size_t n, room;
    uint64_t left_out;
};

void traffic_init(struct traffic *t, const struct endpoints *endpoints);
void traffic_finish(struct traffic *t);
void traffic_put(struct traffic *t, const struct obs *o);
void traffic_end(struct traffic *t); /* the stream has ended */

/* The device's flows in order of time, in the arena; their texts stay the traffic's. */
const struct report_flow *traffic_of(const struct traffic *t, uint32_t device, struct arena *arena,
                                     size_t *ret_n);
