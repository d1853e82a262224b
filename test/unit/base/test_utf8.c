/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/utf8.h"

#include "test/unit/unit.h"

#define BAD "\xef\xbf\xbd"

static void nothing_from_outside_moves_a_cursor(void **state)
{
    static const struct {
        struct str from;
        const char *shown;
    } cases[] = {
        {STR("plain gr\xc3\xbc\xc3\x9f \xf0\x9f\x9b\xab"),
         "plain gr\xc3\xbc\xc3\x9f \xf0\x9f\x9b\xab"},
        {STR("\x1b[2J"), BAD "[2J"},
        {STR("a\r\nb\tc"), "a" BAD BAD "b" BAD "c"},
        {STR("\xc2\x9b"), BAD},             /* C1: CSI in one character */
        {STR("\xe2\x80\xae"), BAD},         /* right-to-left override */
        {STR("\xc0\xaf"), BAD BAD},         /* overlong */
        {STR("\xed\xa0\x80"), BAD BAD BAD}, /* surrogate */
        {STR("\xf4\x90\x80\x80"), BAD BAD BAD BAD},
        {STR("\xe2\x82"), BAD BAD}, /* cut */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buf out;

        buf_init(&out, 256);
        utf8_put_safe(&out, cases[i].from);
        buf_put_byte(&out, 0);
        assert_string_equal(out.p, cases[i].shown);
        buf_finish(&out);
    }
}

static void a_write_past_the_ceiling_writes_nothing(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 4);
    buf_put(&b, "abc", 3);
    buf_put(&b, "de", 2);
    assert_true(b.full);
    buf_put(&b, "f", 1); /* it would fit, but what is written stays a beginning */
    assert_true(str_eq(buf_str(&b), STR("abc")));
    buf_eat(&b, 2);
    assert_true(str_eq(buf_str(&b), STR("c")));
    buf_clear(&b);
    buf_put(&b, "ghij", 4);
    assert_false(b.full);
    buf_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_from_outside_moves_a_cursor),
        cmocka_unit_test(a_write_past_the_ceiling_writes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
