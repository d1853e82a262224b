/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * moment: another moment has happened. It is placed with that one, and rests on its evidence.
 *
 *     moment: {moment: user-logged-on}
 */
#include "explain/matcher.h"

static void step(struct device *d, const struct condition *c, void *state, const struct moment *m)
{
    (void)state;
    if (m->rule->index != c->moment_index)
        return;

    struct occurrence found = {.at_us = m->at_us,
                               .seq_count = m->evidence.n,
                               .evidence = m->evidence.count,
                               .duration_us = m->duration_us,
                               .bytes = m->bytes};
    struct captures captures = m->captures;

    for (unsigned i = 0; i < m->evidence.n; i++)
        found.seqs[i] = m->evidence.seqs[i];
    found.captures = &captures;
    device_occur(d, c, &found);
}

const struct matcher match_moment = {
    .name = "moment",
    .keys = KEY_MOMENT,
    .needs = KEY_MOMENT,
    .moment = step,
};
