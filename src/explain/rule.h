/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rule: a moment or a finding, as read from knowledge/, and what it asks for.
 *
 * A rule has one or more conditions (`when`), any of which makes it happen. A condition is a
 * matcher (matcher.h) with its parameters, the flows that it looks at (selector), and what has to
 * have come before. All of it is read-only once built: what a device has seen so far is in struct
 * device.
 */
#pragma once

#include "base/yaml.h"
#include "explain/endpoints.h"
#include "explain/pattern.h"
#include "explain/strip.h"
#include "explain/text.h"

enum rule_kind { RULE_MOMENT, RULE_FINDING };

enum rule_fires {
    FIRES_ONCE,  /* the first time alone */
    FIRES_EACH,  /* every time is a moment of its own, numbered */
    FIRES_COUNT, /* one moment, whose count grows */
    FIRES_LAST,  /* one moment, which moves to the latest time */
};

/* A list of strs. */
struct strs {
    size_t n;
    struct str *v;
};

enum yes_no { EITHER, YES, NO };

/* Which flows. Every part that is given has to hold; the empty selector takes all flows. */
struct selector {
    struct strs hosts;          /* patterns (base/host_pattern.h); any of them */
    struct strs services;       /* ids; any of them */
    struct pattern *host_regex; /* its named groups are captures */
    struct pattern *url;        /* of the last HTTP request in the flow */
    struct pattern *user_agent;
    enum yes_no plain;         /* clear HTTP, or a tunnel */
    enum yes_no required;      /* the endpoint is required by what the device does */
    enum yes_no no_inspection; /* TLS inspection of the endpoint is unsupported */
    struct selector *except;   /* but not these */
};

/* Moments that must have happened, or must not have. */
struct gate {
    struct strs after;                                /* all of these */
    struct strs after_any;                            /* one of these */
    struct strs before;                               /* none of these */
    struct strs during;                               /* the phase is one of these */
    uint64_t *after_ids, *after_any_ids, *before_ids; /* the same, as indices, once built */
};

struct condition {
    struct rule *rule;
    const struct matcher *matcher;
    struct selector select; /* the matcher's main selector */
    struct selector then;   /* silence: what ends it; burst: what has to be among it */
    struct gate gate;
    uint64_t count;     /* how many */
    uint64_t within_us; /* in what time */
    uint64_t quiet_us;  /* how long nothing */
    uint64_t bytes;
    bool attempts;     /* flows that did not work count as well */
    uint64_t failures; /* a set of enum flow_failure, by bit; 0: all but ours */
    uint64_t told;     /* a set of enum told, by bit; 0: all */
    struct str moment; /* id */
    size_t moment_index;
    struct pattern *pattern; /* screen and log text */
    struct pattern *component;
    unsigned index;      /* in struct rules */
    size_t state_offset; /* of its state in a device's block */
    unsigned line;
    struct condition *next;
};

struct rule {
    enum rule_kind kind;
    struct str id;
    struct str title_source; /* as it stands in the file */
    struct text title;
    struct text *says;   /* sentences */
    struct text *remedy; /* findings */
    struct str phase;
    enum confidence confidence;
    enum severity severity;
    enum rule_fires fires;
    struct str each; /* FIRES_EACH: once for each value of this capture; empty: every time */
    uint64_t at_most;
    struct strs only_in, not_in; /* scenarios: shown when the run turns out to be one of, none of */
    struct condition *conditions;
    size_t index; /* in struct rules */
    struct str file;
    unsigned line;
};

struct phase_rule {
    struct str id, title;
    struct strs starts, ends;    /* moment ids */
    struct strs only_in, not_in; /* scenarios */
    struct str file;
    unsigned line;
};

/* A scenario is told by moments; the first in the files that fits is it. */
struct verdict_rule {
    struct str id, title; /* outcome: id is the state */
    struct text *says;
    struct strs needs, needs_any, without, order; /* moment ids; order: their first times ascend */
    struct strs finding_any;                      /* outcome: ids of findings */
    enum yes_no ended;                            /* outcome: the stream has ended */
    enum yes_no gaps;                             /* outcome: something was not recorded */
    uint64_t quiet_us; /* outcome: nothing has moved for this long at the end */
    enum confidence confidence;
    struct str file;
    unsigned line;
};

enum { RULES_MAX = 4096, RULE_TIMES_MAX = 500, PHASES_MAX = 64, VERDICTS_MAX = 256 };

/* Reads one entry of `moments:` or `findings:`; NULL, with problems, when it is not one. */
struct rule *rule_load(struct yaml_doc *doc, const struct yaml_node *node, enum rule_kind kind,
                       struct arena *arena);
struct phase_rule *phase_load(struct yaml_doc *doc, const struct yaml_node *node,
                              struct arena *arena);
struct verdict_rule *verdict_load(struct yaml_doc *doc, const struct yaml_node *node,
                                  struct arena *arena);
void rule_release(struct rule *rule); /* what is not in the arena: the patterns */
