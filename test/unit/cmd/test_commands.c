/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables that --help, the manual page and the completion are made from are whole. */
#include "cmd/cmd_list.h"

#include "base/buf.h"
#include "cmd/help.h"
#include "report/wrap.h"

#include "test/unit/unit.h"

#include <ctype.h>
#include <string.h>

static void is_a_sentence(const char *text)
{
    size_t n = strlen(text);

    assert_true(n > 10);
    assert_true(text[n - 1] == '.');
    assert_true(isupper((unsigned char)text[0]));
}

static void every_command_says_what_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; cmd_list[i]; i++) {
        const struct cmd *cmd = cmd_list[i];

        assert_true(cmd->summary && strlen(cmd->summary) > 10);
        assert_true(text_columns(str_of(cmd->summary)) <= 64); /* one line of --help */
        assert_true(cmd->summary[strlen(cmd->summary) - 1] != '.');
        is_a_sentence(cmd->help);
        assert_true(cmd->operands_min <= cmd->operands_max);
        assert_true(!cmd->operands == !cmd->operands_max);
        assert_true(!cmd->options == !cmd->options_size);
        assert_non_null(cmd->run);
    }
}

static void every_option_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; cmd_list[i]; i++)
        for (const struct opt *o = cmd_options(cmd_list[i]); o->kind; o++) {
            is_a_sentence(o->says);
            assert_true(!o->argument == (o->kind == OPT_FLAG));
            assert_true(!o->words == (o->kind != OPT_CHOICE));
            assert_true(o->at < cmd_list[i]->options_size);
            for (const struct opt *p = cmd_options(cmd_list[i]); p < o; p++) {
                assert_string_not_equal(p->name, o->name);
                assert_true(!o->letter || p->letter != o->letter);
            }
        }
}

static void a_name_that_is_nearly_right_is_suggested(void **state)
{
    struct err err;

    (void)state;
    assert_ptr_equal(cmd_named("version", &err), &cmd_version);
    assert_null(cmd_named("verison", &err));
    assert_string_equal(err.text, "there is no command 'verison'; did you mean 'version'?");
    assert_null(cmd_named("xyzzy", &err));
    assert_string_equal(err.text, "there is no command 'xyzzy'; flightstrip --help lists them");
}

static void help_fits_its_width(void **state)
{
    static const unsigned widths[] = {60, 80, 120};

    (void)state;
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        struct buf out;
        struct str rest, line;

        buf_init(&out, BUF_UNBOUNDED);
        put_help(&out, widths[w]);
        for (size_t i = 0; cmd_list[i]; i++)
            put_command_help(&out, cmd_list[i], widths[w]);
        for (rest = buf_str(&out); str_line(&rest, &line);)
            if (!str_starts(line, STR("usage:")))
                assert_true(text_columns(line) <= widths[w]);
        buf_finish(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_says_what_it_is),
        cmocka_unit_test(every_option_is_whole),
        cmocka_unit_test(a_name_that_is_nearly_right_is_suggested),
        cmocka_unit_test(help_fits_its_width),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
