/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * absent: since `moment`, no such flow has worked for `quiet`. It is placed where the time ran out.
 * With `within` it counts only when something else of the device has moved so shortly before: a
 * device that is switched off misses nothing. Nor is it missed while the recorder is told to refuse
 * it, or made it too slow: then it is not the device's doing.
 *
 *     absent: {service: intune-ime, moment: mdm-enrollment, quiet: 15m}
 */
#include "explain/matcher.h"

struct state {
    bool since;       /* the moment has happened */
    uint64_t from_us; /* of the wait: the moment, or the last such flow */
    uint64_t seq;
};

static void on_moment(struct device *d, const struct condition *c, void *state,
                      const struct moment *m)
{
    struct state *st = state;

    if (m->rule->index != c->moment_index)
        return;
    *st = (struct state){true, m->at_us, m->evidence.n ? m->evidence.seqs[0] : 0};
    device_wait(d, c, st->from_us + c->quiet_us);
}

static void on_flow(struct device *d, const struct condition *c, void *state, const struct flow *f,
                    enum flow_event what, const struct obs *o)
{
    struct state *st = state;

    if (!st->since || !selector_takes_flow(&c->select, f, NULL))
        return;
    if (what == FLOW_FAILED) {
        if (FAILURES_OF_OURS & 1u << f->failure)
            device_wait(d, c, UINT64_MAX);
        return;
    }
    st->from_us = o->at_us;
    st->seq = o->seq;
    device_wait(d, c, st->from_us + c->quiet_us);
}

static void due(struct device *d, const struct condition *c, void *state, uint64_t at_us)
{
    struct state *st = state;

    if (c->within_us && d->moved_us + c->within_us < at_us)
        return;
    device_occur(d, c,
                 &(struct occurrence){.at_us = at_us,
                                      .seqs = {st->seq},
                                      .seq_count = st->seq ? 1 : 0,
                                      .duration_us = c->quiet_us});
}

const struct matcher match_absent = {
    .name = "absent",
    .keys = KEY_SELECT | KEY_QUIET | KEY_WITHIN | KEY_MOMENT,
    .needs = KEY_QUIET | KEY_MOMENT,
    .state_bytes = sizeof(struct state),
    .flow_events = 1 << FLOW_CONTACT | 1 << FLOW_BYTES | 1 << FLOW_FAILED,
    .flow = on_flow,
    .moment = on_moment,
    .due = due,
};
