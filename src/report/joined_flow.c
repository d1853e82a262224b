/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/joined_flow.h"

#include "base/xalloc.h"

#include <stdlib.h>

/* A flow has a rule of each kind at most; a file may claim any number. */
enum { RULES_BYTES = 1024 };

void flow_joiner_init(struct flow_joiner *j, void (*done)(void *ctx, const struct joined_flow *f),
                      void *ctx)
{
    *j = (struct flow_joiner){.done = done, .ctx = ctx};
}

/* A flow whose beginning was not seen begins with what is seen of it first. */
static struct joined_flow *flow_of(struct flow_joiner *j, const struct obs *o)
{
    struct joined_flow *f = map_get(&j->open, o->flow);

    if (f)
        return f;
    f = xalloc(sizeof *f);
    *f = (struct joined_flow){
        .flow = o->flow, .device = o->device, .opened_us = o->at_us, .texts = arena_create()};
    map_put(&j->open, o->flow, f);
    return f;
}

static void destroy(struct joined_flow *f)
{
    arena_destroy(f->texts);
    free(f);
}

static void keep(struct joined_flow *f, struct str *member, struct str text)
{
    if (text.n)
        *member = arena_str(f->texts, text);
}

static struct str first_word(struct str s)
{
    return str_word(&s);
}

static void join_request(struct joined_flow *f, const struct obs *o)
{
    keep(f, &f->method, o->method);
    keep(f, &f->url, o->url);
    keep(f, &f->user_agent, o->user_agent);
    f->request_bytes = o->length;
}

static void join_response(struct joined_flow *f, const struct obs *o)
{
    f->answered = true;
    f->answered_us = o->at_us;
    f->status = o->status;
    keep(f, &f->content_type, o->content_type);
    f->response_bytes = o->length;
    f->by = o->by;
}

/* The proxy answers a CONNECT with 200 when it has reached the server: that is not observed apart.
 */
static void join_connected(struct joined_flow *f, const struct obs *o)
{
    f->connected = true;
    f->connect_ms = o->ms;
    keep(f, &f->address, o->address);
    if (f->how == HOW_CONNECT && !f->answered) {
        f->answered = true;
        f->answered_us = o->at_us;
        f->status = 200;
        f->by = BY_PROXY;
    }
}

static void join_bytes(struct joined_flow *f, const struct obs *o)
{
    f->bytes_up = o->bytes_up;
    f->bytes_down = o->bytes_down;
}

static void join_rule(struct joined_flow *f, const struct obs *o)
{
    if (!f->rules.n)
        keep(f, &f->rules, o->text);
    else if (f->rules.n < RULES_BYTES)
        f->rules = arena_printf(f->texts, STR_FMT "; " STR_FMT, STR_ARG(f->rules),
                                STR_ARG(str_head(o->text, RULES_BYTES)));
}

static void join(struct joined_flow *f, const struct obs *o)
{
    f->ended_us = o->at_us;
    switch (o->kind) {
    case OBS_FLOW_OPENED:
        keep(f, &f->client, o->client);
        keep(f, &f->host, o->host);
        f->port = o->port;
        f->how = o->how;
        break;
    case OBS_NAME_RESOLVED:
        f->resolved = true;
        f->resolve_ms = o->ms;
        keep(f, &f->resolved_address, first_word(o->addresses));
        break;
    case OBS_CONNECTED:
        join_connected(f, o);
        break;
    case OBS_NAME_FAILED:
    case OBS_TLS_ALERT:
        keep(f, &f->error, o->error);
        break;
    case OBS_CONNECT_FAILED:
        keep(f, &f->address, o->address);
        keep(f, &f->error, o->error);
        break;
    case OBS_TLS_HELLO:
        keep(f, &f->sni, o->sni);
        break;
    case OBS_HTTP_REQUEST:
        join_request(f, o);
        break;
    case OBS_HTTP_RESPONSE:
        join_response(f, o);
        break;
    case OBS_RULE_APPLIED:
        join_rule(f, o);
        break;
    case OBS_FLOW_PROGRESS:
        join_bytes(f, o);
        break;
    case OBS_FLOW_CLOSED:
        join_bytes(f, o);
        f->why = o->why;
        break;
    default:
        break;
    }
}

void flow_joiner_put(struct flow_joiner *j, const struct obs *o)
{
    j->last_us = o->at_us;
    if (!o->flow)
        return;

    struct joined_flow *f = flow_of(j, o);
    join(f, o);
    if (o->kind != OBS_FLOW_CLOSED)
        return;
    map_remove(&j->open, o->flow);
    j->done(j->ctx, f);
    destroy(f);
}

static int compare_flows(const void *a, const void *b)
{
    const struct joined_flow *left = *(struct joined_flow *const *)a;
    const struct joined_flow *right = *(struct joined_flow *const *)b;

    return (left->flow > right->flow) - (left->flow < right->flow);
}

void flow_joiner_finish(struct flow_joiner *j)
{
    struct joined_flow **open = xreallocarray(NULL, j->open.n + 1, sizeof *open);
    size_t n = 0, at = 0;

    while ((open[n] = map_next(&j->open, &at, NULL)))
        n++;
    qsort(open, n, sizeof *open, compare_flows);
    for (size_t i = 0; i < n; i++) {
        open[i]->is_open = true;
        open[i]->ended_us = j->last_us;
        j->done(j->ctx, open[i]);
        destroy(open[i]);
    }
    free(open);
    map_finish(&j->open);
}
