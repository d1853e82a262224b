/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * told: a rule that the recorder was given refused the flow, slowed it or sent it another way. It
 * is placed where the rule was applied. `rule` says which kinds count; without it all do.
 *
 *     told: {rule: [throttle, delay], service: intune-mdm}
 *
 * It is over for a host to which a flow works without such a rule.
 */
#include "explain/matcher.h"

static void step(struct device *d, const struct condition *c, void *state, const struct flow *f,
                 enum flow_event what, const struct obs *o)
{
    struct captures captures = {0};
    uint64_t kinds = c->told ? c->told : UINT64_MAX;
    enum told told;

    (void)state;
    if (!selector_takes_flow(&c->select, f, &captures))
        return;
    if (what == FLOW_CONTACT) {
        if (!(f->told & kinds))
            device_over(d, c, f->host->name, f->opened_us);
        return;
    }
    if (!told_named(o->type, &told) || !(kinds & 1ull << told))
        return;
    device_occur(d, c,
                 &(struct occurrence){.at_us = o->at_us,
                                      .seqs = {o->seq},
                                      .seq_count = 1,
                                      .captures = &captures,
                                      .host = f->host->name,
                                      .rule = o->text});
}

const struct matcher match_told = {
    .name = "told",
    .keys = KEY_SELECT | KEY_TOLD,
    .flow_events = 1 << FLOW_TOLD | 1 << FLOW_CONTACT,
    .flow = step,
};
