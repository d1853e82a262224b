/* SPDX-License-Identifier: GPL-3.0-or-later */
/* account_check: what holds of every record that was read, whatever bytes it came from. */
#pragma once

#include "sources/imports/account.h"

#include <assert.h>

struct account_check {
    unsigned count;
    bool closed;
};

static inline int check_observation(void *ctx, const struct obs *o)
{
    struct account_check *c = ctx;

    assert(!c->closed);
    assert((c->count == 0) == (o->kind == OBS_FLOW_OPENED));
    assert(o->flow == 7 && o->source == SOURCE_IMPORT);
    assert(o->at_us <= WALL_US_MAX + 2 * ELAPSED_US_MAX * 8);
    for (size_t i = 0; i < o->host.n; i++)
        assert(o->host.p[i] == ascii_lower(o->host.p[i]));
    c->closed = o->kind == OBS_FLOW_CLOSED;
    c->count++;
    return 0;
}

static inline void check_record(enum record_fate fate, const struct account *x, const char *why)
{
    struct account_check check = {0};

    assert(fate != RECORD_BAD || why);
    if (fate != RECORD_FLOW)
        return;
    assert(x->began_us <= x->ended_us);
    assert(x->why);
    account_tell(x, 7, check_observation, &check);
    assert(check.closed && check.count >= 2);
}
