/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "loop/loop.h"

#include "test/unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SECOND = 1000000 };

struct world {
    struct clock clock;
    struct loop *loop;
    char story[64]; /* what happened, a letter each */
    uint64_t at_us[64];
};

static int set_up(void **state)
{
    static struct world w;

    w = (struct world){0};
    clock_init_held(&w.clock, 0);
    *state = &w;
    return loop_create(&w.clock, &w.loop, NULL);
}

static int tear_down(void **state)
{
    struct world *w = *state;

    loop_destroy(w->loop);
    return 0;
}

static void tell(struct world *w, char what)
{
    size_t n = strlen(w->story);

    assert_true(n + 1 < sizeof w->story);
    w->story[n] = what;
    w->at_us[n] = loop_now_us(w->loop);
}

/* A timer that tells its letter. */
struct teller {
    struct world *w;
    char letter;
    struct loop_timer timer;
};

static void tell_letter(void *ctx)
{
    struct teller *t = ctx;

    tell(t->w, t->letter);
}

static struct teller *teller_init(struct teller *t, struct world *w, char letter)
{
    *t = (struct teller){.w = w, .letter = letter, .timer = {.fire = tell_letter, .ctx = t}};
    return t;
}

static void timers_fire_in_order_at_their_own_time(void **state)
{
    static const unsigned at[] = {7, 3, 9, 1, 5, 8, 2, 6, 4, 0};
    struct world *w = *state;
    struct teller t[10];

    for (unsigned i = 0; i < 10; i++) {
        teller_init(&t[i], w, (char)('0' + at[i]));
        loop_set_timer(w->loop, &t[i].timer, at[i] * (uint64_t)SECOND);
    }
    loop_run(w->loop); /* returns: there is nothing left to wait for */
    assert_string_equal(w->story, "0123456789");
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(w->at_us[i], i * SECOND);
}

static void timers_of_one_time_fire_in_the_order_they_were_set(void **state)
{
    struct world *w = *state;
    struct teller t[26];

    for (unsigned i = 0; i < 26; i++)
        loop_set_timer(w->loop, &teller_init(&t[i], w, (char)('a' + i))->timer, SECOND);
    loop_run(w->loop);
    assert_string_equal(w->story, "abcdefghijklmnopqrstuvwxyz");
}

static void a_timer_can_be_moved_and_taken_out(void **state)
{
    struct world *w = *state;
    struct teller t[8];

    for (unsigned i = 0; i < 8; i++)
        loop_set_timer(w->loop, &teller_init(&t[i], w, (char)('a' + i))->timer, i * SECOND);
    loop_set_timer(w->loop, &t[0].timer, 10 * SECOND);
    loop_set_timer(w->loop, &t[7].timer, SECOND / 2);
    loop_del_timer(w->loop, &t[3].timer);
    loop_del_timer(w->loop, &t[3].timer); /* not set: nothing happens */
    loop_run(w->loop);
    assert_string_equal(w->story, "hbcefga");
    assert_int_equal(t[3].timer.slot, 0);
}

static unsigned fired;

static void fire_in_turn(void *ctx)
{
    struct teller *t = ctx;
    static uint64_t last_us;

    if (!fired++)
        last_us = 0;
    assert_int_equal(t->timer.at_us, loop_now_us(t->w->loop));
    assert_true(t->timer.at_us >= last_us);
    last_us = t->timer.at_us;
}

static void timers_set_moved_and_deleted_at_random_keep_their_order(void **state)
{
    enum { N = 500 };
    struct world *w = *state;
    static struct teller t[N];
    uint32_t random = 1;
    unsigned set = 0;

    for (unsigned i = 0; i < N; i++)
        teller_init(&t[i], w, 0)->timer.fire = fire_in_turn;
    for (unsigned i = 0; i < 20 * N; i++) {
        random = random * 1664525 + 1013904223;
        struct loop_timer *timer = &t[(random >> 8) % N].timer;

        if (random >> 30)
            loop_set_timer(w->loop, timer, SECOND + (random >> 4 & 0xfffff));
        else
            loop_del_timer(w->loop, timer);
    }
    for (unsigned i = 0; i < N; i++)
        set += t[i].timer.slot != 0;
    fired = 0;
    loop_run(w->loop);
    assert_true(set > N / 2);
    assert_int_equal(fired, set);
}

/* Sets itself again a second later, three times. */
static void again(void *ctx)
{
    struct teller *t = ctx;

    tell(t->w, t->letter);
    if (strlen(t->w->story) < 3)
        loop_set_timer(t->w->loop, &t->timer, loop_now_us(t->w->loop) + SECOND);
}

