/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bytes: one flow moves at least so many bytes to the device without a pause. It is placed where
 * that run of bytes began, which in a connection that was kept open is later than its opening.
 *
 *     bytes: {host: "*.manage.microsoft.com", bytes: 1 MB}
 */
#include "explain/matcher.h"

struct state {
    uint64_t told_flow, told_run_us; /* the run that it was last told of: once is enough */
};

static void step(struct device *d, const struct condition *c, void *state, const struct flow *f,
                 enum flow_event what, const struct obs *o)
{
    struct state *st = state;
    struct captures captures = {0};

    (void)what;
    if (f->bytes_down - f->run_down < c->bytes)
        return;
    if (st->told_flow == f->id && st->told_run_us == f->run_us)
        return;
    if (!selector_takes_flow(&c->select, f, &captures))
        return;
    st->told_flow = f->id;
    st->told_run_us = f->run_us;
    device_occur(d, c,
                 &(struct occurrence){.at_us = f->run_us,
                                      .seqs = {f->opened_seq, o->seq},
                                      .seq_count = 2,
                                      .bytes = f->bytes_down - f->run_down,
                                      .captures = &captures,
                                      .host = f->host->name});
}

const struct matcher match_bytes = {
    .name = "bytes",
    .keys = KEY_SELECT | KEY_BYTES,
    .needs = KEY_BYTES,
    .state_bytes = sizeof(struct state),
    .flow_events = 1 << FLOW_BYTES,
    .flow = step,
};
