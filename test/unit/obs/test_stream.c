/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "obs/stream.h"

#include "test/unit/unit.h"

struct sequence {
    char order[16];
    unsigned n;
    struct obs last;
};

static struct sequence sequence;
static char first[] = "a", second[] = "b";

static void see(void *ctx, const struct obs *o)
{
    sequence.order[sequence.n++] = *(const char *)ctx;
    sequence.last = *o;
}

static void times_never_go_backwards(void **state)
{
    static const struct {
        uint64_t at_us, clock_us, expected;
    } steps[] = {
        {0, 100, 100}, /* the clock's */
        {50, 100, 100}, {200, 100, 200}, {0, 150, 200}, {0, 300, 300},
    };
    struct stream s;
    struct clock clock;

    (void)state;
    sequence = (struct sequence){0};
    clock_init_held(&clock, 0);
    stream_init(&s, &clock);
    stream_add_sink(&s, see, first);
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        if (steps[i].clock_us > clock_now_us(&clock))
            clock_move(&clock, steps[i].clock_us - clock_now_us(&clock));
        assert_true(stream_put(&s, &(struct obs){.at_us = steps[i].at_us}) == i + 1);
        assert_true(sequence.last.seq == i + 1);
        assert_true(sequence.last.at_us == steps[i].expected);
    }
}

static void sinks_get_each_in_the_order_they_were_added(void **state)
{
    struct stream s;

    (void)state;
    sequence = (struct sequence){0};
    stream_init(&s, NULL);
    stream_add_sink(&s, see, first);
    stream_add_sink(&s, see, second);
    stream_put(&s, &(struct obs){0});
    stream_put(&s, &(struct obs){0});
    assert_string_equal(sequence.order, "abab");
}

static void a_resumed_stream_goes_on(void **state)
{
    struct stream s;

    (void)state;
    sequence = (struct sequence){0};
    stream_init(&s, NULL);
    stream_add_sink(&s, see, first);
    stream_resume(&s, 10, 20, 30);
    assert_true(stream_next_flow(&s) == 21);
    assert_true(stream_put(&s, &(struct obs){.at_us = 5}) == 11);
    assert_true(sequence.last.at_us == 30);
}

static void streams_that_share_flows_number_them_together(void **state)
{
    struct stream all, one, other;

    (void)state;
    stream_init(&all, NULL);
    stream_init(&one, NULL);
    stream_init(&other, NULL);
    stream_resume(&all, 0, 20, 0);
    stream_share_flows(&one, &all);
    stream_share_flows(&other, &all);
    assert_true(stream_next_flow(&one) == 21);
    assert_true(stream_next_flow(&other) == 22);
    assert_true(stream_next_flow(&all) == 23);
    assert_true(stream_next_flow(&one) == 24);
    /* The numbers of what is put stay each one's own. */
    assert_true(stream_put(&one, &(struct obs){0}) == 1);
    assert_true(stream_put(&other, &(struct obs){0}) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_never_go_backwards),
        cmocka_unit_test(sinks_get_each_in_the_order_they_were_added),
        cmocka_unit_test(a_resumed_stream_goes_on),
        cmocka_unit_test(streams_that_share_flows_number_them_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
