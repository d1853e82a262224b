/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/parts.h"

#include "base/timefmt.h"

#include <inttypes.h>

static void put_member_str(struct json *j, const char *key, struct str value)
{
    json_key(j, key);
    json_str(j, value);
}

static void put_member_u64(struct json *j, const char *key, uint64_t value)
{
    json_key(j, key);
    json_u64(j, value);
}

static void put_member_ms(struct json *j, const char *key, uint64_t us)
{
    put_member_u64(j, key, us / 1000);
}

static void put_confidence(struct json *j, enum confidence c)
{
    json_key(j, "confidence");
    json_cstr(j, confidence_name(c));
}

static void put_evidence(struct json *j, const struct evidence *e)
{
    json_key(j, "evidence");
    json_array(j);
    for (unsigned i = 0; i < e->n; i++)
        json_u64(j, e->seqs[i]);
    json_end(j);
    put_member_u64(j, "evidence_count", e->count);
}

void put_recording_members(struct json *j, const struct report *r)
{
    struct buf began;

    buf_init(&began, 64);
    put_rfc3339(&began, r->began_wall_us);
    put_member_str(j, "name", r->name);
    put_member_str(j, "kind", r->kind);
    put_member_str(j, "began", buf_str(&began));
    put_member_ms(j, "duration_ms", r->duration_us);
    put_member_str(j, "explained_by", STR("flightstrip " FLIGHTSTRIP_VERSION));
    buf_finish(&began);
}

/* In whole milliseconds the phases and this have to sum up, too. */
static uint64_t unattributed_ms(const struct strip *s)
{
    uint64_t ms = s->end_us / 1000 - s->start_us / 1000, phases_ms = 0;

    for (size_t i = 0; i < s->phase_count; i++)
        phases_ms += s->phases[i].end_us / 1000 - s->phases[i].start_us / 1000;
    return ms > phases_ms ? ms - phases_ms : 0;
}

void put_device_members(struct json *j, const struct strip *s)
{
    put_member_str(j, "id", s->id);
    put_member_str(j, "name", s->name);
    put_member_str(j, "address", s->address);
    json_key(j, "scenario");
    json_object(j);
    put_member_str(j, "id", s->scenario);
    put_member_str(j, "title", s->scenario_title);
    put_confidence(j, s->scenario_confidence);
    json_end(j);
    json_key(j, "outcome");
    json_object(j);
    put_member_str(j, "state", s->outcome);
    put_member_str(j, "why", s->outcome_why);
    json_end(j);
    put_member_ms(j, "start_ms", s->start_us);
    put_member_ms(j, "end_ms", s->end_us);
    put_member_u64(j, "flow_count", s->flows);
    put_member_u64(j, "bytes_up", s->bytes_up);
    put_member_u64(j, "bytes_down", s->bytes_down);
    put_member_u64(j, "unattributed_ms", unattributed_ms(s));
}

void put_phase_members(struct json *j, const struct strip_phase *p)
{
    put_member_str(j, "id", p->id);
    put_member_str(j, "title", p->title);
    put_member_ms(j, "start_ms", p->start_us);
    put_member_ms(j, "end_ms", p->end_us);
    json_key(j, "open");
    json_bool(j, p->open);
    put_confidence(j, p->confidence);
}

void put_moment_members(struct json *j, const struct strip_moment *m)
{
    put_member_str(j, "id", m->id);
    put_member_ms(j, "at_ms", m->at_us);
    put_member_str(j, "title", m->title);
    put_member_str(j, "says", m->says);
    json_key(j, "phase");
    if (m->phase.n)
        json_str(j, m->phase);
    else
        json_null(j);
    put_confidence(j, m->confidence);
    put_evidence(j, &m->evidence);
}

void put_service_members(struct json *j, const struct strip_service *s)
{
    put_member_str(j, "id", s->id);
    put_member_u64(j, "flows", s->flows);
    put_member_u64(j, "failed", s->failed);
    put_member_u64(j, "bytes_up", s->bytes_up);
    put_member_u64(j, "bytes_down", s->bytes_down);
    put_member_ms(j, "first_ms", s->first_us);
    put_member_ms(j, "last_ms", s->last_us);
    put_member_ms(j, "active_ms", s->active_us);
}

