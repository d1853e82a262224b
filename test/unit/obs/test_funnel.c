/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Several threads put, one gets. The clock is held, so nothing is fetched but when the test lets
 * time pass or asks for it; only the one wait for room is real time, as it is in the funnel.
 */
#include "obs/funnel.h"

#include "test/unit/unit.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, PUTS = 5000 };

struct world {
    struct clock clock;
    struct loop *loop;
    struct stream stream;
    struct funnel *funnel;

    size_t came;
    uint64_t last_seq, last_us;
    bool disordered;
    uint64_t next_of[THREADS]; /* what each thread said last, and one */
    uint8_t flows[THREADS * PUTS + 1];
    size_t gaps;
    struct obs gap; /* the last one */
    char gap_text[128];
    bool gap_is_last;
};

static void get(void *ctx, const struct obs *o)
{
    struct world *w = ctx;

    w->came++;
    w->disordered |= o->seq != w->last_seq + 1 || o->at_us < w->last_us;
    w->last_seq = o->seq;
    w->last_us = o->at_us;
    w->gap_is_last = o->kind == OBS_GAP;
    if (o->kind == OBS_GAP) {
        w->gaps++;
        w->gap = *o;
        snprintf(w->gap_text, sizeof w->gap_text, STR_FMT, STR_ARG(o->text));
    } else if (o->flow && o->flow <= THREADS * PUTS) {
        w->flows[o->flow]++;
        w->disordered |= o->length != w->next_of[o->status]++;
    }
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    clock_init_held(&w->clock, 0);
    assert_int_equal(loop_create(&w->clock, &w->loop, NULL), 0);
    stream_init(&w->stream, &w->clock);
    stream_add_sink(&w->stream, get, w);
    w->funnel = funnel_create(w->loop, &w->stream);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    funnel_destroy(w->funnel);
    loop_destroy(w->loop);
    free(w);
    return 0;
}

static void put_note(struct inlet *inlet, uint64_t at_us, struct str text)
{
    stream_put(inlet_stream(inlet), &(struct obs){.kind = OBS_NOTE, .at_us = at_us, .text = text});
}

static void what_was_put_comes_when_the_time_has_come(void **state)
{
    struct world *w = *state;
    struct inlet *inlet = funnel_add_inlet(w->funnel);

    put_note(inlet, 1, STR("a"));
    put_note(inlet, 2, STR("b"));
    assert_int_equal(w->came, 0);
    loop_run(w->loop);
    assert_int_equal(w->came, 2);
    assert_true(clock_now_us(&w->clock) <= 60000); /* it looks again, and then it sleeps */
    put_note(inlet, 3, STR("c"));
    loop_run(w->loop);
    assert_int_equal(w->came, 3);
    funnel_fetch(w->funnel);
    assert_int_equal(w->came, 3);
}

static void inlets_come_in_the_order_of_time(void **state)
{
    static const uint64_t times[] = {1, 4, 4, 9, 20}, others[] = {2, 3, 4, 30, 31};
    struct world *w = *state;
    struct inlet *one = funnel_add_inlet(w->funnel), *other = funnel_add_inlet(w->funnel);

    for (size_t i = 0; i < 5; i++)
        put_note(one, times[i], STR("x"));
    for (size_t i = 0; i < 5; i++)
        put_note(other, others[i], STR("y"));
    funnel_fetch(w->funnel);
    assert_int_equal(w->came, 10);
    assert_false(w->disordered);
    assert_true(w->last_us == 31);
}

/* One thread, with its inlet. */
struct putter {
    struct world *w;
    struct inlet *inlet;
    unsigned number;
    pthread_t thread;
    atomic_bool done;
};

static void *put_flows(void *ctx)
{
    struct putter *p = ctx;
    struct stream *stream = inlet_stream(p->inlet);

    for (uint64_t i = 0; i < PUTS; i++)
        stream_put(stream, &(struct obs){.kind = OBS_HTTP_RESPONSE,
                                         .at_us = i + 1,
                                         .flow = stream_next_flow(stream),
                                         .status = p->number,
                                         .length = i});
    atomic_store(&p->done, true);
    return NULL;
}

static void begin(struct putter *p, struct world *w, void *(*run)(void *ctx))
{
    p->w = w;
    assert_int_equal(pthread_create(&p->thread, NULL, run, p), 0);
}

static void fetch_until_done(struct putter *putters, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        while (!atomic_load(&putters[i].done)) {
            funnel_fetch(putters[i].w->funnel);
            sched_yield();
        }
        pthread_join(putters[i].thread, NULL);
    }
    funnel_fetch(putters->w->funnel);
}

