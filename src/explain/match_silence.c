/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * silence: nothing at all moved for `quiet`, and what came then has one of `then` in its first
 * `within`. It is placed where the silence began, and tells how long it lasted. With
 * `then: {host: www.msftconnecttest.com}` that is what a reboot looks like from outside.
 *
 *     silence: {quiet: 10s, then: {service: ncsi}, within: 10s}
 */
#include "explain/matcher.h"

struct state {
    uint64_t from_us, to_us; /* the last long silence; to_us 0: none, or used up */
};

static void step(struct device *d, const struct condition *c, void *state, const struct flow *f,
                 enum flow_event what, const struct obs *o)
{
    struct state *st = state;
    struct captures captures = {0};

    (void)o;
    if (what == FLOW_OPENED) {
        if (f->silence_us >= c->quiet_us) {
            st->from_us = f->opened_us - f->silence_us;
            st->to_us = f->opened_us;
        }
        return;
    }
    if (!st->to_us || f->opened_us < st->to_us || f->opened_us > st->to_us + c->within_us)
        return;
    if (!selector_takes_host(&c->then, f->host) || !selector_takes_flow(&c->then, f, &captures))
        return;
    if (device_occur(d, c,
                     &(struct occurrence){.at_us = st->from_us,
                                          .seqs = {f->opened_seq},
                                          .seq_count = 1,
                                          .duration_us = st->to_us - st->from_us,
                                          .captures = &captures,
                                          .host = f->host->name}))
        st->to_us = 0;
}

const struct matcher match_silence = {
    .name = "silence",
    .keys = KEY_QUIET | KEY_THEN | KEY_WITHIN,
    .needs = KEY_QUIET | KEY_THEN | KEY_WITHIN,
    .state_bytes = sizeof(struct state),
    .flow_events = 1 << FLOW_OPENED | 1 << FLOW_CONTACT,
    .flow = step,
};
