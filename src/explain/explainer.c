/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fold over all devices: hands each observation to its device, and keeps what they share: the
 * hosts that were met, with the conditions that care for each; coverage; notes.
 */
#include "explain/explainer.h"

#include "base/xalloc.h"
#include "explain/device.h"
#include "explain/matcher.h"
#include "explain/snapshot.h"
#include "explain/verdict.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * Hosts are kept because what is known of one is asked for at every flow. Past the ceiling those
 * that no open flow points to are forgotten, and met anew when they come again.
 */
enum { HOSTS_MAX = 16384, HOST_NAME_MAX = 255 };

/* An imported file may claim any number of devices; those beyond are not explained. */
enum { EXPLAINED_DEVICES_MAX = 16384 };

static void host_destroy(struct host *h)
{
    free((char *)h->name.p);
    for (unsigned i = 0; i < FLOW_EVENTS; i++)
        free(h->on[i].v);
    free(h);
}

static void add_interest(struct interest *interest, const struct condition *c)
{
    interest->v = xreallocarray(interest->v, interest->n + 1, sizeof *interest->v);
    interest->v[interest->n++] = c;
}

static void collect_interests(const struct rules *rules, struct host *h)
{
    for (size_t i = 0; i < rules->condition_count; i++) {
        const struct condition *c = rules->conditions[i];
        unsigned events = c->matcher->flow_events;

        if (!events || !selector_takes_host(&c->select, h))
            continue;
        for (unsigned event = 0; event < FLOW_EVENTS; event++)
            if (events & 1u << event)
                add_interest(&h->on[event], c);
    }
}

static struct host *host_create(const struct rules *rules, struct str name)
{
    struct host *h = xalloc(sizeof *h);

    h->name = (struct str){str_dup(name), name.n};
    h->endpoint = endpoints_match(rules->endpoints, h->name);
    h->service = h->endpoint ? rules_service(rules, h->endpoint->service) : 0;
    collect_interests(rules, h);
    return h;
}

static void forget_idle_hosts(struct explainer *ex)
{
    struct str_map kept = {0};
    struct str name;
    struct host *h;

    for (size_t at = 0; (h = str_map_next(&ex->hosts, &at, &name));)
        if (h->open_flows)
            str_map_put(&kept, name, h);
        else
            host_destroy(h);
    str_map_finish(&ex->hosts);
    ex->hosts = kept;
}

static struct host *host_of(void *ctx, struct str name)
{
    struct explainer *ex = ctx;

    name = str_head(name, HOST_NAME_MAX);

    struct host *h = str_map_get(&ex->hosts, name);
    if (h)
        return h;
    /* When most of them are in use, sweeping at every new one would be all that is done. */
    if (ex->hosts.n >= ex->hosts_swept_at) {
        forget_idle_hosts(ex);
        ex->hosts_swept_at = ex->hosts.n + HOSTS_MAX;
    }
    h = host_create(ex->rules, name);
    str_map_put(&ex->hosts, name, h);
    return h;
}

struct explainer *explainer_create(const struct knowledge *knowledge)
{
    struct explainer *ex = xalloc(sizeof *ex);

    ex->rules = knowledge_rules(knowledge);
    ex->arena = arena_create();
    ex->hosts_swept_at = HOSTS_MAX;
    return ex;
}

void explainer_destroy(struct explainer *ex)
{
    struct host *h;

    if (!ex)
        return;
    for (size_t i = 0; i < ex->device_count; i++) {
        device_finish(ex->devices[i]);
        free(ex->devices[i]);
    }
    free(ex->devices);
    map_finish(&ex->by_id);
    for (size_t at = 0; (h = str_map_next(&ex->hosts, &at, NULL));)
        host_destroy(h);
    str_map_finish(&ex->hosts);
    arena_destroy(ex->arena);
    free(ex);
}

static void listen(void *ctx, const struct device *d, const struct moment *m, bool again);
static void flow_failed(void *ctx, uint64_t flow, enum flow_failure failure);

static struct device *add_device(struct explainer *ex, const struct obs *o)
{
    struct device *d = xalloc(sizeof *d);

    device_init(d, ex->rules, o->device, o->at_us);
    d->host_of = host_of;
    d->host_ctx = ex;
    d->listener = listen;
    d->flow_failed = flow_failed;
    d->listener_ctx = ex;
    ex->devices = xreallocarray(ex->devices, ex->device_count + 1, sizeof *ex->devices);
    ex->devices[ex->device_count++] = d;
    map_put(&ex->by_id, o->device, d);
    return d;
}

/* --- coverage and notes: of the recording, not of one device --- */

static struct source_coverage *last_coverage(struct explainer *ex, enum obs_source source)
{
    for (size_t i = ex->coverage_count; i; i--)
        if (ex->coverage[i - 1].source == source && !ex->coverage[i - 1].gap)
            return &ex->coverage[i - 1];
    return NULL;
}

static void add_coverage(struct explainer *ex, struct source_coverage c)
{
    if (ex->coverage_count < COVERAGE_MAX)
        ex->coverage[ex->coverage_count++] = c;
}

/* A gap is observed where it begins. */
static uint64_t gap_end_us(const struct obs *gap)
{
    return gap->ms < (UINT64_MAX - gap->at_us) / 1000 ? gap->at_us + gap->ms * 1000 : UINT64_MAX;
}

