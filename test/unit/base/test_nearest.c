/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/nearest.h"

#include "test/unit/unit.h"

static const char *const words[] = {"title", "says",   "service", "services",
                                    "after", "within", NULL};

static void a_slip_of_the_finger_finds_its_word(void **state)
{
    static const struct {
        const char *typed, *word;
    } cases[] = {
        {"titel", "title"},     /* two letters swapped */
        {"titl", "title"},      /* one dropped */
        {"sayss", "says"},      /* one added */
        {"Title", "title"},     /* case is no difference */
        {"servise", "service"}, /* one changed; services is two away */
        {"witihn", "within"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *found = nearest_word(str_of(cases[i].typed), words);

        assert_non_null(found);
        assert_string_equal(found, cases[i].word);
    }
}

static void another_word_is_no_hint(void **state)
{
    static const char *const typed[] = {"", "x", "burst", "host",
                                        "a very long sentence indeed, too long"};

    (void)state;
    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++)
        assert_null(nearest_word(str_of(typed[i]), words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_of_the_finger_finds_its_word),
        cmocka_unit_test(another_word_is_no_hint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
