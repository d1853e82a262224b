/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * joined_flow: what the observations of one flow say together, for formats that have one record for
 * each exchange. A flow is handed over when it closes, and those that are still open when the
 * stream ends, by number, then. Memory is constant for each open flow.
 */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "obs/obs.h"

/* Times are since the recording began. What was not observed is empty or 0. */
struct joined_flow {
    uint64_t flow;
    uint32_t device;
    uint64_t opened_us, answered_us, ended_us;
    bool is_open;  /* the stream ended before it */
    bool answered; /* answered_us is said */

    struct str client, host;
    uint64_t port;
    enum flow_how how;
    uint64_t resolve_ms, connect_ms;
    bool resolved, connected;
    struct str address;          /* connected to, or tried in vain */
    struct str resolved_address; /* the first that the name gave */
    struct str error;
    struct str rules; /* of the recorder, that changed it: "delay a.test=1s; throttle …" */
    struct str sni;

    struct str method, url, user_agent;
    uint64_t request_bytes;
    uint64_t status;
    struct str content_type;
    uint64_t response_bytes;
    enum obs_by by;

    uint64_t bytes_up, bytes_down;
    enum flow_why why;

    struct arena *texts;
};

struct flow_joiner {
    void (*done)(void *ctx, const struct joined_flow *f);
    void *ctx;
    struct map open;
    uint64_t last_us;
};

void flow_joiner_init(struct flow_joiner *j, void (*done)(void *ctx, const struct joined_flow *f),
                      void *ctx);
void flow_joiner_put(struct flow_joiner *j, const struct obs *o);
void flow_joiner_finish(struct flow_joiner *j);
