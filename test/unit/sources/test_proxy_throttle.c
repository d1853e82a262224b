/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/throttle.h"

#include "test/unit/unit.h"

#include <string.h>

#define MS UINT64_C(1000)
#define SECOND UINT64_C(1000000)

/* A flow that always has more to move; each time it may, it moves all it may. */
struct world {
    struct clock clock;
    struct loop *loop;
    struct throttle *throttle;
    struct loop_timer halt;
    size_t moved[WAYS];
    unsigned calls;
    bool goes[WAYS];
};

static void move_on(struct world *w)
{
    for (enum way way = 0; way < WAYS; way++) {
        size_t n = w->goes[way] ? throttle_allows(w->throttle, way, SIZE_MAX) : 0;

        if (!n)
            continue;
        w->moved[way] += n;
        throttle_moved(w->throttle, way, n);
        assert_int_equal(throttle_allows(w->throttle, way, 1), 0); /* so it calls again */
    }
}

static void fire(void *ctx)
{
    struct world *w = ctx;

    w->calls++;
    move_on(w);
}

static void halt(void *ctx)
{
    loop_stop(ctx);
}

static int set_up(void **state)
{
    static struct world w;

    w = (struct world){0};
    clock_init_held(&w.clock, 0);
    assert_int_equal(loop_create(&w.clock, &w.loop, NULL), 0);
    w.halt = (struct loop_timer){.fire = halt, .ctx = w.loop};
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    throttle_destroy(w->throttle);
    loop_destroy(w->loop);
    return 0;
}

static void pass_time(struct world *w, uint64_t us)
{
    loop_set_timer(w->loop, &w->halt, clock_now_us(&w->clock) + us);
    loop_run(w->loop);
}

static void as_much_moves_as_was_said(void **state)
{
    static const uint64_t rates[] = {1, 3, 19, 20, 21, 1000, 65536, 1500000, 1000000000};
    struct world *w = *state;

    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        uint64_t rate = rates[i], portion = rate / 20 ? rate / 20 : 1;

        throttle_destroy(w->throttle);
        w->throttle = throttle_create(w->loop, rate, fire, w);
        w->moved[WAY_DOWN] = 0;
        w->goes[WAY_DOWN] = true;
        move_on(w);
        assert_true(w->moved[WAY_DOWN] == portion); /* at once */
        pass_time(w, 10 * SECOND - 1);
        if (w->moved[WAY_DOWN] > 10 * rate + portion ||
            w->moved[WAY_DOWN] + rate / 50 + 2 * portion < 10 * rate)
            fail_msg("%zu bytes at %zu", w->moved[WAY_DOWN], (size_t)rate);
        pass_time(w, 1);
    }
}

static void each_way_has_the_whole_of_it(void **state)
{
    struct world *w = *state;

    w->throttle = throttle_create(w->loop, 1000, fire, w);
    w->goes[WAY_UP] = true;
    move_on(w);
    pass_time(w, 25 * MS); /* so that they do not fall together */
    w->goes[WAY_DOWN] = true;
    move_on(w);
    pass_time(w, SECOND);
    assert_int_equal(w->moved[WAY_UP], 21 * 50);
    assert_int_equal(w->moved[WAY_DOWN], 20 * 50 + 50);
}

static void what_moved_is_paid_for_exactly(void **state)
{
    struct world *w = *state;

    w->throttle = throttle_create(w->loop, 1000, fire, w);
    assert_int_equal(throttle_allows(w->throttle, WAY_UP, 10), 10);
    assert_int_equal(throttle_allows(w->throttle, WAY_UP, 4096), 50);
    throttle_moved(w->throttle, WAY_UP, 7);
    throttle_moved(w->throttle, WAY_UP, 200); /* more than was allowed: it takes the longer */
    assert_false(throttle_waits(w->throttle, WAY_UP));
    assert_int_equal(throttle_allows(w->throttle, WAY_UP, 1), 0);
    assert_true(throttle_waits(w->throttle, WAY_UP));
    assert_false(throttle_waits(w->throttle, WAY_DOWN));
    pass_time(w, 207 * MS - 1);
    assert_int_equal(w->calls, 0);
    pass_time(w, 1);
    assert_int_equal(w->calls, 1);
    assert_false(throttle_waits(w->throttle, WAY_UP));
    assert_int_equal(throttle_allows(w->throttle, WAY_UP, 1), 1);
}

static void nothing_is_saved_up(void **state)
{
    struct world *w = *state;

    w->throttle = throttle_create(w->loop, 1000, fire, w);
    pass_time(w, 100 * SECOND);
    assert_int_equal(throttle_allows(w->throttle, WAY_UP, 4096), 50);
    throttle_moved(w->throttle, WAY_UP, 50);
    assert_int_equal(throttle_allows(w->throttle, WAY_UP, 4096), 0);
}

static void it_calls_nobody_who_does_not_wait(void **state)
{
    struct world *w = *state;

    w->throttle = throttle_create(w->loop, 1000, fire, w);
    throttle_moved(w->throttle, WAY_UP, 50);
    pass_time(w, SECOND);
    assert_int_equal(w->calls, 0);
    throttle_moved(w->throttle, WAY_UP, 50);
    throttle_allows(w->throttle, WAY_UP, 1);
    throttle_destroy(w->throttle);
    w->throttle = NULL;
    pass_time(w, SECOND);
    assert_int_equal(w->calls, 0);
}

static void without_one_everything_goes(void **state)
{
    (void)state;
    assert_int_equal(throttle_allows(NULL, WAY_UP, 4096), 4096);
    assert_false(throttle_waits(NULL, WAY_UP));
    throttle_moved(NULL, WAY_UP, 4096);
    throttle_destroy(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(as_much_moves_as_was_said),         TEST(each_way_has_the_whole_of_it),
        TEST(what_moved_is_paid_for_exactly),    TEST(nothing_is_saved_up),
        TEST(it_calls_nobody_who_does_not_wait), cmocka_unit_test(without_one_everything_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
