/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a proxy counts of itself, for metrics. */
#include "sources/proxy/counters.h"
#include "test/unit/sources/proxy_world.h"

#include <pthread.h>
#include <string.h>

static void what_is_open_is_what_opened_less_what_ended(void **state)
{
    struct counters c = {0};

    (void)state;
    counters_opened(&c, HOW_CONNECT);
    counters_opened(&c, HOW_CONNECT);
    counters_opened(&c, HOW_SOCKS);
    counters_closed(&c, HOW_CONNECT, WHY_IDLE);
    assert_int_equal(counters_flows_open(&c, HOW_CONNECT), 1);
    assert_int_equal(counters_flows_open(&c, HOW_SOCKS), 1);
    assert_int_equal(counters_flows_open(&c, HOW_ABSOLUTE), 0);
    assert_int_equal(counter_get(&c.closed[WHY_IDLE]), 1);
}

static void the_sum_of_two_is_of_all_that_they_hold(void **state)
{
    struct counters sum = {0}, a = {0}, b = {0};

    (void)state;
    counters_moved(&a, 10, 1);
    counters_moved(&b, 20, 2);
    counters_client_came(&a);
    counters_client_came(&b);
    counters_client_left(&b);
    counters_closed(&b, HOW_NONE, WHY_COUNT - 1);
    counters_accept_paused(&a);
    counters_connect_failed(&b);
    counters_name_failed(&a);
    counters_connected(&a);
    counters_add(&sum, &a);
    counters_add(&sum, &b);
    assert_int_equal(counter_get(&sum.bytes_up), 30);
    assert_int_equal(counter_get(&sum.bytes_down), 3);
    assert_int_equal(counters_clients_now(&sum), 1);
    assert_int_equal(counter_get(&sum.closed[WHY_COUNT - 1]), 1);
    assert_int_equal(counter_get(&sum.accept_pauses), 1);
    assert_int_equal(counter_get(&sum.connects_failed), 1);
    assert_int_equal(counter_get(&sum.names_failed), 1);
    assert_int_equal(counter_get(&sum.connects), 1);
}

enum { ROUNDS = 200000 };

static void *open_and_close(void *counters)
{
    for (int i = 0; i < ROUNDS; i++) {
        counters_opened(counters, HOW_CONNECT);
        counters_closed(counters, HOW_CONNECT, WHY_FINISHED);
    }
    return NULL;
}

static void a_reader_never_sees_more_ended_than_opened(void **state)
{
    static struct counters c;
    pthread_t writer;

    (void)state;
    assert_int_equal(pthread_create(&writer, NULL, open_and_close, &c), 0);
    while (counter_get(&c.ended[HOW_CONNECT]) < ROUNDS) {
        struct counters sum = {0};

        counters_add(&sum, &c);
        assert_true(counter_get(&sum.closed[WHY_FINISHED]) <= counter_get(&sum.ended[HOW_CONNECT]));
        assert_true(counters_flows_open(&sum, HOW_CONNECT) <= ROUNDS);
    }
    pthread_join(writer, NULL);
    assert_int_equal(counters_flows_open(&c, HOW_CONNECT), 0);
}

static void the_proxy_counts_what_it_observes(void **state)
{
    struct world *w = *state;
    struct counters c;
    int d = device(w);

    say(w, d, "CONNECT origin.test:443 HTTP/1.1\r\n\r\n");

    int s = server(w);

    heard(w, d);
    say(w, d, "up");
    say(w, s, "down");
    proxy_counters(w->proxy, &c);
    assert_int_equal(counters_clients_now(&c), 1);
    assert_int_equal(counters_flows_open(&c, HOW_CONNECT), 1);
    assert_int_equal(counter_get(&c.connects), 1);
    assert_int_equal(counter_get(&c.bytes_up), 2);
    assert_int_equal(counter_get(&c.bytes_down), 4);

    reset_by(w, d);
    settle(w);
    proxy_counters(w->proxy, &c);
    assert_int_equal(counters_clients_now(&c), 0);
    assert_int_equal(counter_get(&c.clients_came), 1);
    assert_int_equal(counters_flows_open(&c, HOW_CONNECT), 0);
    assert_int_equal(counter_get(&c.closed[WHY_DEVICE_RESET]), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_open_is_what_opened_less_what_ended),
        cmocka_unit_test(the_sum_of_two_is_of_all_that_they_hold),
        cmocka_unit_test(a_reader_never_sees_more_ended_than_opened),
        cmocka_unit_test_setup_teardown(the_proxy_counts_what_it_observes, world_set_up,
                                        world_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
