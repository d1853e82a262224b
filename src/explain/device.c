/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One device's fold.
 *
 * An observation first lets the time pass that it shows to have passed: what waited for a silence
 * happens at its own time, before the observation does. Then it changes the flow it belongs to, and
 * the flow's events go to the conditions that care for flows to that host.
 *
 * The question on which most depends is whether a flow worked, for a moment must not be told of a
 * host that was only tried. See `sure_of_contact`.
 */
#include "explain/device.h"

#include "base/xalloc.h"
#include "explain/matcher.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /*
     * What a device sends after its ClientHello when it accepts the handshake: at least its
     * Finished (TLS 1.3: 58 bytes and more with their record headers, RFC 8446 4.4.4); when it
     * refuses, an alert (up to 31 with the ChangeCipherSpec before it).
     */
    HANDSHAKE_BYTES = 50,
    /* What comes through a tunnel whose handshake we cannot see, and is more than a proxy's own
       reply. */
    TUNNEL_BYTES = 100,
    /* A pause in a flow's bytes after which what follows is a run of its own. */
    RUN_PAUSE_US = 10000000,
    /* A pause up to which a service counts as active. */
    ACTIVE_PAUSE_US = 5000000,
    URL_MAX = 4096,
};

void device_init(struct device *d, const struct rules *rules, uint32_t id, uint64_t at_us)
{
    *d = (struct device){.rules = rules,
                         .arena = arena_create(),
                         .id = id,
                         .start_us = at_us,
                         .now_us = at_us,
                         .next_wait_us = UINT64_MAX,
                         .phase = SIZE_MAX};
    d->states = xalloc(rules->state_bytes);
    d->ids = xalloc(rules->rule_count * sizeof *d->ids);
    d->services = xalloc(rules->service_count * sizeof *d->services);
    d->waits = xalloc(rules->condition_count * sizeof *d->waits);
    for (size_t i = 0; i < rules->condition_count; i++)
        d->waits[i] = UINT64_MAX;
}

static void release_captures(struct captures *captures)
{
    for (unsigned i = 0; i < captures->n; i++)
        free((char *)captures->v[i].value.p);
    captures->n = 0;
}

static void flow_free(struct flow *f)
{
    if (f->host)
        f->host->open_flows--;
    free(f->url);
    free(f->user_agent);
    free(f->rule);
    free(f);
}

void device_finish(struct device *d)
{
    while (d->open_first) {
        struct flow *next = d->open_first->next;
        flow_free(d->open_first);
        d->open_first = next;
    }
    for (size_t i = 0; i < d->moment_count; i++)
        release_captures(&d->moments[i]->captures);
    for (size_t i = 0; i < d->finding_count; i++)
        release_captures(&d->findings[i]->captures);
    map_finish(&d->flows);
    map_finish(&d->reached);
    free((char *)d->name.p);
    free((char *)d->address.p);
    free(d->states);
    free(d->ids);
    free(d->services);
    free(d->waits);
    free(d->moments);
    free(d->findings);
    arena_destroy(d->arena);
}

/* --- waiting --- */

void device_wait(struct device *d, const struct condition *c, uint64_t at_us)
{
    d->waits[c->index] = at_us;
    if (at_us < d->next_wait_us)
        d->next_wait_us = at_us;
}

uint64_t device_waits(const struct device *d, const struct condition *c)
{
    return d->waits[c->index];
}

static size_t earliest_wait(const struct device *d)
{
    size_t best = 0;

    for (size_t i = 1; i < d->rules->condition_count; i++)
        if (d->waits[i] < d->waits[best])
            best = i;
    return best;
}

static void *state_of(struct device *d, const struct condition *c)
{
    return d->states + c->state_offset;
}

void device_advance(struct device *d, uint64_t at_us)
{
    while (d->next_wait_us <= at_us) {
        size_t i = earliest_wait(d);
        uint64_t due_us = d->waits[i];

        if (due_us > at_us) {
            d->next_wait_us = due_us;
            break;
        }
        d->waits[i] = UINT64_MAX;
        if (due_us > d->now_us)
            d->now_us = due_us;

        const struct condition *c = d->rules->conditions[i];
        c->matcher->due(d, c, state_of(d, c), due_us);
    }
    if (at_us > d->now_us)
        d->now_us = at_us;
}

/* --- what happened --- */

