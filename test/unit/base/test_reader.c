/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/reader.h"

#include "test/unit/unit.h"

static void a_short_read_stays_bad(void **state)
{
    struct reader r = reader_of(STR("\x01"));

    (void)state;
    assert_int_equal(reader_u16be(&r), 0);
    assert_true(r.bad);
    assert_int_equal(reader_u8(&r), 0);
    assert_true(r.bad);
}

static void numbers_are_big_endian(void **state)
{
    struct reader r = reader_of(STR("\x01\x02\x03\x04\x05\x06"));

    (void)state;
    assert_int_equal(reader_u16be(&r), 0x0102);
    assert_int_equal(reader_u32be(&r), 0x03040506);
    assert_false(r.bad);
    assert_int_equal(r.rest.n, 0);
}

static void a_varint_of_ten_bytes_is_the_widest(void **state)
{
    struct reader widest = reader_of(STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
    struct reader wider = reader_of(STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"));

    (void)state;
    assert_true(reader_varint(&widest) == UINT64_MAX);
    assert_false(widest.bad);
    assert_int_equal(reader_varint(&wider), 0);
    assert_true(wider.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_read_stays_bad),
        cmocka_unit_test(numbers_are_big_endian),
        cmocka_unit_test(a_varint_of_ten_bytes_is_the_widest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
