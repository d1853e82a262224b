/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "loop/activation.h"

#include "test/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The protocol has descriptors from 3 on: pipes stand for the sockets there. */
enum { FIRST = 3 };

static void pass(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        int ends[2];

        assert_int_equal(pipe(ends), 0);
        if (ends[0] != FIRST + (int)i) {
            assert_int_equal(dup2(ends[0], FIRST + (int)i), FIRST + (int)i);
            close(ends[0]);
        }
        if (ends[1] < FIRST || ends[1] > FIRST + (int)i)
            assert_int_equal(close(ends[1]), 0);
    }
}

static void set_environment(long pid, const char *fds, const char *names)
{
    char text[32];

    snprintf(text, sizeof text, "%ld", pid);
    setenv("LISTEN_PID", text, 1);
    setenv("LISTEN_FDS", fds, 1);
    if (names)
        setenv("LISTEN_FDNAMES", names, 1);
    else
        unsetenv("LISTEN_FDNAMES");
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void sockets_are_found_by_name(void **state)
{
    struct activation a;

    (void)state;
    pass(3);
    set_environment(getpid(), "3", "proxy:web:proxy");
    assert_int_equal(activation_take(&a, NULL), 0);
    assert_int_equal(activation_next(&a, STR("web")), FIRST + 1);
    assert_int_equal(activation_next(&a, STR("web")), -1);
    assert_int_equal(activation_next(&a, STR("proxy")), FIRST);
    assert_int_equal(activation_next(&a, STR("proxy")), FIRST + 2);
    assert_int_equal(activation_next(&a, STR("proxy")), -1);
    assert_true(fcntl(FIRST, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(FIRST, F_GETFL) & O_NONBLOCK);
    activation_finish(&a);
    for (int fd = FIRST; fd < FIRST + 3; fd++) {
        assert_true(is_open(fd)); /* they have become ours */
        close(fd);
    }
}

static void what_nobody_asks_for_is_closed(void **state)
{
    struct activation a;

    (void)state;
    pass(1);
    set_environment(getpid(), "1", NULL);
    assert_int_equal(activation_take(&a, NULL), 0);
    assert_int_equal(activation_next(&a, STR("proxy")), -1);
    activation_finish(&a);
    assert_false(is_open(FIRST));
}

static void no_child_takes_them_for_its_own(void **state)
{
    struct activation a;

    (void)state;
    set_environment(getpid(), "0", "");
    assert_int_equal(activation_take(&a, NULL), 0);
    activation_finish(&a);
    assert_null(getenv("LISTEN_PID"));
    assert_null(getenv("LISTEN_FDS"));
    assert_null(getenv("LISTEN_FDNAMES"));
}

static void those_of_another_process_are_left_alone(void **state)
{
    struct activation a;

    (void)state;
    pass(1);
    set_environment(getpid() + 1L, "1", "proxy");
    assert_int_equal(activation_take(&a, NULL), 0);
    assert_int_equal(activation_next(&a, STR("proxy")), -1);
    activation_finish(&a);
    assert_true(is_open(FIRST));
    close(FIRST);
}

static void without_variables_there_are_none(void **state)
{
    struct activation a;

    (void)state;
    assert_int_equal(activation_take(&a, NULL), 0);
    assert_int_equal(a.count, 0);
    activation_finish(&a);
}

static void nonsense_is_an_error(void **state)
{
    static const char *const counts[] = {"many", "-1", "", "65", "4294967297"};
    struct activation a;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        set_environment(getpid(), counts[i], NULL);
        assert_true(activation_take(&a, &err) < 0);
        assert_non_null(strstr(err.text, "LISTEN_FDS"));
        activation_finish(&a);
    }
}

static void a_descriptor_that_is_not_there_is_an_error(void **state)
{
    struct activation a;
    struct err err;

    (void)state;
    pass(1);
    set_environment(getpid(), "64", NULL);
    assert_true(activation_take(&a, &err) < 0);
    assert_int_equal(a.count, 0);
    assert_false(is_open(FIRST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_are_found_by_name),
        cmocka_unit_test(what_nobody_asks_for_is_closed),
        cmocka_unit_test(no_child_takes_them_for_its_own),
        cmocka_unit_test(those_of_another_process_are_left_alone),
        cmocka_unit_test(without_variables_there_are_none),
        cmocka_unit_test(nonsense_is_an_error),
        cmocka_unit_test(a_descriptor_that_is_not_there_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
