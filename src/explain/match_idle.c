/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * idle: at least so many tunnels are open at once without having moved a byte for `quiet`. It is
 * placed where the last of them had been quiet that long.
 *
 *     idle: {flows: 3, quiet: 60s}
 *
 * A live tunnel is known to be idle when the time has passed. An imported log tells a tunnel's
 * bytes only when it closes: few bytes in a long life say that it was idle for most of it. So for
 * those the idle stretches are collected as they become known, and the first overlap of enough is
 * looked for each time.
 */
#include "explain/matcher.h"

enum { STRETCHES_MAX = 64, FEW_BYTES = 256 << 10, LOOK_US = 1000000 };

struct stretch {
    uint64_t from_us, to_us; /* idle for longer than `quiet`: from then until it closed or moved */
    uint64_t seq;
};

struct state {
    unsigned n;
    struct stretch stretches[STRETCHES_MAX]; /* of imported tunnels */
};

static unsigned overlap_at(const struct state *st, uint64_t at_us)
{
    unsigned n = 0;

    for (unsigned i = 0; i < st->n; i++)
        n += st->stretches[i].from_us <= at_us && at_us < st->stretches[i].to_us;
    return n;
}

/* The earliest time, not before a given one, at which enough stretches overlap. */
static bool first_overlap(const struct state *st, uint64_t enough, uint64_t not_before_us,
                          uint64_t *ret_at_us)
{
    bool found = false;

    for (unsigned i = 0; i < st->n; i++) {
        uint64_t from_us = st->stretches[i].from_us;
        uint64_t at_us = from_us > not_before_us ? from_us : not_before_us;

        if (overlap_at(st, at_us) >= enough && (!found || at_us < *ret_at_us)) {
            *ret_at_us = at_us;
            found = true;
        }
    }
    return found;
}

static void occur_imported(struct device *d, const struct condition *c, const struct state *st)
{
    struct occurrence found = {0};

    if (!first_overlap(st, c->count, device_not_before_us(d, c), &found.at_us))
        return;
    for (unsigned i = 0; i < st->n; i++) {
        const struct stretch *s = &st->stretches[i];

        if (s->from_us > found.at_us || s->to_us <= found.at_us)
            continue;
        found.evidence++;
        if (found.seq_count < EVIDENCE_MAX)
            found.seqs[found.seq_count++] = s->seq;
    }
    device_occur(d, c, &found);
}

/* Of too many, the one that ended first gives way: what is idle now may overlap with the others. */
static struct stretch *place_for_stretch(struct state *st)
{
    struct stretch *first = st->stretches;

    if (st->n < STRETCHES_MAX)
        return &st->stretches[st->n++];
    for (unsigned i = 1; i < st->n; i++)
        if (st->stretches[i].to_us < first->to_us)
            first = &st->stretches[i];
    return first;
}

static void step_imported(struct device *d, const struct condition *c, struct state *st,
                          const struct flow *f, const struct obs *o)
{
    uint64_t life_us = o->at_us - f->opened_us;

    if (life_us <= c->quiet_us || f->bytes_down + f->bytes_up > FEW_BYTES)
        return;
    *place_for_stretch(st) = (struct stretch){f->opened_us + c->quiet_us, o->at_us, f->opened_seq};
    occur_imported(d, c, st);
}

/* Looks at the open tunnels: occurs when enough are idle, else waits for the one that may be next.
 */
static void look(struct device *d, const struct condition *c, uint64_t now_us)
{
    struct occurrence found = {.at_us = now_us};
    uint64_t next_us = UINT64_MAX;

    for (const struct flow *f = d->open_first; f; f = f->next) {
        uint64_t idle_us = f->moved_us + c->quiet_us;

        if (!f->contact || f->told & TOLD_TO_SLOW || flow_is_plain(f) || flow_tells_bytes_late(f) ||
            !selector_takes_flow(&c->select, f, NULL))
            continue;
        if (idle_us > now_us) {
            next_us = idle_us < next_us ? idle_us : next_us;
            continue;
        }
        found.evidence++;
        if (found.seq_count < EVIDENCE_MAX)
            found.seqs[found.seq_count++] = f->opened_seq;
    }
    if (found.evidence >= c->count)
        device_occur(d, c, &found);
    /* At most one look a second, however many tunnels there are. */
    device_wait(d, c, next_us < now_us + LOOK_US ? now_us + LOOK_US : next_us);
}

static void step(struct device *d, const struct condition *c, void *state, const struct flow *f,
                 enum flow_event what, const struct obs *o)
{
    if (!device_may_occur(d, c) || flow_is_plain(f))
        return;
    if (flow_tells_bytes_late(f)) {
        if (what == FLOW_CLOSED && f->contact && selector_takes_flow(&c->select, f, NULL))
            step_imported(d, c, state, f, o);
    } else if (what == FLOW_CONTACT && device_waits(d, c) > f->moved_us + c->quiet_us) {
        device_wait(d, c, f->moved_us + c->quiet_us);
    }
}

static void due(struct device *d, const struct condition *c, void *state, uint64_t at_us)
{
    (void)state;
    if (device_may_occur(d, c))
        look(d, c, at_us);
}

const struct matcher match_idle = {
    .name = "idle",
    .keys = KEY_SELECT | KEY_COUNT | KEY_QUIET,
    .needs = KEY_COUNT | KEY_QUIET,
    .most_flows = STRETCHES_MAX,
    .state_bytes = sizeof(struct state),
    .flow_events = 1 << FLOW_CONTACT | 1 << FLOW_CLOSED,
    .flow = step,
    .due = due,
};
