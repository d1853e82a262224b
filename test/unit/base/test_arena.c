/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/arena.h"

#include "test/unit/unit.h"

#include <stdalign.h>
#include <string.h>

static void what_it_hands_out_is_zeroed_aligned_and_apart(void **state)
{
    static const size_t sizes[] = {1, 7, 16, 33, 4000, 5000, 1, 100000, 3};
    enum { N = sizeof sizes / sizeof *sizes };
    struct arena *a = arena_create();
    char *given[N];

    (void)state;
    for (size_t i = 0; i < N; i++) {
        given[i] = arena_alloc(a, sizes[i]);
        assert_int_equal((uintptr_t)given[i] % alignof(max_align_t), 0);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(given[i][k], 0);
        memset(given[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(given[i][k], (int)i + 1);
    arena_destroy(a);
}

static void texts_are_copied_and_ended(void **state)
{
    struct arena *a = arena_create();
    char source[] = "word";
    struct str copy = arena_str(a, str_of(source));

    (void)state;
    source[0] = 'W';
    assert_true(str_eq(copy, STR("word")));
    assert_int_equal(copy.p[copy.n], '\0');
    assert_true(str_eq(arena_printf(a, "%s %d", "no.", 7), STR("no. 7")));
    assert_int_equal(arena_str(a, (struct str){0}).n, 0);
    arena_destroy(a);
    arena_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_hands_out_is_zeroed_aligned_and_apart),
        cmocka_unit_test(texts_are_copied_and_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
