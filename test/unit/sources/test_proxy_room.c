/* SPDX-License-Identifier: GPL-3.0-or-later */
/* More devices than there is room for. */
#include "sources/proxy/private.h"
#include "test/unit/sources/proxy_world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define GET "GET http://origin.test/a HTTP/1.1\r\nHost: origin.test\r\n\r\n"
#define OK2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

enum { ROOM = 3 };

static void make_small(struct world *w)
{
    w->proxy->workers[0]->clients_max = ROOM;
}

static int idle_device(struct world *w)
{
    int fd = device(w);

    settle(w);
    return fd;
}

static void the_longest_idle_makes_room_after_a_second(void **state)
{
    struct world *w = *state;
    int idle[ROOM], next;

    make_small(w);
    for (int i = 0; i < ROOM; i++)
        idle[i] = idle_device(w);
    next = device(w);
    say(w, next, GET);
    assert_false(server_was_called(w)); /* each has its chance to speak first */
    pass_time(w, 3 * SECOND);
    say(w, server(w), OK2);
    assert_string_equal(heard(w, next), OK2);
    assert_string_equal(heard(w, idle[0]), "<FIN>");
    assert_string_equal(heard(w, idle[1]), "");
}

static void a_busy_one_stays(void **state)
{
    struct world *w = *state;
    int busy[ROOM], next, s;

    make_small(w);
    for (int i = 0; i < ROOM; i++) {
        busy[i] = device(w);
        say(w, busy[i], GET);
    }
    next = device(w);
    say(w, next, GET);
    pass_time(w, 10 * SECOND);
    for (int i = 0; i < ROOM; i++)
        assert_string_equal(heard(w, busy[i]), "");
    s = server(w);
    heard(w, s);
    say(w, s, OK2);
    pass_time(w, 10 * SECOND); /* that one is idle now, and has to go */
    for (int i = 1; i < ROOM; i++)
        server(w);
    say(w, server(w), OK2);
    assert_string_equal(heard(w, next), OK2);
}

static void half_a_head_that_makes_room_is_a_flow(void **state)
{
    struct world *w = *state;

    make_small(w);
    for (int i = 0; i < ROOM; i++)
        say(w, device(w), "GET http://origin.test/ HT");
    pass_time(w, 2 * SECOND);
    seen(w);
    idle_device(w);
    pass_time(w, 2 * SECOND);
    assert_non_null(strstr(seen(w), "flow-closed bytes_up=26 why=too-many"));
}

/* The hard limit of a process only ever falls: this is the last test, and its worlds get smaller.
 */
static void who_is_let_in_has_descriptors(void **state)
{
    static const struct {
        rlim_t limit;
        size_t at_least, at_most;
    } cases[] = {{4096, 1500, 2048}, {1024, 300, 512}, {256, 50, 128}, {64, 8, 16}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rlimit limit = {cases[i].limit, cases[i].limit}, was;
        struct world *w = calloc(1, sizeof *w);

        assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
        if (was.rlim_max >= limit.rlim_max) {
            assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
            world_init(w, NULL);
            assert_in_range(w->proxy->workers[0]->clients_max, cases[i].at_least, cases[i].at_most);
            world_finish(w);
        }
        free(w);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_longest_idle_makes_room_after_a_second),
        TEST(a_busy_one_stays),
        TEST(half_a_head_that_makes_room_is_a_flow),
        cmocka_unit_test(who_is_let_in_has_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