static bool happened(const struct device *d, uint64_t rule)
{
    return d->ids[rule].times > 0;
}

/* What is placed before it happened even when it was noticed after it. */
static bool happened_by(const struct device *d, uint64_t rule, uint64_t at_us)
{
    return happened(d, rule) && d->ids[rule].first_us <= at_us;
}

static bool in_phase(const struct device *d, const struct strs *phases)
{
    for (size_t i = 0; d->phase != SIZE_MAX && i < phases->n; i++)
        if (str_eq(phases->v[i], d->rules->phases[d->phase]->id))
            return true;
    return !phases->n;
}

static bool allows(const struct device *d, const struct gate *g, uint64_t at_us)
{
    bool any = !g->after_any.n;

    for (size_t i = 0; i < g->after.n; i++)
        if (!happened(d, g->after_ids[i]))
            return false;
    for (size_t i = 0; i < g->before.n; i++)
        if (happened_by(d, g->before_ids[i], at_us))
            return false;
    for (size_t i = 0; i < g->after_any.n; i++)
        any |= happened(d, g->after_any_ids[i]);
    return any && in_phase(d, &g->during);
}

bool device_may_occur(const struct device *d, const struct condition *c)
{
    uint64_t times = d->ids[c->rule->index].times;

    switch (c->rule->fires) {
    case FIRES_ONCE:
        return !times;
    case FIRES_EACH:
        return times < c->rule->at_most || c->rule->each.n;
    case FIRES_COUNT:
    case FIRES_LAST:
        break;
    }
    return true;
}

uint64_t device_not_before_us(const struct device *d, const struct condition *c)
{
    uint64_t latest_us = 0;

    for (size_t i = 0; i < c->gate.after.n; i++) {
        uint64_t first_us = d->ids[c->gate.after_ids[i]].first_us;

        latest_us = first_us > latest_us ? first_us : latest_us;
    }
    return latest_us;
}

static void add_evidence(struct evidence *e, const struct occurrence *what)
{
    e->count += what->evidence ? what->evidence : what->seq_count;
    for (unsigned i = 0; i < what->seq_count && e->n < EVIDENCE_MAX; i++)
        e->seqs[e->n++] = what->seqs[i];
}

static void keep(struct captures *captures, struct str name, struct str value)
{
    if (value.n && captures->n < CAPTURES_MAX)
        captures_add(captures, name, (struct str){str_dup(value), value.n});
}

static void keep_captures(struct device *d, struct moment *m, const struct occurrence *what)
{
    const struct endpoint *e =
        what->host.n ? endpoints_match(d->rules->endpoints, what->host) : NULL;
    struct captures kept = {0};
    char status[24];

    for (unsigned i = 0; what->captures && i < what->captures->n; i++)
        keep(&kept, what->captures->v[i].name, what->captures->v[i].value);
    keep(&kept, STR("host"), what->host);
    if (e)
        keep(&kept, STR("role"), e->role);
    if (what->failure)
        keep(&kept, STR("failure"), str_of(flow_failure_says(what->failure)));
    keep(&kept, STR("rule"), what->rule);
    if (what->status) {
        snprintf(status, sizeof status, "%" PRIu64, what->status);
        keep(&kept, STR("status"), str_of(status));
    }
    release_captures(&m->captures); /* only now: they may be what is kept */
    m->captures = kept;
}

static void fill(struct device *d, struct moment *m, const struct occurrence *what)
{
    m->at_us = what->at_us;
    m->duration_us = what->duration_us;
    m->bytes = what->bytes;
    m->evidence = (struct evidence){0};
    add_evidence(&m->evidence, what);
    keep_captures(d, m, what);
}

/* A new one at the end, or NULL when there are as many as there may be. */
static struct moment *append(struct device *d, struct moment ***list, size_t *count, size_t *room,
                             size_t max)
{
    if (*count == max)
        return NULL;
    if (*count == *room) {
        *room = *room ? *room * 2 : 16;
        *list = xreallocarray(*list, *room, sizeof **list);
    }
    return (*list)[(*count)++] = arena_alloc(d->arena, sizeof(struct moment));
}

static void begin_phase(struct device *d, const struct rule *rule)
{
    for (size_t i = d->phase == SIZE_MAX ? 0 : d->phase + 1; i < d->rules->phase_count; i++)
        for (size_t k = 0; k < d->rules->phases[i]->starts.n; k++)
            if (str_eq(d->rules->phases[i]->starts.v[k], rule->id))
                d->phase = i;
}

