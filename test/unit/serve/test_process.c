/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/process.h"

#include "base/clock.h"
#include "test/unit/unit.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MORE = 10 };

static void it_measures_itself(void **state)
{
    struct process_use use = process_measure();

    (void)state;
    assert_true(use.resident_bytes > 100000);
    assert_true(use.virtual_bytes >= use.resident_bytes);
    assert_true(use.open_fds >= 1);
    assert_true(use.max_fds >= use.open_fds);
}

static void time_used_only_grows(void **state)
{
    uint64_t before_us = process_measure().cpu_us;

    (void)state;
    for (int i = 0; process_measure().cpu_us == before_us; i++)
        assert_true(i < 1000000);
    assert_true(process_measure().cpu_us > before_us);
}

static void descriptors_are_counted(void **state)
{
    uint64_t before = process_measure().open_fds;
    int fds[MORE];

    (void)state;
    for (int i = 0; i < MORE; i++)
        assert_true((fds[i] = dup(STDERR_FILENO)) >= 0);
    assert_int_equal(process_measure().open_fds, before + MORE);
    for (int i = 0; i < MORE; i++)
        close(fds[i]);
    assert_int_equal(process_measure().open_fds, before);
}

static void it_began_before_now(void **state)
{
    struct clock now;
    uint64_t began_us = process_began_wall_us();

    (void)state;
    clock_init_real(&now);
    assert_true(began_us > 0 && began_us <= now.began_wall_us);
    assert_true(now.began_wall_us - began_us < UINT64_C(3600000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_measures_itself),
        cmocka_unit_test(time_used_only_grows),
        cmocka_unit_test(descriptors_are_counted),
        cmocka_unit_test(it_began_before_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
