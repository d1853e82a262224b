/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole of loop/loop.h, so that the linker takes nothing from loop.o. What is ready is found
 * out at the beginning of a round, for all watches, as epoll_wait does; each round begins with
 * another watch, for nobody may rely on their order.
 */
#include "fuzz/fake_loop.h"

#include "base/xalloc.h"
#include "fuzz/fake_net.h"
#include "fuzz/must.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

struct deferred {
    void (*call)(void *ctx);
    void *ctx;
};

struct ready {
    struct loop_fd *watch; /* NULL: deleted meanwhile */
    unsigned events;
};

struct timer_entry {
    struct loop_timer *timer;
    uint64_t order; /* timers of the same time fire in the order they were set */
};

struct loop {
    struct clock *clock;
    uint64_t now_us;
    size_t turn; /* how many rounds there were */
    bool stopped, watch_refused;

    struct loop_fd **watches;
    size_t watch_count, watch_room;
    struct ready *ready; /* of this round */
    size_t ready_count;

    struct timer_entry *timers; /* in no order */
    size_t timer_count, timer_room;
    uint64_t timers_set;

    struct deferred *deferred;
    size_t deferred_count, deferred_room;
};

/* Room for one more. */
static void *grow(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return array;
    *room = *room ? *room * 2 : 16;
    return xreallocarray(array, *room, size);
}

int loop_create(struct clock *clock, struct loop **ret_loop, struct err *err)
{
    struct loop *loop = xalloc(sizeof *loop);

    (void)err;
    *loop = (struct loop){.clock = clock, .now_us = clock_now_us(clock)};
    *ret_loop = loop;
    return 0;
}

/* Deferred calls */

void loop_defer(struct loop *loop, void (*call)(void *ctx), void *ctx)
{
    loop->deferred =
        grow(loop->deferred, loop->deferred_count, &loop->deferred_room, sizeof *loop->deferred);
    loop->deferred[loop->deferred_count++] = (struct deferred){call, ctx};
}

/* There is one thread. */
void loop_post(struct loop *loop, void (*call)(void *ctx), void *ctx)
{
    loop_defer(loop, call, ctx);
}

static bool run_deferred(struct loop *loop)
{
    bool any = loop->deferred_count;

    for (size_t i = 0; i < loop->deferred_count; i++) {
        struct deferred d = loop->deferred[i];
        d.call(d.ctx);
    }
    loop->deferred_count = 0;
    return any;
}

void loop_destroy(struct loop *loop)
{
    if (!loop)
        return;
    run_deferred(loop);
    must(!loop->watch_count, "nothing is watched when the loop ends");
    must(!loop->timer_count, "no timer is set when the loop ends");
    free(loop->watches);
    free(loop->ready);
    free(loop->timers);
    free(loop->deferred);
    free(loop);
}

/* Descriptors */

int loop_add_fd(struct loop *loop, struct loop_fd *watch)
{
    int r = loop->watch_refused ? -ENOSPC : net_watch(watch->fd);

    loop->watch_refused = false;
    if (r < 0)
        return r;
    loop->watches =
        grow(loop->watches, loop->watch_count, &loop->watch_room, sizeof *loop->watches);
    loop->watches[loop->watch_count++] = watch;
    return 0;
}

void fake_loop_refuse_watch(struct loop *loop)
{
    loop->watch_refused = true;
}

void loop_set_events(struct loop *loop, struct loop_fd *watch, unsigned events)
{
    (void)loop;
    watch->events = events;
}

/* What is left of the round knows it no more. */
static void forget(struct loop *loop, const struct loop_fd *watch)
{
    for (size_t i = 0; i < loop->ready_count; i++)
        if (loop->ready[i].watch == watch)
            loop->ready[i].watch = NULL;
}

void loop_del_fd(struct loop *loop, struct loop_fd *watch)
{
    forget(loop, watch);
    for (size_t i = 0; i < loop->watch_count; i++)
        if (loop->watches[i] == watch) {
            net_unwatch(watch->fd);
            loop->watches[i] = loop->watches[--loop->watch_count];
            return;
        }
}

void loop_close_fd(struct loop *loop, struct loop_fd *watch)
{
    loop_del_fd(loop, watch);
    close(watch->fd);
    watch->fd = -1;
}

