/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * failed: flows to one host did not work, `flows` times (once, when not said), and no flow to it
 * has worked before. It is placed at the first of them, and is over when one works later. `how`
 * says which failures count; without it all do but those of the recorder's own rules, which are
 * not the network's. Those count also when the host has worked before: a rule may be new.
 *
 *     failed: {required: yes, flows: 2, how: [blocked, connect]}
 */
#include "explain/matcher.h"

enum { FLOWS_MAX = 1000, HOSTS_MAX = 64 };

struct host_state {
    uint64_t host; /* the hash of its name */
    uint64_t failures, first_us;
    uint64_t seqs[EVIDENCE_MAX];
    struct host_state *next;
};

struct state {
    unsigned n;
    struct host_state *first; /* hosts that have failed, in the device's arena */
};

static struct host_state *find(const struct state *st, uint64_t host)
{
    struct host_state *h = st->first;

    while (h && h->host != host)
        h = h->next;
    return h;
}

static struct host_state *add(struct device *d, struct state *st, uint64_t host, uint64_t at_us)
{
    if (st->n == HOSTS_MAX)
        return NULL;

    struct host_state *h = arena_alloc(d->arena, sizeof *h);
    *h = (struct host_state){.host = host, .first_us = at_us, .next = st->first};
    st->first = h;
    st->n++;
    return h;
}

static void on_failure(struct device *d, const struct condition *c, struct state *st,
                       const struct flow *f, const struct captures *captures)
{
    uint64_t host = str_hash(f->host->name);
    uint64_t enough = c->count ? c->count : 1;
    struct host_state *h = find(st, host);

    bool ours = FAILURES_OF_OURS & 1u << f->failure;

    if ((!ours && device_reached(d, f->host)) || (!h && !(h = add(d, st, host, f->opened_us))))
        return;
    if (h->failures < EVIDENCE_MAX)
        h->seqs[h->failures] = f->opened_seq;
    if (++h->failures < enough)
        return;

    struct occurrence found = {.at_us = h->first_us,
                               .captures = captures,
                               .host = f->host->name,
                               .failure = f->failure,
                               .rule = str_of(f->rule),
                               .status = f->status};
    /* The first time it tells all so far, after that the new one. */
    uint64_t from = h->failures == enough ? 0 : h->failures - 1;

    for (uint64_t i = from; i < h->failures && i < EVIDENCE_MAX; i++)
        found.seqs[found.seq_count++] = h->seqs[i];
    found.evidence = h->failures - from;
    device_occur(d, c, &found);
}

static void step(struct device *d, const struct condition *c, void *state, const struct flow *f,
                 enum flow_event what, const struct obs *o)
{
    struct state *st = state;
    struct captures captures = {0};

    (void)o;
    if (!selector_takes_flow(&c->select, f, &captures))
        return;
    if (what == FLOW_CONTACT) {
        if (find(st, str_hash(f->host->name)))
            device_over(d, c, f->host->name, f->opened_us);
    } else if ((c->failures ? c->failures : ~(uint64_t)FAILURES_OF_OURS) & 1ull << f->failure) {
        on_failure(d, c, st, f, &captures);
    }
}

const struct matcher match_failed = {
    .name = "failed",
    .keys = KEY_SELECT | KEY_COUNT | KEY_FAILURES,
    .most_flows = FLOWS_MAX,
    .state_bytes = sizeof(struct state),
    .flow_events = 1 << FLOW_CONTACT | 1 << FLOW_FAILED,
    .flow = step,
};
