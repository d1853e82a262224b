/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Draining, and stopping. */
#include "test/unit/sources/proxy_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GET "GET http://origin.test/a HTTP/1.1\r\nHost: origin.test\r\n\r\n"
#define OK2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static void count(void *ctx)
{
    ++*(int *)ctx;
}

/* connect(2) from a device that may be too late: 0, or an errno. */
static int knock(const struct world *w)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons(proxy_port(w->proxy, 0))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error = connect(fd, (void *)&a, sizeof a) < 0 ? errno : 0;

    close(fd);
    return error;
}

static void without_flows_it_is_done_at_once(void **state)
{
    struct world *w = *state;
    int done = 0;

    proxy_drain(w->proxy, 30 * SECOND, count, &done);
    assert_int_equal(done, 0); /* not within the call */
    settle(w);
    assert_int_equal(done, 1);
    pass_time(w, 60 * SECOND);
    assert_int_equal(done, 1);
}

static void nobody_new_comes_in_while_it_drains(void **state)
{
    struct world *w = *state;
    int d, s, done = 0;

    world_tunnel(w, &d, &s);
    proxy_drain(w->proxy, 30 * SECOND, count, &done);
    settle(w);
    assert_int_equal(knock(w), ECONNREFUSED);
}

static void who_has_no_request_goes_at_once(void **state)
{
    struct world *w = *state;
    int fresh = device(w), begun = device(w), served = device(w), d, s, done = 0;

    say(w, served, GET);
    s = server(w);
    heard(w, s);
    say(w, s, OK2);
    heard(w, served);
    say(w, begun, "GET http://ori");
    world_tunnel(w, &d, &s);
    proxy_drain(w->proxy, 30 * SECOND, count, &done);
    assert_string_equal(heard(w, fresh), "<FIN>");
    assert_string_equal(heard(w, served), "<FIN>");
    assert_string_equal(heard(w, begun), "<FIN>");
    assert_string_equal(heard(w, d), "");
    assert_int_equal(done, 0);
}

static void our_last_word_is_still_heard(void **state)
{
    struct world *w = *state;
    int d = device(w), done = 0;

    say(w, d, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(send(d, "more", 4, 0), 4); /* which would be answered with a reset */
    proxy_drain(w->proxy, 30 * SECOND, count, &done);
    const char *answer = heard(w, d);
    assert_non_null(strstr(answer, "HTTP/1.1 400 Bad Request\r\n"));
    assert_non_null(strstr(answer, "<FIN>"));
    assert_int_equal(done, 0);
    pass_time(w, 2 * SECOND);
    assert_int_equal(done, 1);
}

static void open_flows_go_on_and_it_is_done_when_they_end(void **state)
{
    struct world *w = *state;
    int busy = device(w), d, s, answers, done = 0;

    say(w, busy, GET);
    answers = server(w);
    heard(w, answers);
    world_tunnel(w, &d, &s);
    proxy_drain(w->proxy, 30 * SECOND, count, &done);
    pass_time(w, 10 * SECOND);
    say(w, d, "still");
    assert_string_equal(heard(w, s), "still");
    say(w, answers, OK2);
    assert_string_equal(heard(w, busy), OK2 "<FIN>"); /* no further request */
    leave(w, busy);
    assert_non_null(strstr(seen(w), " why=finished\n"));
    assert_int_equal(done, 0);
    leave(w, d);
    leave(w, s);
    assert_non_null(strstr(seen(w), " why=device-closed\n"));
    assert_int_equal(done, 1);
    pass_time(w, 60 * SECOND);
    assert_int_equal(done, 1);
    proxy_stop(w->proxy);
    assert_string_equal(seen(w), "");
}

static void after_the_grace_time_it_is_done_and_stopping_ends_the_rest(void **state)
{
    struct world *w = *state;
    int d, s, done = 0;

    world_tunnel(w, &d, &s);
    proxy_drain(w->proxy, 30 * SECOND, count, &done);
    pass_time(w, 30 * SECOND - 1);
    assert_int_equal(done, 0);
    pass_time(w, 1);
    assert_int_equal(done, 1);
    say(w, d, "still");
    assert_string_equal(heard(w, s), "still"); /* it has ended nothing by itself */
    proxy_stop(w->proxy);
    assert_string_equal(seen(w), "flow-closed bytes_up=5 why=shutdown\n");
    settle(w);
    assert_string_equal(heard(w, d), "<FIN>");
    assert_int_equal(done, 1);
}

static void a_flow_that_ends_after_the_grace_time_changes_nothing(void **state)
{
    struct world *w = *state;
    int d, s, done = 0;

    world_tunnel(w, &d, &s);
    proxy_drain(w->proxy, SECOND, count, &done);
    pass_time(w, 2 * SECOND);
    leave(w, d);
    leave(w, s);
    pass_time(w, SECOND);
    assert_int_equal(done, 1);
}

static void stopping_while_it_drains_calls_nobody(void **state)
{
    struct world *w = *state;
    int d, s, done = 0;

    world_tunnel(w, &d, &s);
    proxy_drain(w->proxy, SECOND, count, &done);
    proxy_stop(w->proxy);
    proxy_stop(w->proxy);
    assert_string_equal(seen(w), "flow-closed why=shutdown\n");
    pass_time(w, 2 * SECOND);
    assert_int_equal(done, 0);
}

/* What may be under way in a flow when it is stopped. */
static void stopping_ends_flows_in_every_state(void **state)
{
    const char *const delay[] = {"slow.test=60s"};
    struct world *w = *state;
    int asking = device(w), delayed = device(w), begun = device(w), half = device(w), s;

    world_obey(w, &(struct rules_options){.delay = {delay, 1}});
    say(w, asking, GET);
    s = server(w);
    heard(w, s);
    say(w, delayed, "CONNECT slow.test:443 HTTP/1.1\r\nHost: x\r\n\r\n");
    say(w, begun, "GET http://ori");
    say_bytes(w, half, "\x05\x01\0\x05\x01", 5);
    seen(w);
    proxy_stop(w->proxy);
    /* Half a request is a flow as well. */
    assert_string_equal(seen(w), "flow-opened\n"
                                 "flow-closed bytes_up=14 why=shutdown\n"
                                 "flow-opened how=socks\n"
                                 "flow-closed bytes_up=2 why=shutdown\n"
                                 "flow-closed bytes_up=56 why=shutdown\n"
                                 "flow-closed why=shutdown\n");
    settle(w);
    assert_string_equal(heard(w, s), "<FIN>");
    pass_time(w, 100 * SECOND);
    assert_string_equal(seen(w), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_flows_it_is_done_at_once),
        TEST(nobody_new_comes_in_while_it_drains),
        TEST(who_has_no_request_goes_at_once),
        TEST(our_last_word_is_still_heard),
        TEST(open_flows_go_on_and_it_is_done_when_they_end),
        TEST(after_the_grace_time_it_is_done_and_stopping_ends_the_rest),
        TEST(a_flow_that_ends_after_the_grace_time_changes_nothing),
        TEST(stopping_while_it_drains_calls_nobody),
        TEST(stopping_ends_flows_in_every_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