static void a_timer_may_set_itself_again(void **state)
{
    struct world *w = *state;
    struct teller t;

    teller_init(&t, w, 'x')->timer.fire = again;
    loop_set_timer(w->loop, &t.timer, SECOND);
    loop_run(w->loop);
    assert_string_equal(w->story, "xxx");
    assert_int_equal(w->at_us[2], 3 * SECOND);
}

/* Two ends of a socket; the watched end tells its letter and reads. */
struct end {
    struct world *w;
    char letter;
    int peer;
    struct loop_fd watch;
    struct end *victim; /* deleted when this one is ready */
};

static void end_ready(void *ctx, unsigned events)
{
    struct end *e = ctx;
    char bytes[16];

    tell(e->w, e->letter);
    if (events & LOOP_READ)
        assert_true(read(e->watch.fd, bytes, sizeof bytes) >= 0);
    if (events & LOOP_HANGUP)
        loop_del_fd(e->w->loop, &e->watch);
    if (e->victim)
        loop_del_fd(e->w->loop, &e->victim->watch);
}

static void end_init(struct end *e, struct world *w, char letter, unsigned events)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    *e = (struct end){
        .w = w,
        .letter = letter,
        .peer = pair[1],
        .watch = {.fd = pair[0], .events = events, .ready = end_ready, .ctx = e},
    };
    assert_int_equal(loop_add_fd(w->loop, &e->watch), 0);
}

static void end_finish(struct end *e)
{
    loop_del_fd(e->w->loop, &e->watch);
    close(e->watch.fd);
    if (e->peer >= 0)
        close(e->peer);
}

static void what_is_ready_comes_before_the_next_timer(void **state)
{
    struct world *w = *state;
    struct teller t;
    struct end e;

    end_init(&e, w, 'r', LOOP_READ);
    loop_set_timer(w->loop, &teller_init(&t, w, 't')->timer, SECOND);
    assert_int_equal(write(e.peer, "x", 1), 1);
    loop_run(w->loop);
    assert_string_equal(w->story, "rt");
    assert_int_equal(w->at_us[0], 0);
    end_finish(&e);
}

static void a_watch_deleted_in_a_round_is_not_called_in_it(void **state)
{
    struct world *w = *state;
    struct end a, b;

    end_init(&a, w, 'x', LOOP_READ);
    end_init(&b, w, 'x', LOOP_READ);
    a.victim = &b;
    b.victim = &a;
    assert_int_equal(write(a.peer, "x", 1), 1);
    assert_int_equal(write(b.peer, "x", 1), 1);
    loop_run(w->loop);
    assert_string_equal(w->story, "x"); /* whichever came first deleted the other */
    end_finish(&a);
    end_finish(&b);
}

static void a_watch_is_called_for_what_it_waits_for(void **state)
{
    struct world *w = *state;
    struct end e;

    end_init(&e, w, 'r', LOOP_READ);
    assert_int_equal(write(e.peer, "x", 1), 1);
    loop_set_events(w->loop, &e.watch, 0);
    loop_run(w->loop);
    assert_string_equal(w->story, "");
    loop_set_events(w->loop, &e.watch, LOOP_READ);
    loop_run(w->loop);
    assert_string_equal(w->story, "r");
    end_finish(&e);
}

static void a_hangup_is_always_told(void **state)
{
    struct world *w = *state;
    struct end e;

    end_init(&e, w, 'h', 0);
    close(e.peer);
    e.peer = -1;
    loop_run(w->loop);
    assert_string_equal(w->story, "h");
    end_finish(&e);
}

static void defer_after_the_round(void *ctx)
{
    struct teller *t = ctx;

    tell(t->w, 't');
    loop_defer(t->w->loop, tell_letter, t);
}

static void a_deferred_call_comes_after_the_round(void **state)
{
    struct world *w = *state;
    struct teller first, second;

    teller_init(&first, w, 'd')->timer.fire = defer_after_the_round;
    loop_set_timer(w->loop, &first.timer, SECOND);
    loop_set_timer(w->loop, &teller_init(&second, w, 's')->timer, SECOND);
    loop_run(w->loop);
    assert_string_equal(w->story, "tsd");
}

static void what_was_deferred_is_called_before_the_end(void **state)
{
    struct world *w = *state;
    struct teller t;

    loop_defer(w->loop, tell_letter, teller_init(&t, w, 'd'));
    loop_destroy(w->loop);
    assert_string_equal(w->story, "d");
    assert_int_equal(loop_create(&w->clock, &w->loop, NULL), 0);
}

