/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "explain/snapshot.h"

#include "explain/value.h"
#include "explain/verdict.h"

#include <stdlib.h>

enum { TEXT_MAX = 16 << 10 };

const char *confidence_name(enum confidence c)
{
    static const char *const names[] = {"unknown", "inferred", "seen"};

    return names[c];
}

const char *severity_name(enum severity s)
{
    static const char *const names[] = {"info", "warning", "error"};

    return names[s];
}

static struct str text_of(void (*put)(const struct device *d, const struct moment *m,
                                      struct buf *out),
                          const struct device *d, const struct moment *m, struct arena *arena)
{
    struct buf out;

    buf_init(&out, TEXT_MAX);
    put(d, m, &out);

    struct str text = arena_str(arena, buf_str(&out));
    buf_finish(&out);
    return text;
}

struct strip_moment snapshot_moment(const struct device *d, const struct moment *m,
                                    struct arena *arena)
{
    return (struct strip_moment){.id = m->rule->id,
                                 .at_us = m->at_us,
                                 .title = text_of(moment_put_title, d, m, arena),
                                 .says = text_of(moment_put_says, d, m, arena),
                                 .phase = m->rule->phase,
                                 .confidence = m->rule->confidence,
                                 .evidence = m->evidence};
}

struct strip_finding snapshot_finding(const struct device *d, const struct moment *m,
                                      struct arena *arena)
{
    /* What worked in the end is worth knowing, and no longer a problem. */
    return (struct strip_finding){.id = m->rule->id,
                                  .severity = m->over_us ? SEVERITY_INFO : m->rule->severity,
                                  .at_us = m->at_us,
                                  .title = text_of(moment_put_title, d, m, arena),
                                  .says = text_of(moment_put_says, d, m, arena),
                                  .remedy = text_of(moment_put_remedy, d, m, arena),
                                  .confidence = m->rule->confidence,
                                  .evidence = m->evidence};
}

/* --- moments: those of rules, and a person's notes among them --- */

struct strip_moment strip_note(uint64_t at_us, uint64_t seq, struct str text)
{
    return (struct strip_moment){.id = STR("note"),
                                 .at_us = at_us,
                                 .title = STR("Note"),
                                 .says = text,
                                 .confidence = CONFIDENCE_SEEN,
                                 .evidence = {1, 1, {seq}}};
}

bool strip_is_note(const struct strip_moment *m)
{
    return str_eq(m->id, STR("note"));
}

void strip_leave_out_notes(struct strip *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->moment_count; i++)
        if (!strip_is_note(&s->moments[i]))
            s->moments[n++] = s->moments[i];
    s->moment_count = n;
}

void strip_add_moments(struct strip *s, const struct strip_moment *moments, size_t n,
                       struct arena *arena)
{
    struct strip_moment *all = arena_array(arena, s->moment_count + n, sizeof *all);
    size_t of_strip = 0, of_list = 0, count = 0;

    while (of_strip < s->moment_count || of_list < n)
        if (of_list == n ||
            (of_strip < s->moment_count && s->moments[of_strip].at_us <= moments[of_list].at_us))
            all[count++] = s->moments[of_strip++];
        else
            all[count++] = moments[of_list++];
    s->moments = all;
    s->moment_count = count;
}

/* Insertion keeps the order of being known for equal times, and most of them come sorted. */
static void insert(struct strip_moment *list, size_t *n, struct strip_moment m)
{
    size_t i = (*n)++;

    for (; i && list[i - 1].at_us > m.at_us; i--)
        list[i] = list[i - 1];
    list[i] = m;
}

static void take_moments(const struct explainer *ex, const struct device *d, struct strip *strip,
                         struct arena *arena)
{
    const struct verdict_rule *scenario = verdict_scenario(d);

    strip->moments = arena_array(arena, d->moment_count + ex->note_count, sizeof *strip->moments);
    for (size_t i = 0; i < d->moment_count; i++) {
        const struct rule *rule = d->moments[i]->rule;

        if (verdict_shows(scenario, &rule->only_in, &rule->not_in))
            insert(strip->moments, &strip->moment_count, snapshot_moment(d, d->moments[i], arena));
    }
    for (size_t i = 0; i < ex->note_count; i++) {
        const struct note *n = &ex->notes[i];

        if (n->device && n->device != d->id)
            continue;
        insert(strip->moments, &strip->moment_count, strip_note(n->at_us, n->seq, n->text));
    }
}

/* --- findings, services, coverage --- */

static bool finding_before(const struct strip_finding *a, const struct strip_finding *b)
{
    return a->severity != b->severity ? a->severity > b->severity : a->at_us < b->at_us;
}

