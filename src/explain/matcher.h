/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * matcher: one kind of evidence that a condition can ask for. A matcher is one file: what it can
 * ask (its keys), its state, its steps; and its row in matchers[].
 */
#pragma once

#include "explain/device.h"

/* Keys a condition may have besides `after`, `before`, … ; each is read the same everywhere. */
enum condition_key {
    KEY_SELECT = 1 << 0,     /* host, service, url, … : the selector itself */
    KEY_COUNT = 1 << 1,      /* flows: N */
    KEY_WITHIN = 1 << 2,     /* within: TIME */
    KEY_QUIET = 1 << 3,      /* quiet: TIME */
    KEY_BYTES = 1 << 4,      /* bytes: SIZE */
    KEY_THEN = 1 << 5,       /* then: {selector} */
    KEY_INCLUDING = 1 << 6,  /* including: {selector} */
    KEY_ATTEMPTS = 1 << 7,   /* attempts: yes */
    KEY_FAILURES = 1 << 8,   /* how: [blocked, …] */
    KEY_TEXT = 1 << 9,       /* text: REGEX */
    KEY_COMPONENT = 1 << 10, /* component: REGEX */
    KEY_MOMENT = 1 << 11,    /* moment: ID */
    KEY_TOLD = 1 << 12,      /* rule: [delay, …] */
};

struct matcher {
    const char *name;
    unsigned keys, needs; /* sets of enum condition_key: allowed, and required */
    uint64_t most_flows;  /* the most that `flows` can ask for */
    size_t state_bytes;   /* zeroed at first */
    unsigned flow_events; /* a set of enum flow_event, by bit: what `flow` is told */

    void (*flow)(struct device *d, const struct condition *c, void *state, const struct flow *f,
                 enum flow_event what, const struct obs *o);
    void (*text)(struct device *d, const struct condition *c, void *state, const struct obs *o);
    void (*moment)(struct device *d, const struct condition *c, void *state,
                   const struct moment *m);
    /* The time that device_wait asked for has come. */
    void (*due)(struct device *d, const struct condition *c, void *state, uint64_t at_us);
    void (*end)(struct device *d, const struct condition *c, void *state, uint64_t at_us);
};

extern const struct matcher *const matchers[]; /* NULL at the end */

extern const struct matcher match_flow, match_burst, match_bytes, match_ended, match_silence,
    match_idle, match_failed, match_absent, match_moment, match_end, match_screen, match_log,
    match_told;