/* The moment is told to whoever listens, and to conditions that ask for moments. */
static void tell(struct device *d, const struct moment *m, bool again)
{
    if (d->listener)
        d->listener(d->listener_ctx, d, m, again);
    if (again)
        return;
    begin_phase(d, m->rule);
    for (size_t i = 0; i < d->rules->condition_count; i++) {
        const struct condition *c = d->rules->conditions[i];

        if (c->matcher->moment)
            c->matcher->moment(d, c, state_of(d, c), m);
    }
}

/* The moment of this rule that has the same value of its `each` capture, or NULL. */
static struct moment *same_each(struct device *d, const struct rule *rule,
                                const struct occurrence *what)
{
    bool of_host = str_eq(rule->each, STR("host"));
    struct str value =
        of_host || !what->captures ? what->host : captures_get(what->captures, rule->each);
    struct moment *m = d->ids[rule->index].last;

    while (m && !str_ieq(captures_get(&m->captures, rule->each), value))
        m = m->before;
    return m;
}

static bool grow(struct device *d, struct moment *m, const struct occurrence *what)
{
    add_evidence(&m->evidence, what);
    m->duration_us += what->duration_us;
    m->bytes += what->bytes;
    tell(d, m, true);
    return true;
}

static bool happen(struct device *d, const struct rule *rule, const struct occurrence *what)
{
    struct id_state *id = &d->ids[rule->index];
    struct moment *m =
        rule->kind == RULE_MOMENT
            ? append(d, &d->moments, &d->moment_count, &d->moment_room, DEVICE_MOMENTS_MAX)
            : append(d, &d->findings, &d->finding_count, &d->finding_room, DEVICE_FINDINGS_MAX);

    if (!m) {
        d->left_out++;
        return false;
    }
    m->rule = rule;
    m->before = id->last;
    m->number = ++id->times;
    fill(d, m, what);
    if (id->times == 1 || m->at_us < id->first_us)
        id->first_us = m->at_us;
    id->last = m;
    tell(d, m, false);
    return true;
}

bool device_occur(struct device *d, const struct condition *c, const struct occurrence *what)
{
    const struct rule *rule = c->rule;
    struct moment *last = d->ids[rule->index].last;
    struct moment *same = NULL;

    if (!device_may_occur(d, c) || !allows(d, &c->gate, what->at_us) ||
        what->at_us < device_not_before_us(d, c))
        return false;
    switch (rule->fires) {
    case FIRES_ONCE:
        break;
    case FIRES_EACH:
        same = rule->each.n ? same_each(d, rule, what) : last;
        if (same && rule->each.n)
            return grow(d, same, what);
        if (same && same->at_us == what->at_us)
            return false; /* another condition has told it already */
        if (d->ids[rule->index].times >= rule->at_most)
            return false;
        break;
    case FIRES_COUNT:
        if (last)
            return grow(d, last, what);
        break;
    case FIRES_LAST:
        if (!last)
            break;
        fill(d, last, what);
        d->ids[rule->index].first_us = what->at_us;
        tell(d, last, true);
        return true;
    }
    return happen(d, rule, what);
}

void device_over(struct device *d, const struct condition *c, struct str host, uint64_t at_us)
{
    struct id_state *id = &d->ids[c->rule->index];

    for (struct moment *m = id->last; m; m = m->before) {
        if (m->over_us || !str_eq(captures_get(&m->captures, STR("host")), host))
            continue;
        m->over_us = at_us;
        id->over++;
        tell(d, m, true);
    }
}

bool device_reached(const struct device *d, const struct host *host)
{
    /* When no more can be remembered, none is said never to have worked. */
    return map_get(&d->reached, str_hash(host->name)) || d->reached.n == DEVICE_REACHED_MAX;
}

/* --- flows --- */

/* A finding that cannot occur again is over all the same when its host works. */
static bool may_be_over(const struct condition *c, enum flow_event what)
{
    return what == FLOW_CONTACT && c->rule->kind == RULE_FINDING;
}