void put_finding_members(struct json *j, const struct strip_finding *f)
{
    put_member_str(j, "id", f->id);
    json_key(j, "severity");
    json_cstr(j, severity_name(f->severity));
    put_member_ms(j, "at_ms", f->at_us);
    put_member_str(j, "title", f->title);
    put_member_str(j, "says", f->says);
    put_member_str(j, "remedy", f->remedy);
    put_confidence(j, f->confidence);
    put_evidence(j, &f->evidence);
}

void put_coverage_members(struct json *j, const struct strip_coverage *c)
{
    put_member_str(j, "source", c->source);
    put_member_ms(j, "start_ms", c->start_us);
    put_member_ms(j, "end_ms", c->end_us);
    json_key(j, "gap");
    json_bool(j, c->gap);
}

#define LIST(j, key, n, list, put)                                                                 \
    do {                                                                                           \
        json_key(j, key);                                                                          \
        json_array(j);                                                                             \
        for (size_t i_ = 0; i_ < (n); i_++) {                                                      \
            json_object(j);                                                                        \
            put(j, &(list)[i_]);                                                                   \
            json_end(j);                                                                           \
        }                                                                                          \
        json_end(j);                                                                               \
    } while (0)

void put_strip_members(struct json *j, const struct strip *s)
{
    put_device_members(j, s);
    LIST(j, "phases", s->phase_count, s->phases, put_phase_members);
    LIST(j, "moments", s->moment_count, s->moments, put_moment_members);
    LIST(j, "services", s->service_count, s->services, put_service_members);
    LIST(j, "findings", s->finding_count, s->findings, put_finding_members);
    LIST(j, "coverage", s->coverage_count, s->coverage, put_coverage_members);
}

void put_flow_members(struct json *j, const struct report_flow *f)
{
    put_member_u64(j, "flow", f->flow);
    put_member_ms(j, "start_ms", f->opened_us);
    put_member_ms(j, "end_ms", f->ended_us);
    json_key(j, "open");
    json_bool(j, f->is_open);
    put_member_str(j, "host", f->host);
    put_member_u64(j, "port", f->port);
    put_member_str(j, "service", f->service);
    if (f->url.n) {
        put_member_str(j, "method", f->method);
        put_member_str(j, "url", f->url);
    }
    if (f->status)
        put_member_u64(j, "status", f->status);
    put_member_u64(j, "bytes_up", f->bytes_up);
    put_member_u64(j, "bytes_down", f->bytes_down);
    put_member_str(j, "why", f->why);
    if (f->error.n)
        put_member_str(j, "error", f->error);
    if (f->rules.n)
        put_member_str(j, "rules", f->rules);
}

void put_wall_time(struct buf *out, uint64_t wall_us)
{
    struct buf exact;

    buf_init(&exact, 64);
    put_rfc3339(&exact, wall_us);

    struct str time = buf_str(&exact);
    struct str day = str_cut(&time, 'T');
    struct str clock = str_cut(&time, '.');
    buf_printf(out, STR_FMT " " STR_FMT " UTC", STR_ARG(day), STR_ARG(clock));
    buf_finish(&exact);
}

void put_flow_line(struct buf *out, const struct report_flow *f)
{
    if (f->url.n)
        buf_printf(out, STR_FMT " " STR_FMT, STR_ARG(f->method), STR_ARG(f->url));
    else
        buf_printf(out, STR_FMT ":%" PRIu64, STR_ARG(f->host), f->port);
    if (f->status >= 300)
        buf_printf(out, ", status %" PRIu64, f->status);
    if (f->bytes_up + f->bytes_down) {
        buf_put_str(out, STR(", "));
        put_bytes(out, f->bytes_up);
        buf_put_str(out, STR(" up, "));
        put_bytes(out, f->bytes_down);
        buf_put_str(out, STR(" down"));
    }
    if (f->is_open) {
        buf_put_str(out, STR(", still open"));
    } else {
        buf_put_str(out, STR(", "));
        put_duration(out, f->ended_us - f->opened_us);
    }
    if (f->error.n)
        buf_printf(out, ": " STR_FMT, STR_ARG(f->error));
    if (f->rules.n)
        buf_printf(out, " (flightstrip's rule: " STR_FMT ")", STR_ARG(f->rules));
}

void put_words(struct buf *out, struct str id)
{
    for (size_t i = 0; i < id.n; i++)
        buf_put_byte(out, id.p[i] == '-' ? ' ' : (uint8_t)id.p[i]);
}

const struct strip_moment *summary_of(const struct strip *s)
{
    for (size_t i = s->moment_count; i--;)
        if (str_eq(s->moments[i].id, STR("summary")))
            return &s->moments[i];
    return NULL;
}