static void cover(struct explainer *ex, const struct obs *o)
{
    struct source_coverage *last = last_coverage(ex, o->source);

    switch (o->kind) {
    case OBS_SOURCE_STARTED:
        if (!last || !last->open)
            add_coverage(ex, (struct source_coverage){o->source, o->at_us, 0, true, false});
        break;
    case OBS_SOURCE_LOST:
        if (last && last->open) {
            last->open = false;
            last->end_us = o->at_us;
        }
        break;
    case OBS_GAP:
        add_coverage(ex, (struct source_coverage){o->source, o->at_us, gap_end_us(o), false, true});
        /* Those that it found; a device that comes later has missed nothing. */
        for (; ex->gapped_count < ex->device_count; ex->gapped_count++)
            ex->devices[ex->gapped_count]->has_gap = true;
        break;
    default:
        break;
    }
}

static void note(struct explainer *ex, const struct obs *o)
{
    if (ex->note_count == NOTES_MAX)
        return;
    ex->notes[ex->note_count++] =
        (struct note){o->at_us, o->seq, o->device, arena_str(ex->arena, o->text)};
}

static void step(struct explainer *ex, const struct obs *o)
{
    struct device *d = o->device ? map_get(&ex->by_id, o->device) : NULL;

    ex->now_us = o->at_us > ex->now_us ? o->at_us : ex->now_us;
    if (o->kind == OBS_NOTE) {
        note(ex, o);
        return;
    }
    cover(ex, o);
    if (!d && o->device && ex->device_count < EXPLAINED_DEVICES_MAX)
        d = add_device(ex, o);
    if (d)
        device_step(d, o);
}

void explainer_put(void *explainer, const struct obs *o)
{
    struct explainer *ex = explainer;
    struct obs late;

    /* A stream never goes back in time (obs/stream.h); a damaged recording may. */
    if (o->at_us < ex->put_us) {
        late = *o;
        late.at_us = ex->put_us;
        o = &late;
    }
    ex->put_us = o->at_us;
    step(ex, o);
}

void explainer_advance(struct explainer *ex, uint64_t at_us)
{
    ex->now_us = at_us > ex->now_us ? at_us : ex->now_us;
    for (size_t i = 0; i < ex->device_count; i++)
        device_advance(ex->devices[i], ex->now_us);
}

void explainer_finish(struct explainer *ex)
{
    explainer_advance(ex, ex->now_us);
    for (size_t i = 0; i < ex->device_count; i++)
        device_end(ex->devices[i]);
    ex->ended = true;
}

/* --- who wants to know --- */

void explainer_listen(struct explainer *ex, const struct explainer_listener *listener)
{
    assert(ex->listener_count < EXPLAINER_LISTENERS_MAX);
    ex->listeners[ex->listener_count++] = *listener;
}

static void tell_moment(const struct explainer *ex, uint32_t device, const struct strip_moment *m,
                        bool again)
{
    for (size_t i = 0; i < ex->listener_count; i++)
        if (ex->listeners[i].moment)
            ex->listeners[i].moment(ex->listeners[i].ctx, device, m, again);
}

static void tell_finding(const struct explainer *ex, uint32_t device, const struct strip_finding *f,
                         bool again)
{
    for (size_t i = 0; i < ex->listener_count; i++)
        if (ex->listeners[i].finding)
            ex->listeners[i].finding(ex->listeners[i].ctx, device, f, again);
}

static void flow_failed(void *ctx, uint64_t flow, enum flow_failure failure)
{
    const struct explainer *ex = ctx;

    for (size_t i = 0; i < ex->listener_count; i++)
        if (ex->listeners[i].failed)
            ex->listeners[i].failed(ex->listeners[i].ctx, flow, failure);
}

static bool anybody_listens(const struct explainer *ex, enum rule_kind kind)
{
    for (size_t i = 0; i < ex->listener_count; i++)
        if (kind == RULE_MOMENT ? !!ex->listeners[i].moment : !!ex->listeners[i].finding)
            return true;
    return false;
}

static void listen(void *ctx, const struct device *d, const struct moment *m, bool again)
{
    struct explainer *ex = ctx;

    if (!anybody_listens(ex, m->rule->kind))
        return;
    if (!verdict_shows(verdict_scenario(d), &m->rule->only_in, &m->rule->not_in))
        return;

    struct arena *arena = arena_create();
    if (m->rule->kind == RULE_MOMENT) {
        struct strip_moment moment = snapshot_moment(d, m, arena);
        tell_moment(ex, d->id, &moment, again);
    } else {
        struct strip_finding finding = snapshot_finding(d, m, arena);
        tell_finding(ex, d->id, &finding, again);
    }
    arena_destroy(arena);
}

size_t explainer_device_count(const struct explainer *ex)
{
    return ex->device_count;
}

struct strip *explainer_strip(const struct explainer *ex, size_t i, struct arena *arena)
{
    return snapshot_strip(ex, ex->devices[i], arena);
}

struct strip *explainer_strip_of(const struct explainer *ex, uint32_t device, struct arena *arena)
{
    const struct device *d = map_get(&ex->by_id, device);

    return d ? snapshot_strip(ex, d, arena) : NULL;
}