static void dispatch(struct device *d, struct flow *f, enum flow_event what, const struct obs *o)
{
    if (!f->host)
        return;

    const struct interest *interest = &f->host->on[what];
    for (unsigned i = 0; i < interest->n; i++) {
        const struct condition *c = interest->v[i];

        if (device_may_occur(d, c) || may_be_over(c, what))
            c->matcher->flow(d, c, state_of(d, c), f, what, o);
    }
}

static struct service_state *service_of(struct device *d, const struct flow *f)
{
    return &d->services[f->host ? f->host->service : 0];
}

static void service_active(struct service_state *s, uint64_t from_us, uint64_t to_us)
{
    if (!s->flows)
        s->first_us = s->last_us = from_us;
    if (from_us > s->last_us && from_us - s->last_us <= ACTIVE_PAUSE_US)
        from_us = s->last_us;
    if (from_us < s->last_us)
        from_us = s->last_us < to_us ? s->last_us : to_us;
    s->active_us += to_us - from_us;
    if (to_us > s->last_us)
        s->last_us = to_us;
}

static void moved(struct device *d, uint64_t at_us)
{
    d->any_traffic = true;
    if (at_us > d->moved_us)
        d->moved_us = at_us;
}

/* A flow counts, and its conditions hear of it, once it is known where it goes. */
static void give_host(struct device *d, struct flow *f, struct str name, const struct obs *o)
{
    if (f->host || !name.n || !(f->host = d->host_of(d->host_ctx, name)))
        return;
    f->host->open_flows++;

    struct service_state *s = service_of(d, f);
    service_active(s, f->opened_us, f->opened_us);
    s->flows++;
    dispatch(d, f, FLOW_OPENED, o);
}

static struct flow *open_flow(struct device *d, const struct obs *o)
{
    struct flow *f = map_get(&d->flows, o->flow);

    if (f || d->open_count == DEVICE_FLOWS_MAX) {
        d->left_out += !f;
        return NULL;
    }
    f = xalloc(sizeof *f);
    *f = (struct flow){.id = o->flow,
                       .source = o->source,
                       .how = o->how,
                       .opened_us = o->at_us,
                       .opened_seq = o->seq,
                       .moved_us = o->at_us,
                       .run_us = o->at_us,
                       .silence_us = d->any_traffic ? o->at_us - d->moved_us : 0,
                       .next = d->open_first};
    if (f->next)
        f->next->prev = f;
    d->open_first = f;
    map_put(&d->flows, f->id, f);
    d->open_count++;
    d->flow_total++;
    return f;
}

static void on_opened(struct device *d, const struct obs *o)
{
    struct flow *f = open_flow(d, o);

    if (!f)
        return;
    moved(d, o->at_us);
    if (flow_says_host(o))
        give_host(d, f, o->host, o);
}

static void contact(struct device *d, struct flow *f, const struct obs *o)
{
    if (f->contact)
        return;
    f->contact = true;
    f->failure = FAILURE_NONE;
    dispatch(d, f, FLOW_CONTACT, o);
    if (f->host && d->reached.n < DEVICE_REACHED_MAX)
        map_put(&d->reached, str_hash(f->host->name), d);
}

/* An imported log knows from the beginning what came of a flow; of a request the URL comes first.
 */
static void contact_if_reached(struct device *d, struct flow *f, const struct obs *o)
{
    if (f->reached && (f->how != HOW_ABSOLUTE || f->url))
        contact(d, f, o);
}

/* Whether the bytes so far can only come from a server that the device accepted. */
static bool sure_of_contact(const struct flow *f)
{
    if (f->alert || f->failure || !f->bytes_down)
        return false;
    if (flow_is_plain(f))
        return false; /* its response says so */
    if (f->hello_bytes)
        return f->bytes_up >= f->hello_bytes + HANDSHAKE_BYTES;
    return f->bytes_down > TUNNEL_BYTES;
}

static void on_bytes(struct device *d, struct flow *f, const struct obs *o)
{
    struct service_state *s = service_of(d, f);
    uint64_t up = o->bytes_up > f->bytes_up ? o->bytes_up - f->bytes_up : 0;
    uint64_t down = o->bytes_down > f->bytes_down ? o->bytes_down - f->bytes_down : 0;

    if (!up && !down)
        return;
    if (!flow_tells_bytes_late(f) && o->at_us > f->moved_us + RUN_PAUSE_US) {
        f->run_us = o->at_us;
        f->run_down = f->bytes_down;
    }
    f->before_down = f->bytes_down;
    f->bytes_up += up;
    f->bytes_down += down;
    d->bytes_up += up;
    d->bytes_down += down;
    s->bytes_up += up;
    s->bytes_down += down;
    service_active(s, flow_tells_bytes_late(f) ? f->opened_us : o->at_us, o->at_us);
    f->moved_us = o->at_us;
    moved(d, o->at_us);
    if (sure_of_contact(f))
        contact(d, f, o);
    dispatch(d, f, FLOW_BYTES, o);
}

