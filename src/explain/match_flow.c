/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flow: the device used one of the flows. It happens when the server has answered, and is placed
 * where the flow was opened; with `attempts` it happens as soon as the device tries.
 *
 *     flow: {host: ztd.dds.microsoft.com}
 *
 * With `quiet` only a flow counts before which none of these was opened for so long: so a rule can
 * tell each burst from the one before.
 *
 *     flow: {host: "cp*.prod.do.dsp.mp.microsoft.com", quiet: 30s}
 */
#include "explain/matcher.h"

struct state {
    uint64_t last_us; /* when the last of these flows was opened, plus one; 0: none */
};

static bool was_quiet(const struct condition *c, struct state *st, uint64_t at_us)
{
    bool quiet = !st->last_us || at_us >= st->last_us - 1 + c->quiet_us;

    if (at_us + 1 > st->last_us)
        st->last_us = at_us + 1;
    return quiet;
}

static void step(struct device *d, const struct condition *c, void *state, const struct flow *f,
                 enum flow_event what, const struct obs *o)
{
    struct captures captures = {0};

    (void)o;
    if ((what == FLOW_OPENED) != c->attempts)
        return;
    if (!selector_takes_flow(&c->select, f, &captures))
        return;
    if (!was_quiet(c, state, f->opened_us))
        return;
    device_occur(d, c,
                 &(struct occurrence){.at_us = f->opened_us,
                                      .seqs = {f->opened_seq},
                                      .seq_count = 1,
                                      .captures = &captures,
                                      .host = f->host->name});
}

const struct matcher match_flow = {
    .name = "flow",
    .keys = KEY_SELECT | KEY_ATTEMPTS | KEY_QUIET,
    .state_bytes = sizeof(struct state),
    .flow_events = 1 << FLOW_OPENED | 1 << FLOW_CONTACT,
    .flow = step,
};