static void not_busy_any_more(void *ctx, unsigned events)
{
    struct end *e = ctx;

    (void)events;
    tell(e->w, 'b');
    loop_busy(e->w->loop, -1);
    loop_del_fd(e->w->loop, &e->watch);
}

static void a_held_clock_stands_still_while_the_loop_is_busy(void **state)
{
    struct world *w = *state;
    struct teller t;
    struct end e;

    end_init(&e, w, 0, LOOP_READ);
    e.watch.ready = not_busy_any_more;
    loop_busy(w->loop, 1);
    loop_set_timer(w->loop, &teller_init(&t, w, 't')->timer, SECOND);
    assert_int_equal(write(e.peer, "x", 1), 1);
    loop_run(w->loop);
    assert_string_equal(w->story, "bt");
    assert_int_equal(w->at_us[0], 0);
    end_finish(&e);
}

static void stop(void *ctx)
{
    struct world *w = ctx;

    tell(w, 's');
    loop_stop(w->loop);
}

static void a_stopped_loop_can_run_on(void **state)
{
    struct world *w = *state;
    struct loop_timer halt = {.fire = stop, .ctx = w};
    struct teller t;

    loop_set_timer(w->loop, &halt, SECOND);
    loop_set_timer(w->loop, &teller_init(&t, w, 't')->timer, 2 * SECOND);
    loop_run(w->loop);
    assert_string_equal(w->story, "s");
    loop_run(w->loop);
    assert_string_equal(w->story, "st");
}

static void timers_follow_an_accelerated_clock(void **state)
{
    struct world *w = *state;
    struct world fast = {0};
    struct loop_timer halt = {.fire = stop, .ctx = &fast};

    (void)w;
    clock_init_accelerated(&fast.clock, 100000);
    assert_int_equal(loop_create(&fast.clock, &fast.loop, NULL), 0);
    loop_set_timer(fast.loop, &halt, 3600 * (uint64_t)SECOND); /* 36 ms of ours */
    loop_run(fast.loop);
    assert_string_equal(fast.story, "s");
    assert_true(fast.at_us[0] >= 3600 * (uint64_t)SECOND);
    loop_destroy(fast.loop);
}

static void a_paced_clock_is_exact_and_never_ahead(void **state)
{
    struct world paced = {0};
    struct teller t[3];
    struct loop_timer halt = {.fire = stop, .ctx = &paced};
    struct clock real;

    (void)state;
    clock_init_real(&real);
    clock_init_paced(&paced.clock, 100000);
    assert_int_equal(loop_create(&paced.clock, &paced.loop, NULL), 0);
    for (unsigned i = 0; i < 3; i++)
        loop_set_timer(paced.loop, &teller_init(&t[i], &paced, (char)('a' + i))->timer,
                       i * 700 * (uint64_t)SECOND + 1);
    loop_set_timer(paced.loop, &halt, 3600 * (uint64_t)SECOND); /* 36 ms of ours */
    loop_run(paced.loop);
    assert_string_equal(paced.story, "abcs");
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(paced.at_us[i], i * 700 * (uint64_t)SECOND + 1);
    assert_int_equal(paced.at_us[3], 3600 * (uint64_t)SECOND);
    assert_true(clock_now_us(&real) >= 36000);
    loop_destroy(paced.loop);
}

static void on_signal(void *ctx, int signal)
{
    struct world *w = ctx;

    tell(w, signal == SIGHUP ? 'h' : '?');
    loop_stop(w->loop);
}

static void signals_come_in_the_loop(void **state)
{
    struct world *w = *state;

    assert_int_equal(loop_on_signal(w->loop, on_signal, w, NULL), 0);
    assert_int_equal(raise(SIGHUP), 0);
    loop_run(w->loop);
    assert_string_equal(w->story, "h");
}

/* A thread that posts the numbers 1 to POSTS, and the loop that gets them. */

enum { POSTERS = 4, POSTS = 1000 };

struct poster {
    struct world *w;
    pthread_t thread, loops; /* its own, and the one in which the loop runs */
    unsigned came;
    bool wrong;
};

struct post {
    struct poster *poster;
    unsigned number;
};

static struct post posts[POSTERS][POSTS];
static unsigned posters_left;

static void take_post(void *ctx)
{
    const struct post *post = ctx;
    struct poster *p = post->poster;

    if (post->number != p->came + 1 || !pthread_equal(p->loops, pthread_self()))
        p->wrong = true;
    if (++p->came == POSTS && --posters_left == 0)
        loop_stop(p->w->loop);
}

static void *post_all(void *ctx)
{
    struct post *own = ctx;

    for (unsigned i = 0; i < POSTS; i++)
        loop_post(own[i].poster->w->loop, take_post, &own[i]);
    return NULL;
}

