/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/record_web.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "serve/assets.h"
#include "serve/metrics.h"
#include "serve/process.h"
#include "serve/web.h"

#include <stdlib.h>

struct record_web {
    struct metrics_of metrics;
    struct web *web;
};

static void answer_metrics(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    const struct record_web *w = ctx;

    (void)request;
    answer->type = METRICS_TYPE;
    metrics_put(&w->metrics, &answer->body);
}

static const struct web_route routes[] = {
    {"GET", "/metrics", answer_metrics},
};

static struct record_web *record_web_new(struct session *s, const struct proxy *proxy)
{
    struct record_web *w = xalloc(sizeof *w);

    *w = (struct record_web){
        .metrics = {.proxy = proxy,
                    .stream = &s->stream,
                    .devices = &s->devices,
                    .recorder = s->recorder,
                    .began_wall_us = process_began_wall_us()},
    };
    return w;
}

static void say_where(const struct web *web)
{
    if (web_needs_token(web))
        log_info("the page is at " STR_FMT ", and for who is to read alone at " STR_FMT,
                 STR_ARG(web_link(web, true)), STR_ARG(web_link(web, false)));
    else
        log_info("the page is at " STR_FMT, STR_ARG(web_link(web, true)));
    log_info("metrics are at http://" STR_FMT "/metrics", STR_ARG(web_address(web)));
}

int record_web_open(struct session *s, const struct proxy *proxy, const char *listen,
                    struct activation *sockets, struct record_web **ret_web, struct err *err)
{
    int fd = activation_next(sockets, STR("web"));
    struct record_web *w;
    int r;

    *ret_web = NULL;
    if (fd < 0 && !listen)
        return 0;
    w = record_web_new(s, proxy);
    r = web_create(s->loop,
                   &(struct web_options){.listen = listen,
                                         .fd = fd,
                                         .routes = routes,
                                         .route_count = sizeof routes / sizeof *routes,
                                         .ctx = w},
                   &w->web, err);
    if (r < 0) {
        record_web_close(w);
        return r;
    }
    web_add(w->web, asset_routes, ASSET_ROUTES, NULL);
    say_where(w->web);
    *ret_web = w;
    return 0;
}

void record_web_close(struct record_web *w)
{
    if (!w)
        return;
    web_destroy(w->web);
    free(w);
}
