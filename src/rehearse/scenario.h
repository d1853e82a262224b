/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scenario: a run of a device, as data (knowledge/scenarios/ID.yaml; the README there describes the
 * format): what the device opens when, how many bytes move, what its screen shows, where each of
 * these facts comes from, and what goes wrong.
 *
 * A loaded scenario is a flat list of events in order of time: repeats are unrolled, and one that
 * is based on another has the other's events in it. Times are the scenario's own: 0 is where the
 * recording begins.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "rehearse/fault.h"

enum { SCENARIO_EVENTS_MAX = 50000, SCENARIO_FLOWS_MAX = 5000 };

#define KEEP_OPEN UINT64_MAX /* until the device goes off or the scenario ends */

/* One flow that the device opens: a CONNECT tunnel with TLS, or a plain HTTP request. */
struct scenario_flow {
    struct str host;       /* lower case */
    struct str method;     /* of a plain HTTP request; empty: a tunnel */
    struct str path;       /* of the request, here or in the tunnel */
    struct str agent;      /* User-Agent; empty: none */
    struct str type;       /* Content-Type of the answer */
    uint64_t up, down;     /* bytes of the bodies */
    uint64_t over_us;      /* the bytes are spread over this time; 0: all at once */
    uint64_t keep_us;      /* how long it then stays open */
    bool needed;           /* without it the device goes no further */
    unsigned tries;        /* how often the device tries */
    uint64_t try_again_us; /* after a failure */
};

enum scenario_what {
    SCENARIO_FLOW,  /* the device opens a flow */
    SCENARIO_OFF,   /* the device goes off: its flows break */
    SCENARIO_SCREEN /* the screen shows something else */
};

struct scenario_event {
    uint64_t at_us;
    enum scenario_what what;
    bool aside; /* happens even when the device is held up: what a scenario adds to its base */
    const struct scenario_flow *flow;
    uint64_t for_us; /* how long the device is off */
    struct str screen;
};

struct scenario {
    struct arena *arena;
    struct str id, title, says;
    struct str device; /* its name */
    bool tls12;        /* it speaks TLS 1.2 at most */
    uint64_t ends_us;
    struct str *invented; /* sentences: what in it no source gives */
    size_t invented_count;
    struct scenario *base; /* what it is based on, or NULL */
    struct scenario_event *events;
    size_t event_count;
    struct fault_list faults;
};

/* Finds the text of another scenario by its id; false when there is none. */
struct scenario_finder {
    bool (*find)(void *ctx, struct str id, struct str *ret_name, struct str *ret_bytes);
    void *ctx;
};

/*
 * Reads one file. When something is wrong, *ret_scenario is left alone, the problems are appended
 * as text (file:line:column, the line, a caret), and their number is returned.
 */
unsigned scenario_load(struct str file_name, struct str bytes, const struct scenario_finder *finder,
                       struct scenario **ret_scenario, struct buf *problems);
void scenario_destroy(struct scenario *s);
