/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flows in pages, one flow with all that was seen of it, and observations. */
#include "base/host_pattern.h"
#include "base/xalloc.h"
#include "obs/codec.h"
#include "serve/api_private.h"

#include <stdlib.h>

/* --- flows --- */

struct flow_query {
    const struct endpoints *endpoints;
    uint64_t after, limit;
    uint64_t device; /* 0: any */
    uint64_t from_us, to_us;
    struct str host;    /* a pattern; empty: any */
    struct str service; /* p == NULL: any */
    uint64_t failed;    /* 1: those alone */
};

static bool read_host(const struct web_request *r, struct web_answer *a, struct flow_query *q)
{
    struct str host = web_query(r, "host");
    const char *complaint = host.n ? host_pattern_complaint(host) : NULL;

    if (complaint)
        web_refuse(r, a, 400, "host: %s", complaint);
    else if (host.n)
        q->host = host_pattern_normal(r->arena, host);
    return !complaint;
}

static bool read_query(const struct web_request *r, struct web_answer *a, struct flow_query *q)
{
    q->service = web_query(r, "service");
    if (!api_number(r, a, "after", &q->after) || !api_number(r, a, "limit", &q->limit) ||
        !api_number(r, a, "device", &q->device) || !api_number(r, a, "from_us", &q->from_us) ||
        !api_number(r, a, "to_us", &q->to_us) || !api_number(r, a, "failed", &q->failed) ||
        !read_host(r, a, q))
        return false;
    q->limit = q->limit && q->limit < ROWS_MAX ? q->limit : ROWS_MAX;
    return true;
}

static bool is_of_service(const struct flow_query *q, const struct flow_row *row)
{
    struct str service = {0};

    if (row->endpoint >= 0)
        service = endpoints_at(q->endpoints, (size_t)row->endpoint)->service;
    return !q->service.p || str_eq(service, q->service);
}

static bool takes(const struct flow_query *q, const struct flow_row *row)
{
    if ((q->device && row->device != q->device) || (q->failed && !row->failure))
        return false;
    if (row->opened_us > q->to_us || (row->ended_us != FLOW_NEVER && row->ended_us < q->from_us))
        return false;
    if (q->host.n && !host_pattern_fits(q->host, row_str(row->name ? row->name : &row->host)))
        return false;
    return is_of_service(q, row);
}

static void put_columns(struct json *j)
{
    json_key(j, "columns");
    json_array(j);
    for (const struct flow_column *c = flow_columns; c->name; c++)
        json_cstr(j, c->name);
    json_end(j);
}

/* The number after which the next page begins; 0: there is none. */
static uint64_t put_rows(struct json *j, struct flow_table *flows, const struct flow_query *q)
{
    size_t i = flow_table_after(flows, q->after), n = flow_table_count(flows);
    uint64_t left = q->limit, last = 0;

    json_key(j, "rows");
    json_array(j);
    for (; i < n && left && j->out->n < PAGE_BYTES_MAX; i++) {
        const struct flow_row *row = flow_table_at(flows, i);

        if (!takes(q, row))
            continue;
        put_row_array(j, row);
        last = row->flow;
        left--;
    }
    json_end(j);
    return i < n ? last : 0;
}

static void put_next(struct json *j, uint64_t next)
{
    json_key(j, "next");
    if (next)
        json_u64(j, next);
    else
        json_null(j);
}

void api_flows(void *ctx, const struct web_request *r, struct web_answer *a)
{
    const struct api *api = ctx;
    struct served *s = api_recording(api, r, a);
    struct flow_query query = {.limit = ROWS_USUAL, .to_us = UINT64_MAX};
    struct json j;

    if (!s || !read_query(r, a, &query))
        return;
    query.endpoints = knowledge_endpoints(s->about.knowledge);
    api_begin(a, &j);
    api_key_u64(&j, "seq", s->seq);
    put_columns(&j);
    put_next(&j, put_rows(&j, s->flows, &query));
    json_end(&j);
}

/* --- observations --- */

/* Observations on their way into a list. */
struct listing {
    struct json *j;
    uint64_t left, after;
    bool is_full;
};

/* A page ends with an observation, never with a note: so no note is met twice (recording.h). */
static bool list_page(void *ctx, const struct obs *o)
{
    struct listing *l = ctx;

    obs_put_json(l->j, o);
    if (o->seq >= RECORDING_NOTE_SEQ)
        return true;
    l->after = o->seq;
    l->left--;
    l->is_full = !l->left || l->j->out->n >= PAGE_BYTES_MAX;
    return !l->is_full;
}

