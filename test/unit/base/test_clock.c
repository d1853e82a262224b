/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"

#include "test/unit/unit.h"

static const uint64_t began_us = 1567500000000000;

static void a_held_clock_moves_when_it_is_moved(void **state)
{
    struct clock c;

    (void)state;
    clock_init_held(&c, began_us);
    assert_int_equal(clock_now_us(&c), 0);
    clock_move(&c, 1500);
    assert_int_equal(clock_now_us(&c), 1500);
    assert_int_equal(clock_wall_us(&c), began_us + 1500);
    assert_int_equal(clock_real_us_until(&c, 1000000), 0);
    assert_true(clock_is_held(&c));
}

static void a_real_clock_never_goes_back(void **state)
{
    struct clock c;
    uint64_t last_us = 0;

    (void)state;
    clock_init_real(&c);
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t now_us = clock_now_us(&c);

        assert_true(now_us >= last_us);
        last_us = now_us;
    }
    assert_false(clock_is_held(&c));
}

/* The time that has to pass is told in real time, which a fast clock needs less of. */
static void a_fast_clock_waits_less(void **state)
{
    struct clock real, fast;
    const uint64_t hour_us = 3600000000u;

    (void)state;
    clock_init_real(&real);
    clock_init_accelerated(&fast, 60);
    assert_in_range(clock_real_us_until(&fast, hour_us), 1, hour_us / 60 + 1);
    assert_in_range(clock_real_us_until(&real, hour_us), hour_us / 2, hour_us + 1);
    assert_int_equal(clock_real_us_until(&real, 0), 0);
}

static void a_paced_clock_stands_still_and_says_how_long_to_wait(void **state)
{
    struct clock c;

    (void)state;
    clock_init_paced(&c, 60);
    assert_true(clock_is_held(&c));
    assert_int_equal(clock_now_us(&c), 0);
    assert_in_range(clock_real_us_until(&c, 60000000), 1, 1000001);
    clock_move(&c, 60000000);
    assert_int_equal(clock_now_us(&c), 60000000);
}

static void a_continued_clock_goes_on_where_it_stopped(void **state)
{
    struct clock c;

    (void)state;
    clock_init_held(&c, began_us + 99);
    clock_resume(&c, 5000000, began_us);
    assert_int_equal(clock_now_us(&c), 5000000);
    assert_int_equal(clock_wall_us(&c), began_us + 5000000);

    clock_init_real(&c);
    clock_resume(&c, 5000000, began_us);
    assert_true(clock_now_us(&c) >= 5000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_held_clock_moves_when_it_is_moved),
        cmocka_unit_test(a_real_clock_never_goes_back),
        cmocka_unit_test(a_fast_clock_waits_less),
        cmocka_unit_test(a_paced_clock_stands_still_and_says_how_long_to_wait),
        cmocka_unit_test(a_continued_clock_goes_on_where_it_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
