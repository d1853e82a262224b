/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/side.h"
#include "test/unit/unit.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

struct pair {
    struct clock clock;
    struct loop *loop;
    struct side side;
    int peer;
    unsigned told; /* how often `ready` was called */
};

static void note(void *ctx, unsigned events)
{
    struct pair *p = ctx;

    (void)events;
    p->told++;
}

static void init(struct pair *p)
{
    int fds[2];

    *p = (struct pair){0};
    clock_init_held(&p->clock, 0);
    assert_int_equal(loop_create(&p->clock, &p->loop, NULL), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    side_init(&p->side, p->loop, note, p);
    assert_int_equal(side_take(&p->side, fds[0]), 0);
    p->peer = fds[1];
}

static void finish(struct pair *p)
{
    side_close(&p->side, false);
    loop_destroy(p->loop);
}

/* Both directions end while nothing is wanted. */
static void park(struct pair *p)
{
    side_want(&p->side, false, false);
    close(p->peer);
    loop_run(p->loop);
    assert_true(p->side.parked);
    assert_int_equal(p->told, 0);
}

static void a_parked_side_comes_back_when_it_is_wanted(void **state)
{
    struct pair p;
    char bytes[8];

    (void)state;
    init(&p);
    assert_int_equal(write(p.peer, "last", 4), 4);
    park(&p);
    side_want(&p.side, true, false);
    assert_false(p.side.parked);
    assert_int_equal(side_read(&p.side, bytes, sizeof bytes), 4);
    finish(&p);
}

static void one_that_cannot_come_back_has_an_error_that_is_told(void **state)
{
    struct pair p;
    struct loop_fd in_its_place = {.events = 0, .ready = note, .ctx = &p};

    (void)state;
    init(&p);
    park(&p);
    in_its_place.fd = p.side.watch.fd;
    assert_int_equal(loop_add_fd(p.loop, &in_its_place), 0);
    side_want(&p.side, true, false);
    side_want(&p.side, true, false);
    assert_int_equal(p.side.error, EEXIST);
    assert_int_equal(p.told, 0); /* not within the call */
    loop_del_fd(p.loop, &in_its_place);
    loop_run(p.loop);
    assert_int_equal(p.told, 1);
    finish(&p);
}

static void one_that_is_closed_before_tells_nothing(void **state)
{
    struct pair p;
    struct loop_fd in_its_place = {.events = 0, .ready = note, .ctx = &p};

    (void)state;
    init(&p);
    park(&p);
    in_its_place.fd = p.side.watch.fd;
    assert_int_equal(loop_add_fd(p.loop, &in_its_place), 0);
    side_want(&p.side, true, false);
    loop_del_fd(p.loop, &in_its_place);
    side_close(&p.side, false);
    loop_run(p.loop);
    assert_int_equal(p.told, 0);
    finish(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parked_side_comes_back_when_it_is_wanted),
        cmocka_unit_test(one_that_cannot_come_back_has_an_error_that_is_told),
        cmocka_unit_test(one_that_is_closed_before_tells_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
