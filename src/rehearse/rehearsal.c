/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two lanes walk the scenario's events, each with its own place and timer: the main lane, which a
 * needed flow holds up, and what happens aside, which nothing does.
 */
#include "rehearse/rehearsal.h"

#include "base/xalloc.h"
#include "rehearse/device.h"
#include "sources/proxy/proxy.h"

#include <assert.h>
#include <stdlib.h>

#define DEVICE_ADDRESS "127.0.0.2"

struct lane {
    struct rehearsal *rehearsal;
    bool aside;
    size_t next; /* event */
    struct loop_timer timer;
};

/* A flow of the scenario, with its tries. */
struct attempt {
    struct rehearsal *rehearsal;
    struct attempt *prev, *next;
    const struct scenario_flow *flow;
    bool holds_up; /* the main lane waits for it */
    unsigned tries_left;
    struct loop_timer again;
};

struct rehearsal {
    struct loop *loop;
    const struct scenario *scenario;
    const struct rehearsal_watcher *watcher;

    struct internet *internet;
    struct proxy *proxy;
    struct device *device;

    struct lane main, aside;
    struct loop_timer end;
    struct attempt *attempts;
    struct attempt *held_up_by; /* one of them, or NULL */
    bool stuck;
};

/* --- attempts -----------------------------------------------------------------------------------
 */

static void attempt_destroy(struct attempt *a)
{
    struct rehearsal *r = a->rehearsal;

    loop_del_timer(r->loop, &a->again);
    if (r->held_up_by == a)
        r->held_up_by = NULL;
    if (a->prev)
        a->prev->next = a->next;
    else
        r->attempts = a->next;
    if (a->next)
        a->next->prev = a->prev;
    free(a);
}

static void attempt_done(void *ctx, const char *error)
{
    struct attempt *a = ctx;
    struct rehearsal *r = a->rehearsal;
    bool held_up = r->held_up_by == a;

    if (error && --a->tries_left) {
        loop_set_timer(r->loop, &a->again, loop_now_us(r->loop) + a->flow->try_again_us);
        return;
    }
    attempt_destroy(a);
    if (!held_up)
        return;
    /* Not from here: what comes next may end the very flow that is telling us. */
    if (error)
        r->stuck = true;
    else
        loop_set_timer(r->loop, &r->main.timer, loop_now_us(r->loop));
}

static void attempt_begin(void *ctx)
{
    struct attempt *a = ctx;

    device_open(a->rehearsal->device, a->flow, attempt_done, a);
}

static void attempt_flow(struct rehearsal *r, const struct scenario_flow *flow, bool aside)
{
    struct attempt *a = xalloc(sizeof *a);

    *a = (struct attempt){.rehearsal = r,
                          .next = r->attempts,
                          .flow = flow,
                          .tries_left = flow->tries,
                          .again = {.fire = attempt_begin, .ctx = a}};
    if (r->attempts)
        r->attempts->prev = a;
    r->attempts = a;
    if (flow->needed && !aside)
        r->held_up_by = a;
    attempt_begin(a);
}

static void go_off(struct rehearsal *r)
{
    device_go_off(r->device);
    while (r->attempts)
        attempt_destroy(r->attempts);
}

/* --- lanes --------------------------------------------------------------------------------------
 */

static bool lane_waits(const struct lane *lane)
{
    return !lane->aside && (lane->rehearsal->held_up_by || lane->rehearsal->stuck);
}

static const struct scenario_event *lane_event(struct lane *lane)
{
    const struct scenario *s = lane->rehearsal->scenario;

    while (lane->next < s->event_count && s->events[lane->next].aside != lane->aside)
        lane->next++;
    return lane->next < s->event_count ? &s->events[lane->next] : NULL;
}

static void happen(struct rehearsal *r, const struct scenario_event *event)
{
    switch (event->what) {
    case SCENARIO_FLOW:
        attempt_flow(r, event->flow, event->aside);
        break;
    case SCENARIO_OFF:
        go_off(r);
        break;
    case SCENARIO_SCREEN:
        if (r->watcher->screen)
            r->watcher->screen(r->watcher->ctx, event->screen);
        break;
    }
}

