/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/host_pattern.h"

#include "test/unit/unit.h"

#include <string.h>

static void a_star_is_one_character_or_more(void **state)
{
    static const struct {
        const char *pattern, *host;
        bool fits;
    } cases[] = {
        {"a.example", "a.example", true},
        {"a.example", "b.example", false},
        {"a.example", "a.example.org", false},
        {"a.example", "xa.example", false},
        {"a.example", "A.EXAMPLE", true},
        {"A.Example", "a.example", true},
        {"a.example", "a.example.", true},
        {"a.example.", "a.example", true},
        {"a.example", "a.example..", false},
        {"*.example", "a.example", true},
        {"*.example", "a.b.example", true},
        {"*.example", ".example", false},
        {"*.example", "example", false},
        {".example", "a.example", true},
        {".example", "a.b.EXAMPLE.", true},
        {".example", ".example", false},
        {".example", "example", false},
        {".a*.b", "x.ay.b", true},
        {".a*.b", ".ay.b", false},
        {"cp*.prod.do.example", "cp801.prod.do.example", true},
        {"cp*.prod.do.example", "cp.prod.do.example", false},
        {"cp*.prod.do.example", "cp601-prod.do.example", false},
        {"cp*.prod.do.example", "xcp801.prod.do.example", false},
        {"watson.*.example", "watson.telemetry.example", true},
        {"watson.*.example", "watson.example", false},
        {"watson.*.example", "watson..example", false},
        {"wpad.*", "wpad.corp.example", true},
        {"wpad.*", "wpad", false},
        {"wpad.*", "wpad.", false},
        {"store-images.*example", "store-images.s-example", true},
        {"store-images.*example", "store-images.example", false},
        {"a*b*c", "axbxbxc", true},
        {"a*b*c", "axbc", false},
        {"*b*", "abb", true},
        {"*b*", "bb", false},
        {"**.x", "ab.x", true},
        {"**.x", "a.x", false},
        {"*", "x", true},
        {"*", "", false},
        {"", "", true},
        {"", "x", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (host_pattern_fits(str_of(cases[i].pattern), str_of(cases[i].host)) != cases[i].fits)
            fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].host);
}

static void what_is_no_pattern_says_why(void **state)
{
    static const struct {
        const char *pattern, *why;
    } cases[] = {
        {"a.example", NULL},
        {"*.example", NULL},
        {"cp*.a_b-c.example.", NULL},
        {"*", NULL},
        {"192.0.2.7", NULL},
        {"b\xc3\xbch.example", NULL},
        {"", "a host is expected here"},
        {"https://a.example", "a host is a name alone, without https://, port or path"},
        {"a.example:443", "a host is a name alone, without https://, port or path"},
        {"a b", "a host name has letters, digits, '-', '_' and '.', and '*' for any text"},
        {"a..b", "'..' and '**' fit nothing that '.' and '*' do not say"},
        {"**.b", "'..' and '**' fit nothing that '.' and '*' do not say"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = host_pattern_complaint(str_of(cases[i].pattern));

        if (!why != !cases[i].why || (why && strcmp(why, cases[i].why) != 0))
            fail_msg("'%s': %s", cases[i].pattern, why ? why : "taken");
    }
}

static void a_pattern_of_stars_and_dots_fits_all(void **state)
{
    (void)state;
    assert_true(host_pattern_fits_all(STR("*")));
    assert_true(host_pattern_fits_all(STR("*.*")));
    assert_false(host_pattern_fits_all(STR("*.x")));
}

static void patterns_that_mean_the_same_are_written_the_same(void **state)
{
    static const char *const spellings[] = {".A.Example", "*.a.example.", "*.a.EXAMPLE"};
    struct arena *a = arena_create();

    (void)state;
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        assert_true(str_eq(host_pattern_normal(a, str_of(spellings[i])), STR("*.a.example")));
    arena_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_star_is_one_character_or_more),
        cmocka_unit_test(what_is_no_pattern_says_why),
        cmocka_unit_test(a_pattern_of_stars_and_dots_fits_all),
        cmocka_unit_test(patterns_that_mean_the_same_are_written_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
