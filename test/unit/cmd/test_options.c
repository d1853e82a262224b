/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/options.h"

#include "test/unit/unit.h"

#include <string.h>

struct settings {
    bool loud;
    const char *name;
    struct texts also;
    unsigned colour;
    uint64_t wait_us;
    double speed;
};

#define AT(member) offsetof(struct settings, member)

static const char *const colours[] = {"red", "green", NULL};

static const struct opt table[] = {
    {OPT_FLAG, 'l', "loud", NULL, "Be loud.", AT(loud)},
    {OPT_TEXT, 'n', "name", "NAME", "Use this name.", AT(name)},
    {OPT_TEXTS, 0, "also", "NAME", "And this one.", AT(also)},
    {OPT_CHOICE, 'c', "colour", "COLOUR", "Which colour.", AT(colour), colours},
    {OPT_DURATION, 0, "wait", "DURATION", "How long.", AT(wait_us)},
    {OPT_NUMBER, 0, "speed", "N", "How fast.", AT(speed)},
    {0},
};

enum { WORDS_MAX = 12 };

static int count(const char *const *words)
{
    int n = 0;

    while (words[n])
        n++;
    return n;
}

static void options_fill_the_struct_and_leave_the_operands(void **state)
{
    const char *words[WORDS_MAX] = {"cmd",    "one", "--also",  "a",   "-lcgreen", "--wait=1m30s",
                                    "--also", "b",   "--speed", "2.5", "two"};
    struct settings s = {0};
    int first = 0;
    bool help = false;

    (void)state;
    assert_int_equal(options_parse(table, count(words), (char **)words, &s, &first, &help, NULL),
                     0);
    assert_true(s.loud);
    assert_null(s.name);
    assert_int_equal(s.also.n, 2);
    assert_string_equal(s.also.at[0], "a");
    assert_string_equal(s.also.at[1], "b");
    assert_int_equal(s.colour, 1);
    assert_int_equal(s.wait_us, 90000000);
    assert_true(s.speed == 2.5);
    assert_int_equal(first, 9);
    assert_string_equal(words[9], "one");
    assert_string_equal(words[10], "two");
    assert_false(help);
    options_finish(table, &s);
}

static void what_stands_after_two_dashes_is_an_operand(void **state)
{
    const char *words[WORDS_MAX] = {"cmd", "--", "--loud"};
    struct settings s = {0};
    int first = 0;
    bool help = false;

    (void)state;
    assert_int_equal(options_parse(table, count(words), (char **)words, &s, &first, &help, NULL),
                     0);
    assert_false(s.loud);
    assert_string_equal(words[first], "--loud");
}

static void help_is_an_option_of_every_table(void **state)
{
    static const struct opt none[] = {{0}};
    const char *shorts[WORDS_MAX] = {"cmd", "-h"}, *longs[WORDS_MAX] = {"cmd", "--help"};
    int first = 0;
    bool help = false;

    (void)state;
    assert_int_equal(options_parse(none, 2, (char **)shorts, NULL, &first, &help, NULL), 0);
    assert_true(help);
    help = false;
    assert_int_equal(options_parse(none, 2, (char **)longs, NULL, &first, &help, NULL), 0);
    assert_true(help);
}

static void what_is_wrong_is_said_in_a_sentence(void **state)
{
    static const struct {
        const char *word;
        const char *says;
    } cases[] = {
        {"--colur", "there is no option --colur; did you mean --colour?"},
        {"--colur=red", "there is no option --colur; did you mean --colour?"},
        {"--zzzzzzzz", "there is no option --zzzzzzzz"},
        {"--hepl", "there is no option --hepl; did you mean --help?"},
        {"-x", "there is no option -x"},
        {"-lx", "there is no option -x"},
        {"--name", "--name needs an argument"},
        {"-n", "-n needs an argument"},
        {"--loud=yes", "--loud takes no argument"},
        {"--help=yes", "--help takes no argument"},
        {"--colour=blue", "--colour: 'blue' is none of red, green"},
        {"--wait=soon", "--wait: 'soon' is not a duration such as 90s, 15m or 1h30m"},
        {"--wait=0", "--wait: '0' is not a duration such as 90s, 15m or 1h30m"},
        {"--speed=0", "--speed: '0' is not a number above 0"},
        {"--speed=-1", "--speed: '-1' is not a number above 0"},
        {"--speed=inf", "--speed: 'inf' is not a number above 0"},
        {"--speed=2x", "--speed: '2x' is not a number above 0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *words[WORDS_MAX] = {"cmd", cases[i].word};
        struct settings s = {0};
        struct err err = {""};
        int first = 0;
        bool help = false;

        assert_true(options_parse(table, 2, (char **)words, &s, &first, &help, &err) < 0);
        assert_string_equal(err.text, cases[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_fill_the_struct_and_leave_the_operands),
        cmocka_unit_test(what_stands_after_two_dashes_is_an_operand),
        cmocka_unit_test(help_is_an_option_of_every_table),
        cmocka_unit_test(what_is_wrong_is_said_in_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
