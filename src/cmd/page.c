/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/page.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "serve/api.h"
#include "serve/assets.h"
#include "serve/web.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>

#define USUAL_PLACE "127.0.0.1:8088"
#define ANY_PLACE "127.0.0.1:0"
#define ANYWHERE "auto"

enum { FAREWELL_STEP_MS = 20, FAREWELL_STEPS = 25 };

struct page {
    struct loop *loop;
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

static void say_where(const struct web *web, bool metrics, bool is_tls)
{
    if (web_needs_token(web))
        log_info("the page is at " STR_FMT ", and for who is to read alone at " STR_FMT,
                 STR_ARG(web_link(web, true)), STR_ARG(web_link(web, false)));
    else
        log_info("the page is at " STR_FMT, STR_ARG(web_link(web, true)));
    if (metrics)
        log_info("metrics are at %s://" STR_FMT "/metrics", is_tls ? "https" : "http",
                 STR_ARG(web_address(web)));
}

int page_open(struct loop *loop, const struct page_options *options, struct page **ret_page,
              struct err *err)
{
    struct page *p = xalloc(sizeof *p);
    int r;

    p->loop = loop;
    r = open_web(p, loop, options, err);
    if (r == 0)
        r = api_create(loop, p->web, options->recordings, options->recording_count, &p->api, err);
    if (r < 0) {
        page_close(p);
        return r;
    }
    web_add(p->web, asset_routes, ASSET_ROUTES, NULL);
    say_where(p->web, options->metrics, options->words->cert);
    *ret_page = p;
    return 0;
}

/* --- the end --- */

struct farewell {
    struct page *page;
    struct loop_fd timer;
    unsigned steps;
};

static void farewell_step(void *ctx, unsigned events)
{
    struct farewell *f = ctx;
    uint64_t times;

    (void)events;
    if (read(f->timer.fd, &times, sizeof times) < 0)
        return;
    if (++f->steps == FAREWELL_STEPS || !web_stream_count(f->page->web))
        loop_stop(f->page->loop);
}

/* In real time, as those who watch live in that; a clock that is held stands still meanwhile. */
static void run_farewell(struct page *p, int timer_fd)
{
    static const struct itimerspec every = {.it_value.tv_nsec = FAREWELL_STEP_MS * 1000000L,
                                            .it_interval.tv_nsec = FAREWELL_STEP_MS * 1000000L};
    struct farewell f = {.page = p};

    f.timer =
        (struct loop_fd){.fd = timer_fd, .events = LOOP_READ, .ready = farewell_step, .ctx = &f};
    timerfd_settime(timer_fd, 0, &every, NULL);
    if (loop_add_fd(p->loop, &f.timer) < 0)
        return;
    loop_busy(p->loop, 1);
    loop_run(p->loop);
    loop_busy(p->loop, -1);
    loop_del_fd(p->loop, &f.timer);
}

void page_end(struct page *p)
{
    if (!p || !web_stream_count(p->web))
        return;

    AUTO(auto_close) int timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer_fd < 0)
        return;
    web_wake(p->web);
    run_farewell(p, timer_fd);
}

void page_close(struct page *p)
{
    if (!p)
        return;
    web_destroy(p->web);
    api_destroy(p->api);
    free(p);
}
