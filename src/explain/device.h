/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * device: the explainer's state for one device, and its step. Everything the strip says of a device
 * comes from here; matchers report what they found with device_occur.
 */
#pragma once

#include "base/map.h"
#include "explain/explainer.h"
#include "explain/flow.h"
#include "explain/rules.h"

/* Ceilings for one device. What is beyond is left out, and counted. */
enum {
    DEVICE_FLOWS_MAX = 65536,
    DEVICE_REACHED_MAX = 16384,
    DEVICE_MOMENTS_MAX = 5000,
    DEVICE_FINDINGS_MAX = 1000,
};

/* A moment or a finding that has happened. */
struct moment {
    const struct rule *rule;
    uint64_t at_us;
    uint64_t number;      /* 1 for the first of its id */
    uint64_t duration_us; /* of what it tells; 0: nothing to tell */
    uint64_t bytes;
    uint64_t over_us; /* a finding: when what had failed worked after all; 0: it has not */
    struct evidence evidence;
    struct captures captures; /* the values are its own */
    struct moment *before;    /* the last of its rule that came before it */
};

struct service_state {
    uint64_t flows, failed, bytes_up, bytes_down;
    uint64_t first_us, last_us, active_us;
};

struct id_state { /* of a rule */
    uint64_t times;
    uint64_t over;     /* findings that are over */
    uint64_t first_us; /* the earliest place of its moments */
    struct moment *last;
};

struct device {
    const struct rules *rules;
    struct arena *arena;
    uint32_t id;
    struct str name, address; /* its own */

    uint64_t start_us, now_us;
    uint64_t moved_us; /* the last time something moved: a flow opened, bytes, a close */
    bool any_traffic;
    bool has_gap; /* for a time nothing was recorded */

    struct map flows;   /* id to struct flow */
    struct map reached; /* hashes of the hosts' names to which a flow has worked */
    struct flow *open_first;
    size_t open_count;
    uint64_t flow_total, bytes_up, bytes_down;

    char *states; /* the conditions' states, at their offsets */
    struct id_state *ids;
    struct service_state *services;
    uint64_t *waits; /* for each condition: when it wants to be called; UINT64_MAX: not */
    uint64_t next_wait_us;

    struct moment **moments, **findings; /* in order of being known */
    size_t moment_count, moment_room, finding_count, finding_room;
    uint64_t left_out; /* flows and moments beyond a ceiling */
    size_t phase;      /* the furthest that has begun: index in rules, or SIZE_MAX */

    void (*listener)(void *ctx, const struct device *d, const struct moment *m, bool again);
    void (*flow_failed)(void *ctx, uint64_t flow, enum flow_failure failure);
    void *listener_ctx;                                  /* of both */
    struct host *(*host_of)(void *ctx, struct str name); /* the explainer's table of hosts */
    void *host_ctx;
};

void device_init(struct device *d, const struct rules *rules, uint32_t id, uint64_t at_us);
void device_finish(struct device *d);

void device_step(struct device *d, const struct obs *o);
void device_advance(struct device *d, uint64_t at_us); /* waits up to and including at_us are due */
void device_end(struct device *d);

/* --- for matchers --- */

struct occurrence {
    uint64_t at_us;
    uint64_t seqs[EVIDENCE_MAX];
    unsigned seq_count;
    uint64_t evidence; /* how many observations in all; 0: seq_count */
    uint64_t duration_us, bytes;
    const struct captures *captures;
    struct str host; /* for {host} */
    struct str rule; /* the recorder's, for {rule} */
    uint64_t status; /* for {status}; 0: not seen */
    enum flow_failure failure;
};

/* The condition's evidence is there: its rule happens, when its gate allows. True when it did. */
bool device_occur(struct device *d, const struct condition *c, const struct occurrence *what);

/* Whether a flow to this host has worked. */
bool device_reached(const struct device *d, const struct host *host);

/* What the condition's findings say of this host is over: it has worked. */
void device_over(struct device *d, const struct condition *c, struct str host, uint64_t at_us);

/* Calls the matcher's `due` when the stream's time has passed at_us; UINT64_MAX: not any more. */
void device_wait(struct device *d, const struct condition *c, uint64_t at_us);

uint64_t device_waits(const struct device *d, const struct condition *c);

/*
 * What an occurrence of this condition cannot be placed before: the latest of the moments that have
 * to come first. 0 when there are none.
 */
uint64_t device_not_before_us(const struct device *d, const struct condition *c);

/* False when the condition's rule has happened as often as it may. */
bool device_may_occur(const struct device *d, const struct condition *c);