static void lane_go_on(struct lane *lane)
{
    struct rehearsal *r = lane->rehearsal;
    const struct scenario_event *event;

    while (!lane_waits(lane) && (event = lane_event(lane))) {
        if (event->at_us > loop_now_us(r->loop)) {
            loop_set_timer(r->loop, &lane->timer, event->at_us);
            return;
        }
        lane->next++;
        happen(r, event);
    }
}

static void lane_due(void *ctx)
{
    lane_go_on(ctx);
}

static void ended(void *ctx)
{
    struct rehearsal *r = ctx;

    r->watcher->ended(r->watcher->ctx);
}

/* --- the whole ----------------------------------------------------------------------------------
 */

static unsigned refuse(void *ctx, struct str host)
{
    const struct rehearsal *r = ctx;
    const struct fault *fault = fault_for(&r->scenario->faults, host);
    bool refused =
        fault && (fault->kind == FAULT_BLOCKED || fault->kind == FAULT_PROXY_AUTHENTICATION);

    return refused ? fault->status : 0;
}

static int open_proxy(struct rehearsal *r, struct stream *stream, struct devices *devices,
                      struct err *err)
{
    static const char *const listen[] = {"127.0.0.1:0"};
    struct proxy_options options = {
        .listen = listen,
        .listen_count = 1,
        .name_server = internet_name_server(r->internet),
        .dial = internet_dial,
        .dial_ctx = r->internet,
        .refuse = refuse,
        .refuse_ctx = r,
    };

    return proxy_create(r->loop, stream, devices, &options, &r->proxy, err);
}

static int open_device(struct rehearsal *r, struct devices *devices, struct err *err)
{
    const struct scenario *s = r->scenario;
    struct device_options options = {
        .address = DEVICE_ADDRESS,
        .proxy_port = proxy_port(r->proxy, 0),
        .trusted = internet_root(r->internet),
        .tls12 = s->tls12,
        .faults = &s->faults,
    };

    if (s->device.n) {
        char assignment[200]; /* the loader bounds the name */

        snprintf(assignment, sizeof assignment, STR_FMT "=" DEVICE_ADDRESS, STR_ARG(s->device));
        devices_name(devices, str_of(assignment), NULL);
    }
    return device_create(r->loop, &options, &r->device, err);
}

static void lane_init(struct lane *lane, struct rehearsal *r, bool aside)
{
    *lane = (struct lane){.rehearsal = r, .aside = aside, .timer = {.fire = lane_due, .ctx = lane}};
    lane_go_on(lane);
}

int rehearsal_create(struct loop *loop, struct stream *stream, struct devices *devices,
                     const struct scenario *scenario, const struct rehearsal_watcher *watcher,
                     struct rehearsal **ret_rehearsal, struct err *err)
{
    struct rehearsal *r = xalloc(sizeof *r);
    int error;

    *r = (struct rehearsal){
        .loop = loop, .scenario = scenario, .watcher = watcher, .end = {.fire = ended, .ctx = r}};
    error = internet_create(loop, &scenario->faults, &r->internet, err);
    if (error < 0)
        goto fail;
    for (size_t i = 0; i < scenario->event_count; i++)
        if (scenario->events[i].what == SCENARIO_FLOW)
            internet_add_host(r->internet, scenario->events[i].flow->host);
    if ((error = open_proxy(r, stream, devices, err)) < 0 ||
        (error = open_device(r, devices, err)) < 0)
        goto fail;

    loop_set_timer(loop, &r->end, scenario->ends_us);
    lane_init(&r->main, r, false);
    lane_init(&r->aside, r, true);
    *ret_rehearsal = r;
    return 0;

fail:
    rehearsal_destroy(r);
    return error;
}

void rehearsal_stop(struct rehearsal *r)
{
    loop_del_timer(r->loop, &r->end);
    loop_del_timer(r->loop, &r->main.timer);
    loop_del_timer(r->loop, &r->aside.timer);
    proxy_stop(r->proxy);
    go_off(r);
}

void rehearsal_destroy(struct rehearsal *r)
{
    if (!r)
        return;
    if (r->device)
        rehearsal_stop(r);
    device_destroy(r->device);
    proxy_destroy(r->proxy);
    internet_destroy(r->internet);
    free(r);
}

const struct internet *rehearsal_internet(const struct rehearsal *r)
{
    return r->internet;
}

bool rehearsal_stuck(const struct rehearsal *r)
{
    return r->stuck;
}
