/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes are a scenario file, which may be based on itself. What was loaded keeps what a player
 * relies on: events in order before the end, flows that can be asked for.
 */
#include "rehearse/scenario.h"

#include <assert.h>

static bool find_itself(void *ctx, struct str id, struct str *ret_name, struct str *ret_bytes)
{
    (void)id;
    *ret_name = STR("base.yaml");
    *ret_bytes = *(const struct str *)ctx;
    return true;
}

static void check_flow(const struct scenario_flow *f)
{
    assert(f->host.n && f->host.n <= 253 && f->path.n && f->type.n);
    for (size_t i = 0; i < f->path.n; i++)
        assert((uint8_t)f->path.p[i] > ' ');
    for (size_t i = 0; i < f->agent.n; i++)
        assert((uint8_t)f->agent.p[i] >= ' ');
    assert(f->tries > 0);
}

static void check(const struct scenario *s)
{
    uint64_t at_us = 0;

    for (size_t i = 0; i < s->event_count; i++) {
        const struct scenario_event *e = &s->events[i];

        assert(e->at_us >= at_us && e->at_us < s->ends_us);
        assert((e->what == SCENARIO_FLOW) == (e->flow != NULL));
        if (e->flow)
            check_flow(e->flow);
        at_us = e->at_us;
    }
    for (size_t i = 0; i < s->faults.n; i++)
        assert(s->faults.faults[i].kind < FAULT_KINDS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = str_from(data, size);
    const struct scenario_finder finder = {.find = find_itself, .ctx = &bytes};
    struct scenario *s = NULL;
    struct buf problems;
    unsigned n;

    buf_init(&problems, BUF_UNBOUNDED);
    n = scenario_load(STR("one.yaml"), bytes, &finder, &s, &problems);
    assert((n == 0) == (problems.n == 0) && (n == 0) == (s != NULL));
    if (s)
        check(s);
    scenario_destroy(s);
    buf_finish(&problems);
    return 0;
}
