/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/wrap.h"

#include "test/unit/unit.h"

static void is_text(struct buf *out, const char *expected)
{
    buf_put_byte(out, '\0');
    assert_string_equal(out->p, expected);
    buf_finish(out);
}

static void columns_are_those_of_a_terminal(void **state)
{
    static const struct {
        const char *text;
        unsigned columns;
    } cases[] = {
        {"", 0}, {"abc", 3}, {"…", 1}, {"é", 1}, {"e\xcc\x81", 1}, {"日本", 4}, {"\xff\xfe", 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(text_columns(str_of(cases[i].text)), cases[i].columns);
}

static void text_is_wrapped_with_a_hanging_indent(void **state)
{
    static const struct {
        const char *text;
        unsigned at, indent, width;
        const char *lines;
    } cases[] = {
        {"one two three", 0, 0, 0, "one two three"},
        {"one two three", 0, 0, 7, "one two\nthree"},
        {"one two three", 0, 2, 8, "one two\n  three"},
        {"one two three", 4, 4, 11, "one two\n    three"},
        {"one  two\n\nthree", 0, 0, 80, "one two\n\nthree"},
        {"a-word-that-is-too-long b", 0, 0, 5, "a-word-that-is-too-long\nb"},
        {"日本 日本", 0, 0, 8, "日本\n日本"},
        {"日本 日本", 0, 0, 9, "日本 日本"},
        {"\x1b[2J", 0, 0, 0, "\xef\xbf\xbd[2J"},
        {"", 3, 3, 10, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out;

        buf_init(&out, BUF_UNBOUNDED);
        put_wrapped(&out, str_of(cases[i].text), cases[i].at, cases[i].indent, cases[i].width);
        is_text(&out, cases[i].lines);
    }
}

static void what_does_not_fit_ends_in_an_ellipsis(void **state)
{
    static const struct {
        const char *text;
        unsigned columns;
        const char *fitted;
    } cases[] = {
        {"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"日本", 3, "日…"},
        {"日本", 2, "…"},  {"abc", 1, "…"},    {"abc", 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out;

        buf_init(&out, BUF_UNBOUNDED);
        put_fitted(&out, str_of(cases[i].text), cases[i].columns);
        is_text(&out, cases[i].fitted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_those_of_a_terminal),
        cmocka_unit_test(text_is_wrapped_with_a_hanging_indent),
        cmocka_unit_test(what_does_not_fit_ends_in_an_ellipsis),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
