/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/str.h"

#include "test/unit/unit.h"

static void finding_nothing_gives_the_length(void **state)
{
    static const struct {
        struct str s, needle;
        size_t at;
    } cases[] = {
        {STR("abcabc"), STR("ca"), 2}, {STR("abc"), STR("x"), 3}, {STR("abc"), STR("abcd"), 3},
        {STR("abc"), STR(""), 0},      {{0}, STR("a"), 0},        {{0}, {0}, 0},
        {STR("abc"), {0}, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(str_search(cases[i].s, cases[i].needle), cases[i].at);
    assert_int_equal(str_find(STR("abcb"), 'b'), 1);
    assert_int_equal(str_rfind(STR("abcb"), 'b'), 3);
    assert_int_equal(str_rfind(STR("abcb"), 'x'), 4);
}

static void lines_end_in_lf_or_cr_lf(void **state)
{
    struct str rest = STR("one\r\n\ntwo\rthree\nlast"), line;
    static const char *const lines[] = {"one", "", "two\rthree", "last"};
    size_t n = 0;

    (void)state;
    while (str_line(&rest, &line))
        assert_true(str_eq(line, str_of(lines[n++])));
    assert_int_equal(n, 4);
}

static void numbers_are_digits_alone(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
    } cases[] = {
        {"0", true, 0},   {"18446744073709551615", true, UINT64_MAX},
        {"007", true, 7}, {"18446744073709551616", false, 0},
        {"", false, 0},   {"-1", false, 0},
        {"1 ", false, 0}, {"0x1", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint64_t value = 0;

        assert_int_equal(str_to_u64(str_of(cases[i].text), &value), cases[i].ok);
        assert_true(value == cases[i].value);
    }
}

static void case_is_ignored_for_ascii_alone(void **state)
{
    (void)state;
    assert_true(str_ieq(STR("Host-Name.EXAMPLE"), STR("host-name.example")));
    assert_false(str_ieq(STR("@"), STR("`")));
    assert_false(str_ieq(STR("\xc4"), STR("\xe4")));
    assert_true(str_ihash(STR("A.B")) == str_ihash(STR("a.b")));
    assert_true(str_iends(STR("a.EXAMPLE"), STR(".example")));
    assert_false(str_starts(STR("a"), STR("ab")));
    assert_true(str_cmp(STR("a"), STR("ab")) < 0 && str_cmp(STR("b"), STR("ab")) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finding_nothing_gives_the_length),
        cmocka_unit_test(lines_end_in_lf_or_cr_lf),
        cmocka_unit_test(numbers_are_digits_alone),
        cmocka_unit_test(case_is_ignored_for_ascii_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
