/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "explain/verdict.h"

#include "explain/value.h"

#include <stdlib.h>

static const struct id_state *id_state(const struct device *d, struct str id)
{
    size_t i = rules_id(d->rules, id);

    return i == SIZE_MAX ? NULL : &d->ids[i];
}

static bool happened(const struct device *d, struct str id)
{
    const struct id_state *s = id_state(d, id);

    return s && s->times > s->over;
}

static bool all_happened(const struct device *d, const struct strs *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        if (!happened(d, ids->v[i]))
            return false;
    return true;
}

static bool any_happened(const struct device *d, const struct strs *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        if (happened(d, ids->v[i]))
            return true;
    return false;
}

static bool in_order(const struct device *d, const struct strs *ids)
{
    for (size_t i = 1; i < ids->n; i++)
        if (id_state(d, ids->v[i - 1])->first_us > id_state(d, ids->v[i])->first_us)
            return false;
    return true;
}

static bool agrees(enum yes_no wanted, bool is)
{
    return wanted == EITHER || (wanted == YES) == is;
}

static bool fits(const struct device *d, const struct verdict_rule *v, bool ended)
{
    return all_happened(d, &v->needs) && all_happened(d, &v->order) && in_order(d, &v->order) &&
           (!v->needs_any.n || any_happened(d, &v->needs_any)) && !any_happened(d, &v->without) &&
           (!v->finding_any.n || any_happened(d, &v->finding_any)) && agrees(v->ended, ended) &&
           agrees(v->gaps, d->has_gap) && d->now_us - d->moved_us >= v->quiet_us;
}

const struct verdict_rule *verdict_scenario(const struct device *d)
{
    for (size_t i = 0; i < d->rules->scenario_count; i++)
        if (fits(d, d->rules->scenarios[i], true))
            return d->rules->scenarios[i];
    return NULL;
}

const struct verdict_rule *verdict_outcome(const struct device *d, bool ended)
{
    for (size_t i = 0; i < d->rules->outcome_count; i++)
        if (fits(d, d->rules->outcomes[i], ended))
            return d->rules->outcomes[i];
    return NULL;
}

void verdict_put_outcome(const struct device *d, bool ended, struct buf *out)
{
    const struct verdict_rule *v = verdict_outcome(d, ended);

    if (v)
        device_put_texts(d, v->says, out);
}

/* --- phases --- */

struct turn { /* a moment at which the phase changes */
    const struct moment *m;
    size_t order; /* in which it was known: for equal times */
};

static int by_time(const void *a, const void *b)
{
    const struct turn *x = a, *y = b;

    if (x->m->at_us != y->m->at_us)
        return x->m->at_us < y->m->at_us ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static bool names(const struct strs *ids, struct str id)
{
    for (size_t i = 0; i < ids->n; i++)
        if (str_eq(ids->v[i], id))
            return true;
    return false;
}

bool verdict_shows(const struct verdict_rule *scenario, const struct strs *only_in,
                   const struct strs *not_in)
{
    struct str id = scenario ? scenario->id : SCENARIO_UNKNOWN;

    return (!only_in->n || names(only_in, id)) && !names(not_in, id);
}

struct phases {
    const struct rules *rules;
    const struct verdict_rule *scenario;
    struct strip_phase *v;
    size_t n;
    size_t present; /* index in rules, or SIZE_MAX */
};

/* The phase this moment starts: later in the list than the present one. SIZE_MAX: none. */
static size_t starts(const struct phases *p, struct str id)
{
    const struct rules *r = p->rules;
    size_t found = SIZE_MAX;

    for (size_t i = p->present == SIZE_MAX ? 0 : p->present + 1; i < r->phase_count; i++)
        if (names(&r->phases[i]->starts, id) &&
            verdict_shows(p->scenario, &r->phases[i]->only_in, &r->phases[i]->not_in))
            found = i;
    return found;
}

static void end_phase(struct phases *p, uint64_t at_us)
{
    struct strip_phase *last = p->n ? &p->v[p->n - 1] : NULL;

    if (!last || !last->open)
        return;
    last->end_us = at_us;
    last->open = false;
    if (last->end_us == last->start_us)
        p->n--; /* it was over as it began: the next one says what there is to say */
}

static void turn(struct phases *p, const struct moment *m)
{
    const struct rules *r = p->rules;
    size_t next = starts(p, m->rule->id);

    if (next != SIZE_MAX) {
        end_phase(p, m->at_us);
        p->v[p->n++] = (struct strip_phase){.id = r->phases[next]->id,
                                            .title = r->phases[next]->title,
                                            .start_us = m->at_us,
                                            .open = true,
                                            .confidence = m->rule->confidence};
        p->present = next;
    } else if (p->present != SIZE_MAX && names(&r->phases[p->present]->ends, m->rule->id)) {
        end_phase(p, m->at_us);
    }
}

size_t verdict_phases(const struct device *d, struct arena *arena, struct strip_phase **ret_phases)
{
    const struct verdict_rule *scenario = verdict_scenario(d);

    /* On a machine that is not being provisioned the same traffic begins no phase of it. */
    if (!scenario) {
        *ret_phases = NULL;
        return 0;
    }

    struct turn *turns = arena_array(arena, d->moment_count, sizeof *turns);
    struct phases p = {.rules = d->rules,
                       .scenario = scenario,
                       .v = arena_array(arena, d->rules->phase_count, sizeof *p.v),
                       .present = SIZE_MAX};

    for (size_t i = 0; i < d->moment_count; i++)
        turns[i] = (struct turn){d->moments[i], i};
    qsort(turns, d->moment_count, sizeof *turns, by_time);
    for (size_t i = 0; i < d->moment_count; i++)
        turn(&p, turns[i].m);
    if (p.n && p.v[p.n - 1].open)
        p.v[p.n - 1].end_us = d->now_us;
    *ret_phases = p.v;
    return p.n;
}