static unsigned loop_events_of(unsigned ready)
{
    return (ready & POLLIN ? LOOP_READ : 0u) | (ready & POLLOUT ? LOOP_WRITE : 0u) |
           (ready & (POLLHUP | POLLERR) ? LOOP_HANGUP : 0u);
}

static void find_ready(struct loop *loop)
{
    loop->ready = xreallocarray(loop->ready, loop->watch_count, sizeof *loop->ready);
    loop->ready_count = 0;
    for (size_t i = 0; i < loop->watch_count; i++) {
        struct loop_fd *watch = loop->watches[(i + loop->turn) % loop->watch_count];
        unsigned events = loop_events_of(net_ready(watch->fd)) & (watch->events | LOOP_HANGUP);

        if (events)
            loop->ready[loop->ready_count++] = (struct ready){watch, events};
    }
    loop->turn++;
}

static bool hand_out(struct loop *loop)
{
    bool any = loop->ready_count;

    for (size_t i = 0; i < loop->ready_count; i++) {
        struct ready r = loop->ready[i];

        /* Another callback of this round may have changed what the watch waits for. */
        if (r.watch && (r.events &= r.watch->events | LOOP_HANGUP))
            r.watch->ready(r.watch->ctx, r.events);
    }
    loop->ready_count = 0;
    return any;
}

/* Timers: each knows its slot, from 1. */

void loop_set_timer(struct loop *loop, struct loop_timer *timer, uint64_t at_us)
{
    if (!timer->slot) {
        loop->timers =
            grow(loop->timers, loop->timer_count, &loop->timer_room, sizeof *loop->timers);
        timer->slot = ++loop->timer_count;
    }
    timer->at_us = at_us;
    loop->timers[timer->slot - 1] = (struct timer_entry){timer, loop->timers_set++};
}

void loop_del_timer(struct loop *loop, struct loop_timer *timer)
{
    struct timer_entry last;

    if (!timer->slot)
        return;
    last = loop->timers[--loop->timer_count];
    loop->timers[timer->slot - 1] = last;
    last.timer->slot = timer->slot;
    timer->slot = 0;
}

static const struct timer_entry *next_timer(const struct loop *loop)
{
    const struct timer_entry *next = NULL;

    for (size_t i = 0; i < loop->timer_count; i++) {
        const struct timer_entry *t = &loop->timers[i];

        if (!next || t->timer->at_us < next->timer->at_us ||
            (t->timer->at_us == next->timer->at_us && t->order < next->order))
            next = t;
    }
    return next;
}

uint64_t fake_loop_next_us(const struct loop *loop)
{
    const struct timer_entry *next = next_timer(loop);

    return next ? next->timer->at_us : UINT64_MAX;
}

static bool fire_timers(struct loop *loop)
{
    bool any = false;

    /* As many as there were: one that sets itself for now again waits for the next round. */
    for (size_t n = loop->timer_count; n && fake_loop_next_us(loop) <= loop->now_us; n--) {
        struct loop_timer *timer = next_timer(loop)->timer;

        loop_del_timer(loop, timer);
        timer->fire(timer->ctx);
        any = true;
    }
    return any;
}

/* Running */

bool fake_loop_round(struct loop *loop)
{
    bool any;

    loop->now_us = clock_now_us(loop->clock);
    find_ready(loop);
    any = hand_out(loop);
    any |= fire_timers(loop);
    any |= run_deferred(loop);
    return any;
}

void loop_run(struct loop *loop)
{
    loop->stopped = false;
    while (!loop->stopped && fake_loop_round(loop))
        ;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

void loop_busy(struct loop *loop, int by)
{
    (void)loop;
    (void)by;
}

uint64_t loop_now_us(const struct loop *loop)
{
    return loop->now_us;
}

struct clock *loop_clock(struct loop *loop)
{
    return loop->clock;
}

int loop_on_signal(struct loop *loop, void (*call)(void *ctx, int signal), void *ctx,
                   struct err *err)
{
    (void)loop;
    (void)call;
    (void)ctx;
    return err_set(err, -ENOSYS, "there are no signals here");
}
