/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A tunnel in which much moves: through kernel pipes, whole, and nothing is left of them. */
#include "sources/proxy/private.h"
#include "test/unit/descriptors.h"
#include "test/unit/sources/proxy_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { MUCH = 12 << 20 };

/* Bytes that say where they belong: their period has no divisor that any buffer has. */
enum { PERIOD = 65521 };

static const char *bytes_from(size_t at)
{
    static char bytes[2 * PERIOD];

    if (!bytes[0])
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)(i % PERIOD * 31 / 7 + 1);
    return bytes + at % PERIOD;
}

/* One direction of a tunnel. */
struct way {
    int from, to;
    size_t sent, came;
};

/* As much as there is room for, up to n in all. */
static void push(struct way *way, size_t n)
{
    ssize_t sent = 1;

    while (way->sent < n && sent > 0) {
        size_t piece = n - way->sent < PERIOD ? n - way->sent : PERIOD;

        sent = send(way->from, bytes_from(way->sent), piece, MSG_DONTWAIT | MSG_NOSIGNAL);
        way->sent += sent > 0 ? (size_t)sent : 0;
    }
}

/* One read; false: there was nothing. */
static bool pull(struct way *way)
{
    static char got[PERIOD];
    ssize_t n = recv(way->to, got, sizeof got, MSG_DONTWAIT);

    if (n <= 0)
        return false;
    assert_memory_equal(got, bytes_from(way->came), (size_t)n);
    way->came += (size_t)n;
    return true;
}

/* Until it is stuck; the other side reads nothing. */
static void fill(struct world *w, struct way *way)
{
    size_t before;

    do {
        before = way->sent;
        push(way, SIZE_MAX);
        settle(w);
    } while (way->sent > before);
}

static void drain(struct world *w, struct way *way)
{
    for (int quiet = 0; quiet < 3; settle(w))
        quiet = pull(way) ? 0 : quiet + 1;
}

static const struct pipes *pipes_of(const struct world *w)
{
    return &w->proxy->workers[0]->pipes;
}

static void much_arrives_whole_each_way(void **state)
{
    struct world *w = *state;
    struct way up = {0}, down = {0};
    char wanted[128];
    int d, s;

    world_tunnel(w, &d, &s);
    up.from = down.to = d;
    up.to = down.from = s;
    for (int quiet = 0; quiet < 3; quiet++) {
        push(&up, MUCH);
        push(&down, MUCH);
        settle(w);
        for (bool came = true; came; quiet = came ? 0 : quiet) {
            came = pull(&up);
            came = pull(&down) || came;
        }
    }
    assert_int_equal(up.came, MUCH);
    assert_int_equal(down.came, MUCH);
    assert_true(pipes_of(w)->kept_count > 0); /* they were used, and are not any more */
    leave(w, d);
    leave(w, s);
    snprintf(wanted, sizeof wanted, "flow-closed bytes_up=%d bytes_down=%d why=device-closed\n",
             MUCH, MUCH);
    assert_non_null(strstr(seen(w), wanted));
}

static void little_is_said_after_much(void **state)
{
    struct world *w = *state;
    struct way way = {0};

    world_tunnel(w, &way.to, &way.from);
    for (int i = 0; i < 3; i++) {
        while (way.sent < (size_t)(i + 1) * MUCH / 4) {
            push(&way, (size_t)(i + 1) * MUCH / 4);
            settle(w);
            while (pull(&way))
                ;
        }
        drain(w, &way);
        assert_int_equal(way.came, way.sent);
        for (int n = 0; n < 3; n++) {
            say(w, way.from, "little");
            assert_string_equal(heard(w, way.to), "little");
        }
    }
}

static void a_slow_reader_gets_all_of_it(void **state)
{
    struct world *w = *state;
    struct way way = {0};

    world_tunnel(w, &way.to, &way.from);
    fill(w, &way);
    assert_true(way.sent < 64 << 20);             /* the sender is held back */
    assert_int_equal(pipes_of(w)->kept_count, 0); /* the pipe has bytes in it */
    say(w, way.to, "up still flows");
    assert_string_equal(heard(w, way.from), "up still flows");
    while (way.came < MUCH && way.came < way.sent) { /* a piece at a time, and it is filled anew */
        pull(&way);
        settle(w);
        push(&way, MUCH);
    }
    drain(w, &way);
    assert_int_equal(way.came, way.sent);
}

