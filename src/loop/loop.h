/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loop: one thread's event loop over epoll, with timers and deferred calls.
 *
 * A callback does one step and returns. Watches and timers are part of the caller's own structs;
 * the caller keeps them alive while they are set. What a callback of the same round may still hold
 * is freed with loop_defer, which runs after the round.
 *
 * Timers follow the loop's clock (base/clock.h): under an accelerated clock they come sooner. Under
 * a held clock the loop is a simulation: when nothing is ready and nothing is busy (loop_busy), it
 * moves the clock to the next timer. So a test or a rehearsal takes no longer than its work, and
 * every timer fires at exactly its own time. A paced clock waits for real time before it moves.
 */
#pragma once

#include "base/clock.h"
#include "base/err.h"

struct loop;

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4 }; /* HANGUP is always reported */

struct loop_fd {
    int fd;
    unsigned events;
    void (*ready)(void *ctx, unsigned events);
    void *ctx;
};

struct loop_timer {
    uint64_t at_us; /* the loop's clock */
    size_t slot;    /* where it stands in the heap, from 1; 0: not set */
    void (*fire)(void *ctx);
    void *ctx;
};

int loop_create(struct clock *clock, struct loop **ret_loop, struct err *err);
void loop_destroy(struct loop *loop);

int loop_add_fd(struct loop *loop, struct loop_fd *watch); /* a negative errno when it cannot */
void loop_set_events(struct loop *loop, struct loop_fd *watch, unsigned events);
void loop_del_fd(struct loop *loop, struct loop_fd *watch); /* not set: nothing happens */
/* Deletes and closes in one, for a descriptor of which there is no copy. */
void loop_close_fd(struct loop *loop, struct loop_fd *watch);

void loop_set_timer(struct loop *loop, struct loop_timer *timer, uint64_t at_us); /* or moves it */
void loop_del_timer(struct loop *loop, struct loop_timer *timer);

void loop_defer(struct loop *loop, void (*call)(void *ctx), void *ctx);

/*
 * The one thing that other threads may do with a loop: `call` is made in the loop's thread, in its
 * next round. Calls of one thread come in their order. What the loop did not get to before
 * loop_destroy is called there.
 */
void loop_post(struct loop *loop, void (*call)(void *ctx), void *ctx);

/* Blocks SIGINT, SIGTERM, SIGHUP for the process and hands them to `call` in the loop. */
int loop_on_signal(struct loop *loop, void (*call)(void *ctx, int signal), void *ctx,
                   struct err *err);

/* Work that the loop cannot see is under way elsewhere; a held clock stands still meanwhile. */
void loop_busy(struct loop *loop, int by);

uint64_t loop_now_us(const struct loop *loop); /* the clock, read once a round */
struct clock *loop_clock(struct loop *loop);

/* Runs until loop_stop, or, under a held clock, until there is nothing left to wait for. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