static size_t read_seqs(const struct web_request *r, struct web_answer *a, struct str text,
                        uint64_t seqs[static SEQS_MAX])
{
    size_t n = 0;

    while (text.n) {
        if (n == SEQS_MAX || !str_to_u64(str_cut(&text, ','), &seqs[n++])) {
            web_refuse(r, a, 400, "seqs: expected at most %d numbers, with commas between",
                       SEQS_MAX);
            return 0;
        }
    }
    return n;
}

static int put_some(struct json *j, struct recording *file, const uint64_t *seqs, size_t n,
                    struct err *err)
{
    struct listing l = {.j = j, .left = SEQS_MAX};
    int r = recording_look_up(file, seqs, n, list_page, &l, err);

    json_end(j);
    put_next(j, 0);
    return r;
}

static int put_page(struct json *j, struct recording *file, uint64_t after, uint64_t limit,
                    struct err *err)
{
    struct listing l = {
        .j = j, .after = after, .left = limit && limit < ROWS_MAX ? limit : ROWS_MAX};
    uint64_t damaged;
    int r = recording_replay(file, after, list_page, &l, &damaged, err);

    json_end(j);
    put_next(j, l.is_full ? l.after : 0);
    return r;
}

void api_observations(void *ctx, const struct web_request *r, struct web_answer *a)
{
    struct served *s = api_recording(ctx, r, a);
    struct str text = web_query(r, "seqs");
    uint64_t after = 0, limit = ROWS_USUAL, seqs[SEQS_MAX];
    size_t n = text.p ? read_seqs(r, a, text, seqs) : 0;
    struct recording *file;
    struct err err;
    struct json j;
    int code;

    if (!s || a->status != 200 || !api_number(r, a, "after", &after) ||
        !api_number(r, a, "limit", &limit) || !api_open_file(s, r, a, &file))
        return;
    api_begin(a, &j);
    json_key(&j, "observations");
    json_array(&j);
    if (text.p)
        code = put_some(&j, file, seqs, n, &err);
    else
        code = put_page(&j, file, after, limit, &err);
    json_end(&j);
    if (code < 0)
        api_failed(r, a, &err);
}

/* --- one flow --- */

/*
 * What was seen of it a moment ago may have yet to reach the file, which is not waited for here:
 * the answer is made when it is there.
 */
struct flow_answer {
    struct events *events;
    struct served *served;
    uint64_t flow, seq;
};

/* A file that cannot be read has no observations: of the flow itself it is told all the same. */
static void put_flow(struct json *j, struct served *s, const struct flow_row *row)
{
    struct listing l = {.j = j, .left = ROWS_MAX};
    const struct recording_flow flow = {row->flow, row->first_seq, row->seq};
    struct recording *file;

    json_object(j);
    json_key(j, "flow");
    json_object(j);
    put_row_members(j, row);
    json_end(j);
    json_key(j, "observations");
    json_array(j);
    if (served_file(s, &file, NULL) == 0)
        recording_look_up_flow(file, &flow, list_page, &l, NULL);
    json_end(j);
    json_end(j);
}

static bool fill_flow(void *ctx, struct buf *out)
{
    const struct flow_answer *f = ctx;
    const struct flow_row *row = flow_table_get(f->served->flows, f->flow);
    struct json j;

    if (row && !served_is_stored(f->served, f->seq))
        return true;
    json_init(&j, out, false);
    if (row)
        put_flow(&j, f->served, row);
    return false;
}

static void close_flow(void *ctx)
{
    struct flow_answer *f = ctx;

    events_release(f->events);
    free(f);
}

static struct web_stream wait_for_flow(const struct api *api, struct served *s,
                                       const struct flow_row *row)
{
    struct flow_answer *f = xalloc(sizeof *f);

    *f = (struct flow_answer){api->events, s, row->flow, row->seq};
    events_hold(api->events);
    return (struct web_stream){.fill = fill_flow, .close = close_flow, .ctx = f};
}

void api_flow(void *ctx, const struct web_request *r, struct web_answer *a)
{
    const struct api *api = ctx;
    struct served *s = api_recording(api, r, a);
    const struct flow_row *row;
    uint64_t flow;
    struct json j;

    if (!s)
        return;
    row = str_to_u64(r->params[1], &flow) ? flow_table_get(s->flows, flow) : NULL;
    if (!row) {
        web_refuse(r, a, 404, "there is no flow '" STR_FMT "' here", STR_ARG(r->params[1]));
        return;
    }
    a->type = "application/json";
    a->body.max = JSON_BYTES_MAX;
    json_init(&j, &a->body, false);
    if (served_is_stored(s, row->seq))
        put_flow(&j, s, row);
    else
        a->stream = wait_for_flow(api, s, row);
}
