/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/traffic.h"

#include "base/xalloc.h"

#include <stdlib.h>

static struct str keep(struct traffic *t, struct str text)
{
    return text.n ? arena_str(t->texts, text) : (struct str){0};
}

static struct str service_of(const struct traffic *t, struct str host)
{
    const struct endpoint *e = endpoints_match(t->endpoints, host);

    return e ? e->service : (struct str){0};
}

/* A tunnel's CONNECT says no more than its host and port, whichever source told of it. */
static bool is_plain(const struct joined_flow *f)
{
    return !str_eq(f->method, STR("CONNECT"));
}

static void take(void *ctx, const struct joined_flow *f)
{
    struct traffic *t = ctx;

    if (t->n == TRAFFIC_FLOWS_MAX) {
        t->left_out++;
        return;
    }
    if (t->n == t->room) {
        t->room = t->room ? 2 * t->room : 256;
        t->flows = xreallocarray(t->flows, t->room, sizeof *t->flows);
        t->devices = xreallocarray(t->devices, t->room, sizeof *t->devices);
    }
    t->devices[t->n] = f->device;
    t->flows[t->n++] = (struct report_flow){
        .flow = f->flow,
        .opened_us = f->opened_us,
        .ended_us = f->ended_us,
        .is_open = f->is_open,
        .host = keep(t, f->host),
        .port = f->port,
        .service = service_of(t, f->host),
        .method = is_plain(f) ? keep(t, f->method) : (struct str){0},
        .url = is_plain(f) ? keep(t, f->url) : (struct str){0},
        .status = f->status,
        .bytes_up = f->bytes_up,
        .bytes_down = f->bytes_down,
        .why = f->is_open ? STR("") : str_of(obs_whys[f->why].name),
        .error = keep(t, f->error),
        .rules = keep(t, f->rules),
    };
}

void traffic_init(struct traffic *t, const struct endpoints *endpoints)
{
    *t = (struct traffic){.endpoints = endpoints, .texts = arena_create()};
    flow_joiner_init(&t->joiner, take, t);
}

void traffic_finish(struct traffic *t)
{
    arena_destroy(t->texts);
    free(t->flows);
    free(t->devices);
    *t = (struct traffic){0};
}

void traffic_put(struct traffic *t, const struct obs *o)
{
    flow_joiner_put(&t->joiner, o);
}

void traffic_end(struct traffic *t)
{
    flow_joiner_finish(&t->joiner);
}

static int earlier(const void *a, const void *b)
{
    const struct report_flow *x = a, *y = b;

    if (x->opened_us != y->opened_us)
        return x->opened_us < y->opened_us ? -1 : 1;
    return x->flow < y->flow ? -1 : x->flow > y->flow;
}

const struct report_flow *traffic_of(const struct traffic *t, uint32_t device, struct arena *arena,
                                     size_t *ret_n)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n; i++)
        n += t->devices[i] == device;

    struct report_flow *flows = arena_array(arena, n, sizeof *flows);
    n = 0;
    for (size_t i = 0; i < t->n; i++)
        if (t->devices[i] == device)
            flows[n++] = t->flows[i];
    qsort(flows, n, sizeof *flows, earlier);
    *ret_n = n;
    return flows;
}
