/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/lock.h"

#include "test/unit/store/recordings.h"
#include "test/unit/store/scratch.h"

#include <errno.h>

static void whoever_reads_sees_whether_it_is_recorded(void **state)
{
    const char *path = scratch_path(*state, "a.flight");
    struct recording_state where;
    struct file_watch *watch = NULL;
    struct recorder *recorder;

    record_some(path, 1);
    assert_int_equal(file_watch_open(path, &watch, NULL), 0);
    assert_false(file_watch_is_recorded(watch));
    recorder = record(path, &where);
    assert_true(file_watch_is_recorded(watch));
    assert_true(file_watch_is_recorded(watch));
    stop(recorder);
    assert_false(file_watch_is_recorded(watch));
    recorder = record(path, &where); /* to have looked keeps nobody out */
    stop(recorder);
    file_watch_close(watch);
}

static void what_is_not_there_cannot_be_watched(void **state)
{
    struct file_watch *watch;
    struct err err;

    assert_int_equal(file_watch_open(scratch_path(*state, "none"), &watch, &err), -ENOENT);
    file_watch_close(NULL);
}

#define CLAIM(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(whoever_reads_sees_whether_it_is_recorded),
        CLAIM(what_is_not_there_cannot_be_watched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