static void all_that_threads_put_arrives_once_and_in_order(void **state)
{
    struct putter putters[THREADS] = {0};
    struct world *w = *state;

    for (unsigned i = 0; i < THREADS; i++) {
        putters[i].number = i;
        putters[i].inlet = funnel_add_inlet(w->funnel);
    }
    for (unsigned i = 0; i < THREADS; i++)
        begin(&putters[i], w, put_flows);
    fetch_until_done(putters, THREADS);
    assert_int_equal(w->came, THREADS * PUTS);
    assert_false(w->disordered);
    for (unsigned i = 1; i <= THREADS * PUTS; i++)
        assert_int_equal(w->flows[i], 1);
    assert_true(stream_next_flow(&w->stream) == THREADS * PUTS + 1);
}

/* A text of which few fill an inlet. */
static struct str large_text(void)
{
    static char text[60000];

    memset(text, 'x', sizeof text);
    return str_from(text, sizeof text);
}

enum { FULL = (4 << 20) / 60000 + 1 }; /* puts of it, and an inlet is full */

static void an_inlet_that_is_half_full_says_so(void **state)
{
    struct world *w = *state;
    struct inlet *inlet = funnel_add_inlet(w->funnel), *other = funnel_add_inlet(w->funnel);

    assert_false(inlet_is_slow(inlet));
    for (uint64_t i = 0; i < FULL / 2 + 1; i++)
        put_note(inlet, i + 1, large_text());
    assert_true(inlet_is_slow(inlet));
    assert_false(inlet_is_slow(other));
    assert_int_equal(w->came, 0);
    loop_run(w->loop);
    assert_false(inlet_is_slow(inlet));
    assert_int_equal(w->came, FULL / 2 + 1);
}

static void stop(void *ctx)
{
    loop_stop(ctx);
}

static void what_is_half_full_is_fetched_at_once(void **state)
{
    struct world *w = *state;
    struct inlet *inlet = funnel_add_inlet(w->funnel);
    struct loop_timer halt = {.fire = stop, .ctx = w->loop};

    for (uint64_t i = 0; i < FULL / 2 + 1; i++)
        put_note(inlet, i + 1, large_text());
    loop_set_timer(w->loop, &halt, 1); /* long before it would have looked by itself */
    loop_run(w->loop);
    assert_int_equal(w->came, FULL / 2 + 1);
}

static void *put_one_more(void *ctx)
{
    struct putter *p = ctx;

    put_note(p->inlet, 1000, STR("one more"));
    atomic_store(&p->done, true);
    return NULL;
}

static void a_put_that_finds_no_room_waits_for_it(void **state)
{
    struct world *w = *state;
    struct putter p = {.inlet = funnel_add_inlet(w->funnel)};

    for (uint64_t i = 0; i < FULL; i++)
        put_note(p.inlet, i + 1, large_text());
    begin(&p, w, put_one_more);
    fetch_until_done(&p, 1);
    assert_int_equal(w->came, FULL + 1);
    assert_int_equal(w->gaps, 0);
    assert_true(w->last_us == 1000);
}

/* The first that is lost has waited its second; those behind it do not wait again. */
static void what_finds_no_room_in_time_is_one_gap(void **state)
{
    enum { LOST = 1000 };
    struct world *w = *state;
    struct inlet *inlet = funnel_add_inlet(w->funnel);

    for (uint64_t i = 0; i < FULL; i++)
        put_note(inlet, i + 1, large_text());
    for (uint64_t i = 0; i < LOST; i++)
        put_note(inlet, 5000000 + i * 1000, STR("lost"));
    assert_int_equal(w->came, 0);
    funnel_fetch(w->funnel);
    assert_int_equal(w->came, FULL + 1);
    assert_int_equal(w->gaps, 1); /* whether or not anything comes after it */
    put_note(inlet, 7000000, STR("found"));
    put_note(inlet, 7000001, STR("found too"));
    funnel_fetch(w->funnel);
    assert_int_equal(w->gaps, 1);
    assert_false(w->gap_is_last);
    assert_int_equal(w->came, FULL + 3);
    assert_string_equal(w->gap_text, "1000 observations were lost: they came too fast to be kept");
    assert_true(w->gap.at_us == 5000000);
    assert_true(w->gap.ms == LOST - 1);
    assert_int_equal(w->gap.source, SOURCE_RECORDER);
    assert_false(w->disordered);
}

static void what_is_left_is_fetched_in_the_end(void **state)
{
    struct world *w = *state;

    put_note(funnel_add_inlet(w->funnel), 1, STR("a"));
    funnel_destroy(w->funnel);
    w->funnel = NULL;
    assert_int_equal(w->came, 1);
    loop_run(w->loop); /* what its inlet had posted finds nobody, and nothing breaks */
    assert_int_equal(w->came, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_put_comes_when_the_time_has_come),
        TEST(inlets_come_in_the_order_of_time),
        TEST(all_that_threads_put_arrives_once_and_in_order),
        TEST(an_inlet_that_is_half_full_says_so),
        TEST(what_is_half_full_is_fetched_at_once),
        TEST(a_put_that_finds_no_room_waits_for_it),
        TEST(what_finds_no_room_in_time_is_one_gap),
        TEST(what_is_left_is_fetched_in_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
