/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/pipes.h"

#include "test/unit/descriptors.h"
#include "test/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static void what_is_given_back_is_lent_again(void **state)
{
    struct pipe *first, *second;
    struct pipes pipes;
    char byte;

    (void)state;
    pipes_init(&pipes, 2);
    first = pipes_take(&pipes);
    second = pipes_take(&pipes);
    assert_non_null(first);
    assert_non_null(second);
    assert_ptr_not_equal(first, second);
    assert_int_equal(write(first->write_fd, "x", 1), 1);
    assert_int_equal(read(first->read_fd, &byte, 1), 1);
    assert_true(read(first->read_fd, &byte, 1) < 0 && errno == EAGAIN); /* nobody waits in it */
    pipes_give_back(&pipes, first);
    assert_ptr_equal(pipes_take(&pipes), first);
    pipes_give_back(&pipes, first);
    pipes_give_back(&pipes, second);
    pipes_finish(&pipes);
}

static void one_with_bytes_in_it_is_not_lent_again(void **state)
{
    unsigned before = descriptors_open();
    struct pipes pipes;
    struct pipe *pipe;

    (void)state;
    pipes_init(&pipes, 1);
    pipe = pipes_take(&pipes);
    assert_int_equal(write(pipe->write_fd, "secret", 6), 6);
    pipe->bytes = 6;
    pipes_give_back(&pipes, pipe);
    assert_int_equal(pipes.kept_count, 0);
    assert_int_equal(descriptors_open(), before);
    pipes_finish(&pipes);
}

static void only_a_few_are_kept(void **state)
{
    enum { MANY = 3 * PIPES_KEPT_MAX };
    unsigned before = descriptors_open();
    struct pipe *lent[MANY];
    struct pipes pipes;

    (void)state;
    pipes_init(&pipes, MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_non_null(lent[i] = pipes_take(&pipes));
    assert_int_equal(descriptors_open(), before + 2 * MANY);
    for (size_t i = 0; i < MANY; i++)
        pipes_give_back(&pipes, lent[i]);
    assert_int_equal(pipes.kept_count, PIPES_KEPT_MAX);
    assert_int_equal(descriptors_open(), before + 2 * PIPES_KEPT_MAX);
    pipes_finish(&pipes);
    pipes_finish(&pipes);
    assert_int_equal(descriptors_open(), before);
}

static void without_descriptors_there_is_none(void **state)
{
    struct pipes pipes;
    struct rlimit was, now;
    struct pipe *pipe;

    (void)state;
    pipes_init(&pipes, 1);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    now = was;
    now.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
    pipe = pipes_take(&pipes);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    assert_null(pipe);
    pipes_give_back(&pipes, NULL);
}

static void no_more_are_lent_than_there_may_be(void **state)
{
    struct pipe *first, *second;
    struct pipes pipes;

    (void)state;
    pipes_init(&pipes, 2);
    first = pipes_take(&pipes);
    second = pipes_take(&pipes);
    assert_null(pipes_take(&pipes));
    pipes_give_back(&pipes, second);
    assert_ptr_equal(pipes_take(&pipes), second);
    pipes_give_back(&pipes, first);
    pipes_give_back(&pipes, second);
    pipes_finish(&pipes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_back_is_lent_again),
        cmocka_unit_test(one_with_bytes_in_it_is_not_lent_again),
        cmocka_unit_test(only_a_few_are_kept),
        cmocka_unit_test(without_descriptors_there_is_none),
        cmocka_unit_test(no_more_are_lent_than_there_may_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
