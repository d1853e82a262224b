/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/page.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "serve/api.h"
#include "serve/web.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_PLACE "127.0.0.1:8088"
#define ANY_PLACE "127.0.0.1:0"
#define ANYWHERE "auto"

struct page {
    struct web *web;
    struct api *api;
};

static void answer_metrics(void *ctx, const struct web_request *r, struct web_answer *a)
{
    (void)r;
    a->type = METRICS_TYPE;
    metrics_put(ctx, &a->body);
}

static const struct web_route metrics_routes[] = {
    {"GET", "/metrics", answer_metrics, 0, false},
};

static bool is_auto(const struct page_words *words)
{
    return !words->listen || strcmp(words->listen, ANYWHERE) == 0;
}

bool page_is_wanted(const struct page_words *words, int fd)
{
    return fd >= 0 || words->listen;
}

/* The usual place, unless something is there already. */
static int open_somewhere(struct loop *loop, struct web_options *options, struct web **ret_web,
                          struct err *err)
{
    int r;

    options->listen = USUAL_PLACE;
    r = web_create(loop, options, ret_web, err);
    if (r != -EADDRINUSE)
        return r;
    log_info("port 8088 is taken, so the page is on another");
    options->listen = ANY_PLACE;
    return web_create(loop, options, ret_web, err);
}

static int open_web(struct page *p, struct loop *loop, const struct page_options *o,
                    struct err *err)
{
    struct web_options options = {.listen = o->words->listen,
                                  .fd = o->fd,
                                  .cert = o->words->cert,
                                  .key = o->words->key,
                                  .routes = metrics_routes,
                                  .route_count = o->metrics ? 1 : 0,
                                  .ctx = (void *)(uintptr_t)o->metrics};

    if (o->fd < 0 && is_auto(o->words))
        return open_somewhere(loop, &options, &p->web, err);
    return web_create(loop, &options, &p->web, err);
}

static void say_where(const struct page *p, bool metrics)
{
    struct str link = web_link(p->web, true);

    log_info("the page is at " STR_FMT, STR_ARG(link));
    if (web_needs_token(p->web)) {
        link = web_link(p->web, false);
        log_info("for those who may only look it is at " STR_FMT, STR_ARG(link));
    }
    if (metrics)
        log_info("metrics are at http://" STR_FMT "/metrics", STR_ARG(web_address(p->web)));
}

int page_open(struct loop *loop, const struct page_options *options, struct page **ret_page,
              struct err *err)
{
    struct page *p = xalloc(sizeof *p);
    int r = open_web(p, loop, options, err);

    if (r == 0)
        r = api_create(loop, p->web, options->recordings, options->recording_count, &p->api, err);
    if (r < 0) {
        page_close(p);
        return r;
    }
    say_where(p, options->metrics);
    *ret_page = p;
    return 0;
}

void page_close(struct page *p)
{
    if (!p)
        return;
    web_destroy(p->web);
    api_destroy(p->api);
    free(p);
}