static void on_response(struct device *d, struct flow *f, const struct obs *o)
{
    f->status = o->status;
    f->status_by = o->by;
    if (o->by == BY_UPSTREAM && o->status >= 400) {
        f->failure = FAILURE_UPSTREAM;
    } else if (o->by == BY_PROXY && o->status >= 400) {
        if (o->status == 407)
            f->failure = FAILURE_AUTH;
        else if (o->status == 403)
            f->failure = FAILURE_BLOCKED;
        else if (o->status >= 500 && !f->failure)
            f->failure = FAILURE_PROXY;
    } else if (flow_is_plain(f)) {
        contact(d, f, o);
    }
}

static enum flow_failure failure_by_end(const struct flow *f, enum flow_why why)
{
    switch (why) {
    case WHY_NAME_FAILED:
        return FAILURE_NAME;
    case WHY_CONNECT_FAILED:
    case WHY_TIMEOUT:
        return FAILURE_CONNECT;
    case WHY_REFUSED:
    case WHY_BLOCKED:
        return FAILURE_BLOCKED;
    case WHY_AUTHENTICATION:
        return FAILURE_AUTH;
    case WHY_UPSTREAM_FAILED:
        return FAILURE_NO_UPSTREAM;
    case WHY_SERVER_RESET:
    case WHY_SERVER_CLOSED:
        return f->answered ? FAILURE_HANDSHAKE : f->hello ? FAILURE_RESET : FAILURE_SILENT;
    case WHY_DEVICE_CLOSED:
    case WHY_DEVICE_RESET:
        return f->answered ? FAILURE_HANDSHAKE : f->hello ? FAILURE_SILENT : FAILURE_NONE;
    case WHY_FINISHED:
    case WHY_UNKNOWN:
        return flow_is_plain(f) ? FAILURE_NONE : FAILURE_SILENT;
    case WHY_IDLE:
        return f->hello ? FAILURE_SILENT : FAILURE_NONE;
    case WHY_NONE:
    case WHY_DEVICE_ABORTED:
    case WHY_BAD_REQUEST:
    case WHY_BAD_RESPONSE:
    case WHY_TOO_MANY:
    case WHY_SHUTDOWN:
    case WHY_COUNT:
        break;
    }
    return FAILURE_NONE;
}

/* What looks like a server's silence may be the patience of somebody who had to wait for us. */
static bool may_be_slowness(enum flow_failure failure, enum flow_why why)
{
    return why == WHY_TIMEOUT || failure == FAILURE_SILENT || failure == FAILURE_RESET ||
           failure == FAILURE_HANDSHAKE;
}

static enum flow_failure failure_of(const struct flow *f, enum flow_why why)
{
    enum flow_failure by_end = failure_by_end(f, why);

    if (f->told & TOLD_TO_REFUSE)
        return FAILURE_TOLD;
    /* That the upstream proxy's name or address failed says nothing of the host's. */
    if (why == WHY_UPSTREAM_FAILED)
        return f->failure == FAILURE_UPSTREAM ? FAILURE_UPSTREAM : FAILURE_NO_UPSTREAM;
    if (f->failure)
        return f->failure;
    if (f->alert)
        return FAILURE_HANDSHAKE;
    return f->told & TOLD_TO_SLOW && may_be_slowness(by_end, why) ? FAILURE_SLOWED : by_end;
}

/* Whether the device or the server ended it, and not the recorder's own patience. */
static bool is_sign_of_life(enum flow_why why)
{
    return why != WHY_IDLE && why != WHY_TIMEOUT && why != WHY_SHUTDOWN && why != WHY_TOO_MANY;
}