static void take_findings(const struct device *d, struct strip *strip, struct arena *arena)
{
    strip->findings = arena_array(arena, d->finding_count, sizeof *strip->findings);
    const struct verdict_rule *scenario = verdict_scenario(d);

    for (size_t k = 0; k < d->finding_count; k++) {
        const struct rule *rule = d->findings[k]->rule;
        if (!verdict_shows(scenario, &rule->only_in, &rule->not_in))
            continue;

        struct strip_finding f = snapshot_finding(d, d->findings[k], arena);
        size_t i = strip->finding_count++;

        for (; i && finding_before(&f, &strip->findings[i - 1]); i--)
            strip->findings[i] = strip->findings[i - 1];
        strip->findings[i] = f;
    }
}

static int by_bytes_down(const void *a, const void *b)
{
    const struct strip_service *x = a, *y = b;

    if (x->bytes_down != y->bytes_down)
        return x->bytes_down > y->bytes_down ? -1 : 1;
    return str_cmp(x->id, y->id);
}

static void take_services(const struct device *d, struct strip *strip, struct arena *arena)
{
    strip->services = arena_array(arena, d->rules->service_count, sizeof *strip->services);
    for (size_t i = 0; i < d->rules->service_count; i++) {
        const struct service_state *s = &d->services[i];

        if (!s->flows)
            continue;
        strip->services[strip->service_count++] =
            (struct strip_service){.id = i ? d->rules->services[i] : STR("unknown"),
                                   .flows = s->flows,
                                   .failed = s->failed,
                                   .bytes_up = s->bytes_up,
                                   .bytes_down = s->bytes_down,
                                   .first_us = s->first_us,
                                   .last_us = s->last_us,
                                   .active_us = s->active_us};
    }
    qsort(strip->services, strip->service_count, sizeof *strip->services, by_bytes_down);
}

static void take_coverage(const struct explainer *ex, struct strip *strip, struct arena *arena)
{
    strip->coverage = arena_array(arena, ex->coverage_count, sizeof *strip->coverage);
    for (size_t i = 0; i < ex->coverage_count; i++) {
        const struct source_coverage *c = &ex->coverage[i];

        strip->coverage[strip->coverage_count++] =
            (struct strip_coverage){.source = str_of(obs_sources[c->source].name),
                                    .start_us = c->start_us,
                                    .end_us = c->open ? ex->now_us : c->end_us,
                                    .gap = c->gap};
    }
}

static void take_verdicts(const struct explainer *ex, const struct device *d, struct strip *strip,
                          struct arena *arena)
{
    const struct verdict_rule *scenario = verdict_scenario(d);
    const struct verdict_rule *outcome = verdict_outcome(d, ex->ended);
    struct buf why;

    strip->scenario = scenario ? scenario->id : SCENARIO_UNKNOWN;
    strip->scenario_title = scenario ? scenario->title : STR("Unknown");
    strip->scenario_confidence = scenario ? scenario->confidence : CONFIDENCE_NONE;
    strip->outcome = outcome ? outcome->id : STR("incomplete");

    buf_init(&why, TEXT_MAX);
    verdict_put_outcome(d, ex->ended, &why);
    strip->outcome_why = arena_str(arena, buf_str(&why));
    buf_finish(&why);
}

static void take_phases(const struct device *d, struct strip *strip, struct arena *arena)
{
    uint64_t attributed_us = 0;

    strip->phase_count = verdict_phases(d, arena, &strip->phases);
    for (size_t i = 0; i < strip->phase_count; i++)
        attributed_us += strip->phases[i].end_us - strip->phases[i].start_us;
    strip->unattributed_us = strip->end_us - strip->start_us - attributed_us;
}

struct strip *snapshot_strip(const struct explainer *ex, const struct device *d,
                             struct arena *arena)
{
    struct strip *strip = arena_alloc(arena, sizeof *strip);

    *strip = (struct strip){.device = d->id,
                            .id = arena_printf(arena, "device-%u", d->id),
                            .name = arena_str(arena, d->name.n ? d->name : d->address),
                            .address = arena_str(arena, d->address),
                            .start_us = d->start_us,
                            .end_us = d->now_us,
                            .flows = d->flow_total,
                            .bytes_up = d->bytes_up,
                            .bytes_down = d->bytes_down};
    take_phases(d, strip, arena);
    take_moments(ex, d, strip, arena);
    take_services(d, strip, arena);
    take_findings(d, strip, arena);
    take_coverage(ex, strip, arena);
    take_verdicts(ex, d, strip, arena);
    return strip;
}
