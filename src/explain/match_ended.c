/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ended: traffic to these hosts, at least `bytes` of it, has been quiet for so long that it is
 * taken to have ended. It is placed at its last byte, and tells how long it had lasted.
 *
 *     ended: {service: office-cdn, quiet: 90s, bytes: 5 MB}
 *
 * An imported log tells a flow's bytes when the flow closes; while such a flow is open its traffic
 * has not ended.
 */
#include "explain/matcher.h"

struct state {
    uint64_t first_us, last_us; /* of this stretch of traffic; last_us 0: none */
    uint64_t bytes;             /* down, in this stretch */
    uint64_t first_seq, last_seq, count;
    uint64_t open_late; /* open flows that tell their bytes at the end */
};

static void arm(struct device *d, const struct condition *c, const struct state *st)
{
    device_wait(d, c, st->open_late ? UINT64_MAX : st->last_us + c->quiet_us);
}

static void step(struct device *d, const struct condition *c, void *state, const struct flow *f,
                 enum flow_event what, const struct obs *o)
{
    struct state *st = state;

    if (!selector_takes_flow(&c->select, f, NULL))
        return;
    if (flow_tells_bytes_late(f)) {
        if (what == FLOW_OPENED)
            st->open_late++;
        else if (what == FLOW_CLOSED && st->open_late)
            st->open_late--;
    }
    if (what == FLOW_BYTES) {
        if (!st->last_us) {
            st->first_us = f->run_us;
            st->first_seq = f->opened_seq;
        }
        if (f->run_us < st->first_us)
            st->first_us = f->run_us;
        st->bytes += f->bytes_down - f->before_down;
        st->last_us = o->at_us;
        st->last_seq = o->seq;
        st->count++;
    }
    if (st->last_us)
        arm(d, c, st);
}

static void due(struct device *d, const struct condition *c, void *state, uint64_t at_us)
{
    struct state *st = state;

    (void)at_us;
    if (st->bytes >= c->bytes)
        device_occur(d, c,
                     &(struct occurrence){.at_us = st->last_us,
                                          .seqs = {st->first_seq, st->last_seq},
                                          .seq_count = 2,
                                          .evidence = st->count,
                                          .bytes = st->bytes,
                                          .duration_us = st->last_us - st->first_us});
    *st = (struct state){.open_late = st->open_late};
}

const struct matcher match_ended = {
    .name = "ended",
    .keys = KEY_SELECT | KEY_QUIET | KEY_BYTES,
    .needs = KEY_QUIET,
    .state_bytes = sizeof(struct state),
    .flow_events = 1 << FLOW_OPENED | 1 << FLOW_BYTES | 1 << FLOW_CLOSED,
    .flow = step,
    .due = due,
};
