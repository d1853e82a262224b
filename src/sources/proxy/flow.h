/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flow: one tunnel or one HTTP exchange as observations see it. Every flow that is opened is
 * closed once. Its bytes are counted as they arrive here: of a tunnel what passes through it, of
 * an exchange the messages, head and body, as the device and the server sent them. What the proxy
 * says itself does not count.
 */
#pragma once

#include "loop/loop.h"
#include "obs/obs.h"

struct worker;

struct flow {
    struct worker *worker;
    uint64_t id; /* 0: not open */
    uint32_t device;
    enum flow_how how;
    uint64_t bytes_up, bytes_down;
    uint64_t told;              /* up and down together, in the last progress */
    struct loop_timer progress; /* set while there is something to tell */
};

void flow_init(struct flow *f, struct worker *worker);
void flow_open(struct flow *f, uint32_t device, struct str client, struct str host, uint16_t port,
               enum flow_how how);
/* Emits what was seen, as seen by the proxy in this flow, which is written into it. */
void flow_put(struct flow *f, struct obs *o);
/* At most once a second this becomes a flow-progress. */
void flow_moved(struct flow *f, size_t up, size_t down);
void flow_close(struct flow *f, enum flow_why why); /* not open: nothing happens */
