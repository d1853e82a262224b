/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"

#include "test/unit/unit.h"

static void what_is_written_stands_one_after_the_other(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    buf_put(&b, "ab", 2);
    buf_put_byte(&b, 'c');
    buf_printf(&b, "%d", 42);
    buf_put_str(&b, STR("!"));
    assert_true(str_eq(buf_str(&b), STR("abc42!")));
    assert_false(b.full);
    buf_finish(&b);
}

static void a_write_past_the_ceiling_writes_nothing_and_ends_all_writing(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 4);
    buf_put(&b, "abc", 3);
    buf_put(&b, "de", 2);
    assert_true(b.full);
    buf_put(&b, "f", 1); /* it would fit, and comes too late */
    assert_true(str_eq(buf_str(&b), STR("abc")));
    buf_clear(&b);
    buf_put(&b, "wxyz", 4);
    assert_false(b.full);
    assert_true(str_eq(buf_str(&b), STR("wxyz")));
    buf_finish(&b);
}

static void it_grows_and_keeps_its_bytes(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, BUF_UNBOUNDED);
    for (unsigned i = 0; i < 100000; i++)
        buf_put_byte(&b, (uint8_t)i);
    assert_int_equal(b.n, 100000);
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal((uint8_t)b.p[i], (uint8_t)i);
    buf_finish(&b);
}

static void eating_takes_from_the_front(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    buf_put_str(&b, STR("hello"));
    buf_eat(&b, 2);
    assert_true(str_eq(buf_str(&b), STR("llo")));
    buf_eat(&b, 3);
    assert_int_equal(b.n, 0);
    buf_finish(&b);
}

static void reserved_room_counts_when_it_was_used(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    char *at = buf_reserve(&b, 8);
    assert_non_null(at);
    at[0] = 'x';
    assert_int_equal(b.n, 0);
    buf_wrote(&b, 1);
    assert_true(str_eq(buf_str(&b), STR("x")));
    assert_null(buf_reserve(&b, 10));
    buf_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_stands_one_after_the_other),
        cmocka_unit_test(a_write_past_the_ceiling_writes_nothing_and_ends_all_writing),
        cmocka_unit_test(it_grows_and_keeps_its_bytes),
        cmocka_unit_test(eating_takes_from_the_front),
        cmocka_unit_test(reserved_room_counts_when_it_was_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
