/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An inlet is a buf that its thread fills and a buf that the funnel empties; they change places
 * under the inlet's mutex, which is held for no longer than it takes to encode one observation.
 *
 * The funnel sleeps while nothing comes. The first put after that wakes it (loop_post); then it
 * looks every FETCH_US, until there was nothing once.
 */
#include "obs/funnel.h"

#include "base/xalloc.h"
#include "obs/row.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    FETCH_US = 5 * 1000,
    INLET_BYTES = 4 << 20, /* full from here on; a gap and one more row still fit */
    INLET_ROOM = INLET_BYTES + 2 * OBS_ROW_MAX,
    PUT_WAIT_S = 1,
    INLETS_MAX = 256,
};

struct inlet {
    struct funnel *funnel;
    struct stream stream;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t fetched;
    struct buf filling;
    bool awake;  /* the funnel knows that something is coming */
    bool urgent; /* and that it cannot wait */
    bool losing;
    uint64_t lost, lost_first_us, lost_last_us;

    struct buf emptying; /* the funnel's */
};

struct funnel {
    struct loop *loop;
    struct stream *stream;
    struct loop_timer fetch;
    struct inlet *inlets[INLETS_MAX];
    size_t inlet_count;
};

/* The inlet's thread */

static bool is_full(const struct inlet *i)
{
    return i->filling.n >= INLET_BYTES;
}

static void wake_up(void *ctx)
{
    struct funnel *f = ctx;

    if (!f->fetch.slot)
        loop_set_timer(f->loop, &f->fetch, loop_now_us(f->loop) + FETCH_US);
}

static void fetch_now(void *ctx)
{
    funnel_fetch(ctx);
}

static void tell_funnel(struct inlet *i)
{
    if (!i->awake) {
        i->awake = true;
        loop_post(i->funnel->loop, wake_up, i->funnel);
    }
    if (!i->urgent && i->filling.n >= INLET_BYTES / 2) {
        i->urgent = true;
        loop_post(i->funnel->loop, fetch_now, i->funnel);
    }
}

/* Once it has waited in vain it does not wait again before there was room. */
static bool wait_for_room(struct inlet *i)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PUT_WAIT_S;
    while (is_full(i) && !i->losing)
        if (pthread_cond_timedwait(&i->fetched, &i->mutex, &until) == ETIMEDOUT)
            i->losing = is_full(i);
    return !is_full(i);
}

static void lose(struct inlet *i, const struct obs *o)
{
    if (!i->lost++)
        i->lost_first_us = o->at_us;
    i->lost_last_us = o->at_us;
}

static void inlet_put(void *ctx, const struct obs *o)
{
    struct inlet *i = ctx;

    pthread_mutex_lock(&i->mutex);
    if (is_full(i) && !wait_for_room(i)) {
        lose(i, o);
    } else {
        obs_row_put(&i->filling, o);
        tell_funnel(i);
    }
    pthread_mutex_unlock(&i->mutex);
}

bool inlet_is_slow(struct inlet *i)
{
    pthread_mutex_lock(&i->mutex);
    bool slow = i->filling.n >= INLET_BYTES / 2;
    pthread_mutex_unlock(&i->mutex);
    return slow;
}

struct stream *inlet_stream(struct inlet *i)
{
    return &i->stream;
}

/* The funnel's thread */

/* What was lost came after all that is there, and before all that will be. */
static void put_gap(struct inlet *i)
{
    char text[128];

    snprintf(text, sizeof text, "%" PRIu64 " observations were lost: they came too fast to be kept",
             i->lost);
    obs_row_put(&i->filling, &(struct obs){.kind = OBS_GAP,
                                           .source = SOURCE_RECORDER,
                                           .at_us = i->lost_first_us,
                                           .ms = (i->lost_last_us - i->lost_first_us) / 1000,
                                           .text = str_of(text)});
    i->lost = 0;
    i->losing = false;
}

/* What has come, in the place of what has been read. */
static struct str take(struct inlet *i)
{
    struct buf empty = i->emptying;

    buf_clear(&empty);
    pthread_mutex_lock(&i->mutex);
    if (i->lost)
        put_gap(i);
    i->emptying = i->filling;
    i->filling = empty;
    i->awake = i->emptying.n;
    i->urgent = false;
    pthread_cond_signal(&i->fetched);
    pthread_mutex_unlock(&i->mutex);
    return buf_str(&i->emptying);
}

/* The inlet whose next row is the earliest; of the same time the first. */
static size_t earliest(const struct str *rests, size_t n, struct obs_row *ret_row)
{
    size_t found = n;
    struct obs_row row;

    for (size_t i = 0; i < n; i++)
        if (obs_row_peek(rests[i], &row) && (found == n || row.at_us < ret_row->at_us)) {
            *ret_row = row;
            found = i;
        }
    return found;
}

/* False: there was nothing. */
static bool fetch(struct funnel *f)
{
    struct str rests[INLETS_MAX];
    struct obs_row row;
    struct obs o;
    size_t i, n = 0;

    for (i = 0; i < f->inlet_count; i++)
        rests[i] = take(f->inlets[i]);
    for (; (i = earliest(rests, f->inlet_count, &row)) < f->inlet_count; n++) {
        obs_row_read(&row, obs_row_cut(&rests[i], &row), &o);
        stream_put(f->stream, &o);
    }
    return n;
}

void funnel_fetch(struct funnel *f)
{
    fetch(f);
}

static void fetch_is_due(void *ctx)
{
    struct funnel *f = ctx;

    if (fetch(f))
        wake_up(f);
}

struct funnel *funnel_create(struct loop *loop, struct stream *stream)
{
    struct funnel *f = xalloc(sizeof *f);

    f->loop = loop;
    f->stream = stream;
    f->fetch = (struct loop_timer){.fire = fetch_is_due, .ctx = f};
    return f;
}

struct inlet *funnel_add_inlet(struct funnel *f)
{
    struct inlet *i = xalloc(sizeof *i);
    pthread_condattr_t monotonic;

    assert(f->inlet_count < INLETS_MAX);
    f->inlets[f->inlet_count++] = i;
    i->funnel = f;
    stream_init(&i->stream, f->stream->clock);
    stream_share_flows(&i->stream, f->stream);
    stream_add_sink(&i->stream, inlet_put, i);
    buf_init(&i->filling, INLET_ROOM);
    buf_init(&i->emptying, INLET_ROOM);
    pthread_mutex_init(&i->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&i->fetched, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return i;
}

static void inlet_free(struct inlet *i)
{
    buf_finish(&i->filling);
    buf_finish(&i->emptying);
    pthread_mutex_destroy(&i->mutex);
    pthread_cond_destroy(&i->fetched);
    free(i);
}

static void free_funnel(void *ctx)
{
    struct funnel *f = ctx;

    loop_del_timer(f->loop, &f->fetch); /* a call that was still under way may have set it */
    free(f);
}

void funnel_destroy(struct funnel *f)
{
    if (!f)
        return;
    fetch(f);
    loop_del_timer(f->loop, &f->fetch);
    for (size_t i = 0; i < f->inlet_count; i++)
        inlet_free(f->inlets[i]);
    f->inlet_count = 0;
    loop_post(f->loop, free_funnel, f); /* behind the calls that its inlets have posted */
}
