/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/base64.h"

#include "test/unit/unit.h"

static void bytes_are_written_and_read(void **state)
{
    /* RFC 4648, section 10, and RFC 7617, section 2 */
    static const struct {
        struct str bytes, text;
    } cases[] = {
        {STR(""), STR("")},
        {STR("f"), STR("Zg==")},
        {STR("fo"), STR("Zm8=")},
        {STR("foo"), STR("Zm9v")},
        {STR("foob"), STR("Zm9vYg==")},
        {STR("fooba"), STR("Zm9vYmE=")},
        {STR("foobar"), STR("Zm9vYmFy")},
        {STR("Aladdin:open sesame"), STR("QWxhZGRpbjpvcGVuIHNlc2FtZQ==")},
        {STR("\xff\xef\xbe\0"), STR("/+++AA==")},
    };
    struct buf out;

    (void)state;
    buf_init(&out, 64);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&out);
        base64_put(&out, cases[i].bytes);
        assert_true(str_eq(buf_str(&out), cases[i].text));
        buf_clear(&out);
        assert_true(base64_read(cases[i].text, &out));
        assert_true(str_eq(buf_str(&out), cases[i].bytes));
    }
    buf_finish(&out);
}

static void what_is_not_base64_appends_nothing(void **state)
{
    static const struct str cases[] = {STR("Zg="),   STR("Zg"),       STR("Z"),        STR("===="),
                                       STR("Z==="),  STR("Zh=="),     STR("Zm9="),     STR("Zm9 "),
                                       STR("Zm9-"),  STR("Zg==Zm9v"), STR("Zm9v=m9v"), STR("Zm9\0"),
                                       STR("Zm9v\n")};
    struct buf out;

    (void)state;
    buf_init(&out, 64);
    buf_put_byte(&out, 'x');
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (base64_read(cases[i], &out))
            fail_msg(STR_FMT, STR_ARG(cases[i]));
        assert_true(str_eq(buf_str(&out), STR("x")));
    }
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_written_and_read),
        cmocka_unit_test(what_is_not_base64_appends_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
