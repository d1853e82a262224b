/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flow: what the explainer keeps of a flow while it is open, and of a host that flows go to.
 */
#pragma once

#include "explain/endpoints.h"
#include "explain/failure.h"
#include "explain/rule.h"
#include "obs/obs.h"

/* What happens to a flow, as matchers are told. */
enum flow_event {
    FLOW_OPENED,  /* and its host is known */
    FLOW_CONTACT, /* it worked: the server answered. Comes once, at the earliest sure sign */
    FLOW_BYTES,   /* bytes moved */
    FLOW_FAILED,  /* it ended without an answer */
    FLOW_TOLD,    /* a rule that the recorder was given changed it */
    FLOW_CLOSED,
    FLOW_EVENTS
};

/* What the recorder did because it was told to: nobody else's doing. */
enum { FAILURES_OF_OURS = 1 << FAILURE_TOLD | 1 << FAILURE_SLOWED };

/* What a rule of the recorder does to a flow. The names are those in rule-applied. */
enum told {
    TOLD_DENY,
    TOLD_BLOCK,
    TOLD_THROTTLE,
    TOLD_DELAY,
    TOLD_UPSTREAM,
    TOLD_PORT,
    TOLD_CLIENT,
    TOLD_KINDS
};

enum {
    TOLD_TO_REFUSE = 1 << TOLD_DENY | 1 << TOLD_BLOCK | 1 << TOLD_PORT | 1 << TOLD_CLIENT,
    TOLD_TO_SLOW = 1 << TOLD_THROTTLE | 1 << TOLD_DELAY,
};

extern const char *const told_names[TOLD_KINDS + 1]; /* NULL at the end */
bool told_named(struct str name, enum told *ret_told);

/* The conditions that care for one kind of event of flows to one host. */
struct interest {
    unsigned n;
    const struct condition **v;
};

struct host {
    struct str name;
    const struct endpoint *endpoint; /* NULL: unknown */
    unsigned service;                /* index in struct rules' services; 0: unknown */
    struct interest on[FLOW_EVENTS];
    unsigned open_flows; /* that point here */
};

struct flow {
    uint64_t id;
    struct host *host; /* NULL until it is known */
    enum obs_source source;
    enum flow_how how;
    uint64_t opened_us, opened_seq;
    uint64_t silence_us; /* for how long nothing of the device had moved when it was opened */
    uint64_t bytes_up, bytes_down;
    uint64_t before_down;      /* bytes_down before the present event */
    uint64_t moved_us;         /* when bytes last moved, or it was opened */
    uint64_t run_us, run_down; /* where the present run of bytes began */
    uint64_t hello_bytes;      /* 0: no ClientHello seen */
    uint64_t status;
    enum obs_by status_by;
    bool hello, answered, alert, contact;
    bool reached; /* an imported log says that the server was */
    enum flow_failure failure;
    char *url, *user_agent;
    unsigned told; /* a set of enum told, by bit: what rules of the recorder did to it */
    char *rule;    /* the first that refused it, else the first that slowed it; may be NULL */
    struct flow *prev, *next; /* the device's open flows */
};

/*
 * Whether the host of a flow-opened is what the flow goes to. Through a proxy the device says the
 * name; on the wire the ClientHello or the first request says it.
 */
bool flow_says_host(const struct obs *opened);

static inline bool flow_is_plain(const struct flow *f)
{
    if (f->how == HOW_OWN)
        return true;
    return f->url ? str_istarts(str_of(f->url), STR("http:")) : f->how == HOW_ABSOLUTE;
}

/* An imported log tells a flow's bytes only at its end: until then it counts as moving. */
static inline bool flow_tells_bytes_late(const struct flow *f)
{
    return f->source == SOURCE_IMPORT;
}

/* Whether the selector may take flows to this host: what can be told once for a host. */
bool selector_takes_host(const struct selector *s, const struct host *host);
/* Whether it takes this flow, given that it takes its host; named groups are added to captures. */
bool selector_takes_flow(const struct selector *s, const struct flow *flow,
                         struct captures *captures);
