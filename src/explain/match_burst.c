/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * burst: so many flows opened in so short a time, and among them one of those `including`. It is
 * placed at the first of them. With `quiet` none of these flows was opened for so long before it.
 *
 *     burst: {service: entra-signin, flows: 3, within: 5s, including: {host: aadcdn.*}}
 */
#include "explain/matcher.h"

#include <string.h>

enum { BURST_MAX = 32 };

struct opening {
    uint64_t at_us, seq;
    bool included;
};

struct state {
    uint64_t before_us; /* when the last flow before these was opened, plus one; 0: none */
    unsigned n;
    struct opening openings[BURST_MAX]; /* in order of time */
};

/* The server's answers come in another order than the openings: they are sorted in. */
static void insert(struct state *st, struct opening new)
{
    unsigned i = st->n;

    if (st->n == BURST_MAX) {
        st->before_us = st->openings[0].at_us + 1;
        memmove(st->openings, st->openings + 1, sizeof *st->openings * (BURST_MAX - 1));
        i = --st->n;
    }
    for (; i && st->openings[i - 1].at_us > new.at_us; i--)
        st->openings[i] = st->openings[i - 1];
    st->openings[i] = new;
    st->n++;
}

static void drop_before(struct state *st, uint64_t at_us)
{
    unsigned old = 0;

    while (old < st->n && st->openings[old].at_us < at_us)
        old++;
    if (old)
        st->before_us = st->openings[old - 1].at_us + 1;
    st->n -= old;
    memmove(st->openings, st->openings + old, sizeof *st->openings * st->n);
}

static bool was_quiet(const struct state *st, uint64_t quiet_us)
{
    return !st->before_us || st->openings[0].at_us >= st->before_us - 1 + quiet_us;
}

static bool has_included(const struct state *st)
{
    for (unsigned i = 0; i < st->n; i++)
        if (st->openings[i].included)
            return true;
    return false;
}

static void step(struct device *d, const struct condition *c, void *state, const struct flow *f,
                 enum flow_event what, const struct obs *o)
{
    struct state *st = state;
    struct captures captures = {0};
    struct occurrence found = {0};

    (void)what;
    (void)o;
    if (!selector_takes_flow(&c->select, f, &captures))
        return;
    insert(st, (struct opening){f->opened_us, f->opened_seq,
                                selector_takes_host(&c->then, f->host) &&
                                    selector_takes_flow(&c->then, f, &captures)});

    uint64_t latest_us = st->openings[st->n - 1].at_us;
    drop_before(st, latest_us > c->within_us ? latest_us - c->within_us : 0);
    if (st->n < c->count || !has_included(st) || !was_quiet(st, c->quiet_us))
        return;

    for (unsigned i = 0; i < st->n && i < EVIDENCE_MAX; i++)
        found.seqs[found.seq_count++] = st->openings[i].seq;
    found.at_us = st->openings[0].at_us;
    found.evidence = st->n;
    found.captures = &captures;
    found.host = f->host->name;
    if (device_occur(d, c, &found)) {
        st->before_us = st->openings[st->n - 1].at_us + 1;
        st->n = 0;
    }
}

const struct matcher match_burst = {
    .name = "burst",
    .keys = KEY_SELECT | KEY_COUNT | KEY_WITHIN | KEY_QUIET | KEY_INCLUDING,
    .needs = KEY_COUNT | KEY_WITHIN,
    .most_flows = BURST_MAX,
    .state_bytes = sizeof(struct state),
    .flow_events = 1 << FLOW_CONTACT,
    .flow = step,
};