static void an_end_comes_behind_what_was_sent(void **state)
{
    static const char *const whys[] = {"why=server-closed", "why=device-closed"};
    struct world *w = *state;

    for (int i = 0; i < 2; i++) {
        struct way way = {0}, back = {0};

        world_tunnel(w, i ? &way.from : &way.to, i ? &way.to : &way.from);
        fill(w, &way);
        end_of(w, way.from);
        back = (struct way){.from = way.to, .to = way.from};
        push(&back, 100000);
        drain(w, &back);
        assert_int_equal(back.came, back.sent); /* the other direction goes on */
        drain(w, &way);
        assert_int_equal(way.came, way.sent);
        assert_string_equal(heard(w, way.to), "<FIN>");
        push(&back, MUCH / 4);
        drain(w, &back);
        assert_int_equal(back.came, back.sent);
        seen(w);
        leave(w, way.to);
        assert_string_equal(heard(w, way.from), "<FIN>");
        assert_non_null(strstr(seen(w), whys[i]));
        leave(w, way.from);
    }
}

/* The errno behind all that can still be read; 0: it ended in order. */
static int end_of_all(struct world *w, int fd)
{
    static char got[PERIOD];
    ssize_t n;

    for (int quiet = 0; quiet < 3;) {
        n = recv(fd, got, sizeof got, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return n ? errno : 0;
        quiet = n > 0 ? 0 : quiet + 1;
        settle(w);
    }
    return EAGAIN;
}

/* Whoever resets, with bytes on their way: nothing is left of the flow, when what came is read. */
static void a_reset_empties_the_pipe(void **state)
{
    static const char *const whys[] = {"why=server-reset", "why=device-reset"};
    struct world *w = *state;
    unsigned before = descriptors_open();

    for (int i = 0; i < 4; i++) {
        bool by_device = i / 2, from_device = i % 2;
        struct way way = {0};
        int d, s;

        world_tunnel(w, &d, &s);
        way.from = from_device ? d : s;
        way.to = from_device ? s : d;
        fill(w, &way);
        reset_by(w, by_device ? d : s);
        settle(w);
        assert_int_equal(end_of_all(w, by_device ? s : d), ECONNRESET);
        assert_non_null(strstr(seen(w), whys[by_device]));
        leave(w, by_device ? s : d);
        assert_int_equal(descriptors_open(), before + 2 * pipes_of(w)->kept_count);
    }
}

static void without_descriptors_for_a_pipe_bytes_are_copied(void **state)
{
    struct world *w = *state;
    struct way way = {0};
    struct rlimit was, now;

    world_tunnel(w, &way.to, &way.from);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    now = was;
    now.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
    fill(w, &way);
    drain(w, &way);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    assert_int_equal(way.came, way.sent);
    assert_int_equal(pipes_of(w)->kept_count, 0);
}

static void stopping_with_bytes_on_their_way_leaves_nothing(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    unsigned before = descriptors_open();
    struct way way = {0};

    (void)state;
    world_init(w, NULL);
    world_tunnel(w, &way.to, &way.from);
    fill(w, &way);
    proxy_stop(w->proxy);
    assert_non_null(strstr(seen(w), "why=shutdown\n"));
    world_finish(w);
    free(w);
    assert_int_equal(descriptors_open(), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(much_arrives_whole_each_way),
        TEST(little_is_said_after_much),
        TEST(a_slow_reader_gets_all_of_it),
        TEST(an_end_comes_behind_what_was_sent),
        TEST(a_reset_empties_the_pipe),
        TEST(without_descriptors_for_a_pipe_bytes_are_copied),
        cmocka_unit_test(stopping_with_bytes_on_their_way_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