static void on_closed(struct device *d, struct flow *f, const struct obs *o)
{
    on_bytes(d, f, o);
    if (!f->contact && flow_is_plain(f) && !f->failure && f->bytes_down && !f->status)
        contact(d, f, o); /* a log that tells no status */
    if (!f->contact) {
        f->failure = failure_of(f, o->why);
        if (f->failure) {
            service_of(d, f)->failed++;
            d->flow_failed(d->listener_ctx, f->id, f->failure);
            dispatch(d, f, FLOW_FAILED, o);
        }
    }
    if (is_sign_of_life(o->why))
        moved(d, o->at_us);
    dispatch(d, f, FLOW_CLOSED, o);

    if (f->prev)
        f->prev->next = f->next;
    else
        d->open_first = f->next;
    if (f->next)
        f->next->prev = f->prev;
    map_remove(&d->flows, f->id);
    d->open_count--;
    flow_free(f);
}

static void keep_text(char **kept, struct str text)
{
    if (!text.n)
        return;
    free(*kept);
    *kept = str_dup(str_head(text, URL_MAX));
}

static void on_rule(struct device *d, struct flow *f, const struct obs *o)
{
    unsigned refused = f->told & TOLD_TO_REFUSE;
    enum told told;

    if (!told_named(o->type, &told))
        return;
    f->told |= 1u << told;
    /* It is explained by the first that refuses it, and else by the first that slows it. */
    if ((!refused && TOLD_TO_REFUSE & 1u << told) || (!f->rule && TOLD_TO_SLOW & 1u << told))
        keep_text(&f->rule, o->text);
    dispatch(d, f, FLOW_TOLD, o);
}

static void on_flow(struct device *d, struct flow *f, const struct obs *o)
{
    switch (o->kind) {
    case OBS_NAME_FAILED:
        f->failure = FAILURE_NAME;
        break;
    case OBS_CONNECT_FAILED:
        f->failure = FAILURE_CONNECT;
        break;
    case OBS_CONNECTED:
        f->failure = FAILURE_NONE; /* another of its addresses had failed */
        f->reached = flow_tells_bytes_late(f);
        contact_if_reached(d, f, o);
        break;
    case OBS_TLS_HELLO:
        f->hello = true;
        f->hello_bytes = o->length;
        give_host(d, f, o->sni, o);
        break;
    case OBS_TLS_ANSWER:
        f->answered = true;
        break;
    case OBS_TLS_ALERT:
        f->alert = !f->contact;
        break;
    case OBS_HTTP_REQUEST:
        keep_text(&f->url, o->url);
        keep_text(&f->user_agent, o->user_agent);
        give_host(d, f, o->host, o);
        contact_if_reached(d, f, o);
        break;
    case OBS_HTTP_RESPONSE:
        on_response(d, f, o);
        break;
    case OBS_RULE_APPLIED:
        on_rule(d, f, o);
        break;
    case OBS_FLOW_PROGRESS:
        on_bytes(d, f, o);
        break;
    case OBS_FLOW_CLOSED:
        on_closed(d, f, o);
        break;
    default:
        break;
    }
}

static void on_text(struct device *d, const struct obs *o)
{
    for (size_t i = 0; i < d->rules->condition_count; i++) {
        const struct condition *c = d->rules->conditions[i];

        if (c->matcher->text && device_may_occur(d, c))
            c->matcher->text(d, c, state_of(d, c), o);
    }
}

static void rename_as(struct str *kept, struct str name)
{
    if (!name.n)
        return;
    free((char *)kept->p);
    *kept = (struct str){str_dup(name), name.n};
}

void device_step(struct device *d, const struct obs *o)
{
    device_advance(d, o->at_us);
    switch (o->kind) {
    case OBS_DEVICE_SEEN:
        rename_as(&d->name, o->name);
        rename_as(&d->address, o->client);
        break;
    case OBS_FLOW_OPENED:
        on_opened(d, o);
        break;
    case OBS_SCREEN_TEXT:
    case OBS_LOG_EVENT:
        on_text(d, o);
        break;
    default: {
        struct flow *f = o->flow ? map_get(&d->flows, o->flow) : NULL;
        if (f)
            on_flow(d, f, o);
        break;
    }
    }
}

void device_end(struct device *d)
{
    for (size_t i = 0; i < d->rules->condition_count; i++) {
        const struct condition *c = d->rules->conditions[i];

        if (c->matcher->end && device_may_occur(d, c))
            c->matcher->end(d, c, state_of(d, c), d->now_us);
    }
}