static void what_other_threads_post_comes_in_the_loop_and_in_order(void **state)
{
    struct world *w = *state;
    struct poster posters[POSTERS];

    posters_left = POSTERS;
    loop_busy(w->loop, 1); /* a held clock would not wait for what it cannot see */
    for (unsigned i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){.w = w, .loops = pthread_self()};
        for (unsigned n = 0; n < POSTS; n++)
            posts[i][n] = (struct post){&posters[i], n + 1};
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_all, posts[i]), 0);
    }
    loop_run(w->loop);
    for (unsigned i = 0; i < POSTERS; i++) {
        pthread_join(posters[i].thread, NULL);
        assert_int_equal(posters[i].came, POSTS);
        assert_false(posters[i].wrong);
    }
    loop_busy(w->loop, -1);
}

static void post_after(void *ctx)
{
    struct teller *t = ctx;

    tell(t->w, 'p');
    loop_post(t->w->loop, tell_letter, t);
}

static void what_a_posted_call_posts_comes_too(void **state)
{
    struct world *w = *state;
    struct teller t, timer;

    loop_post(w->loop, post_after, teller_init(&t, w, 'q'));
    loop_set_timer(w->loop, &teller_init(&timer, w, 't')->timer, SECOND);
    loop_run(w->loop);
    assert_string_equal(w->story, "pqt");
}

static void what_was_posted_is_called_before_the_end(void **state)
{
    struct world *w = *state;
    struct teller t;

    loop_post(w->loop, post_after, teller_init(&t, w, 'q'));
    loop_destroy(w->loop);
    assert_string_equal(w->story, "pq");
    assert_int_equal(loop_create(&w->clock, &w->loop, NULL), 0);
}

static void close_victim(void *ctx, unsigned events)
{
    struct end *e = ctx;

    (void)events;
    tell(e->w, e->letter);
    if (e->victim->watch.fd >= 0)
        loop_close_fd(e->w->loop, &e->victim->watch);
    loop_del_fd(e->w->loop, &e->watch);
}

static void a_watch_closed_in_a_round_is_not_called_in_it(void **state)
{
    struct world *w = *state;
    struct end a, b;
    char byte;

    end_init(&a, w, 'x', LOOP_READ);
    end_init(&b, w, 'x', LOOP_READ);
    a.victim = &b;
    b.victim = &a;
    a.watch.ready = b.watch.ready = close_victim;
    assert_int_equal(write(a.peer, "x", 1), 1);
    assert_int_equal(write(b.peer, "x", 1), 1);
    loop_run(w->loop);
    assert_string_equal(w->story, "x");

    const struct end *closed = a.watch.fd < 0 ? &a : &b;
    assert_int_equal(closed->watch.fd, -1);
    assert_true(read(closed->peer, &byte, 1) <= 0); /* its end is gone, with a byte unread */
    close(a.peer);
    close(b.peer);
    close(closed == &a ? b.watch.fd : a.watch.fd);
}

static void a_bad_descriptor_is_an_error(void **state)
{
    struct world *w = *state;
    struct loop_fd watch = {.fd = -1, .events = LOOP_READ};

    assert_int_equal(loop_add_fd(w->loop, &watch), -EBADF);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(timers_fire_in_order_at_their_own_time),
        TEST(timers_of_one_time_fire_in_the_order_they_were_set),
        TEST(a_timer_can_be_moved_and_taken_out),
        TEST(timers_set_moved_and_deleted_at_random_keep_their_order),
        TEST(a_timer_may_set_itself_again),
        TEST(what_is_ready_comes_before_the_next_timer),
        TEST(a_watch_deleted_in_a_round_is_not_called_in_it),
        TEST(a_watch_is_called_for_what_it_waits_for),
        TEST(a_hangup_is_always_told),
        TEST(a_deferred_call_comes_after_the_round),
        TEST(what_was_deferred_is_called_before_the_end),
        TEST(a_held_clock_stands_still_while_the_loop_is_busy),
        TEST(a_stopped_loop_can_run_on),
        TEST(timers_follow_an_accelerated_clock),
        TEST(a_paced_clock_is_exact_and_never_ahead),
        TEST(signals_come_in_the_loop),
        TEST(what_other_threads_post_comes_in_the_loop_and_in_order),
        TEST(what_a_posted_call_posts_comes_too),
        TEST(what_was_posted_is_called_before_the_end),
        TEST(a_watch_closed_in_a_round_is_not_called_in_it),
        TEST(a_bad_descriptor_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
