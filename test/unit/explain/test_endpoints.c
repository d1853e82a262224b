/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "explain/endpoints.h"

#include "base/url.h"
#include "base/xalloc.h"
#include "test/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static struct endpoints *endpoints_of(const char *const *patterns)
{
    struct endpoints *e = endpoints_create();

    for (; *patterns; patterns++)
        endpoints_add(e, &(struct endpoint){.pattern = str_of(*patterns)});
    endpoints_build(e);
    return e;
}

static void assert_matches(const struct endpoints *e, struct str host, const char *pattern)
{
    const struct endpoint *found = endpoints_match(e, host);
    char *name = found ? str_dup(found->pattern) : NULL;

    assert_int_equal(found != NULL, pattern != NULL);
    if (found)
        assert_string_equal(name, pattern);
    free(name);
}

/* --- the most specific ------------------------------------------------------------------------ */

static void the_most_specific_pattern_wins(void **state)
{
    static const char *const patterns[] = {
        "*.do.dsp.mp.microsoft.com",
        "*.prod.do.dsp.mp.microsoft.com",
        "cp*.prod.do.dsp.mp.microsoft.com",
        "cp801.prod.do.dsp.mp.microsoft.com",
        "cp601-prod.do.dsp.mp.microsoft.com",
        "watson.*.microsoft.com",
        ".telemetry.microsoft.com",
        "store-images.*microsoft.com",
        "*.manage.microsoft.com",
        "fef.*.manage.microsoft.com",
        "r.manage.microsoft.com",
        "wpad",
        "wpad.*",
        "enterpriseenrollment.*",
        "*.x",
        NULL,
    };
    static const struct {
        const char *host, *pattern;
    } cases[] = {
        {"cp801.prod.do.dsp.mp.microsoft.com", "cp801.prod.do.dsp.mp.microsoft.com"},
        {"cp802.prod.do.dsp.mp.microsoft.com", "cp*.prod.do.dsp.mp.microsoft.com"},
        {"geo.prod.do.dsp.mp.microsoft.com", "*.prod.do.dsp.mp.microsoft.com"},
        {"cp601-prod.do.dsp.mp.microsoft.com", "cp601-prod.do.dsp.mp.microsoft.com"},
        {"cp602-prod.do.dsp.mp.microsoft.com", "*.do.dsp.mp.microsoft.com"},
        {"CP802.Prod.DO.dsp.mp.Microsoft.Com.", "cp*.prod.do.dsp.mp.microsoft.com"},
        {"watson.ppe.microsoft.com", "watson.*.microsoft.com"},
        {"watson.telemetry.microsoft.com", "*.telemetry.microsoft.com"}, /* the longer tail */
        {"store-images.s-microsoft.com", "store-images.*microsoft.com"},
        {"fef.msua01.manage.microsoft.com", "fef.*.manage.microsoft.com"},
        {"i.msua01.manage.microsoft.com", "*.manage.microsoft.com"},
        {"r.manage.microsoft.com", "r.manage.microsoft.com"},
        {"r.r.manage.microsoft.com", "*.manage.microsoft.com"},
        {"wpad", "wpad"},
        {"wpad.corp.example", "wpad.*"},
        {"enterpriseenrollment.contoso.com", "enterpriseenrollment.*"},
        {"a.x", "*.x"},
        {"wpad.x", "*.x"}, /* the longer tail */
        {"x", NULL},
        {".x", NULL},
        {"microsoft.com", NULL},
        {"manage.microsoft.com", NULL},
        {"", NULL},
        {".", NULL},
    };
    struct endpoints *e = endpoints_of(patterns);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_matches(e, str_of(cases[i].host), cases[i].pattern);
    endpoints_destroy(e);
}

static void nothing_is_known_without_patterns(void **state)
{
    static const char *const none[] = {NULL};
    struct endpoints *e = endpoints_of(none);

    (void)state;
    assert_matches(e, STR("login.live.com"), NULL);
    assert_int_equal(endpoints_count(e), 0);
    endpoints_destroy(e);
}

static void a_name_of_any_length_is_answered(void **state)
{
    static const char *const patterns[] = {"*", "a*b", NULL};
    struct endpoints *e = endpoints_of(patterns);
    char name[HOST_MAX + 2];

    (void)state;
    memset(name, 'b', sizeof name);
    assert_matches(e, str_from(name, HOST_MAX), "*");
    assert_matches(e, str_from(name, HOST_MAX + 1), NULL);
    name[0] = 'a';
    name[HOST_MAX] = '.';
    assert_matches(e, str_from(name, HOST_MAX + 1), "a*b");
    endpoints_destroy(e);
}

/* --- adding ----------------------------------------------------------------------------------- */

static void what_is_added_again_is_replaced(void **state)
{
    static const char *const ways[] = {"*.a.example", ".a.example", "*.A.Example."};
    struct endpoints *e = endpoints_create();

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        char service[2] = {(char)('x' + i), '\0'}; /* not ours after this round */

        endpoints_add(e, &(struct endpoint){.pattern = str_of(ways[i]),
                                            .service = str_of(service),
                                            .required = REQUIRED_CONDITIONAL});
    }
    endpoints_build(e);
    assert_int_equal(endpoints_count(e), 1);
    assert_true(str_eq(endpoints_at(e, 0)->pattern, STR("*.a.example")));
    assert_true(str_eq(endpoints_match(e, STR("b.a.example"))->service, STR("z")));
    endpoints_destroy(e);
}

static void more_can_be_added_after_building(void **state)
{
    static const char *const first[] = {"*.example", NULL};
    struct endpoints *e = endpoints_of(first);

    (void)state;
    assert_matches(e, STR("b.a.example"), "*.example");
    endpoints_add(e, &(struct endpoint){.pattern = STR("*.a.example")});
    endpoints_build(e);
    assert_matches(e, STR("b.a.example"), "*.a.example");
    assert_matches(e, STR("b.example"), "*.example");
    endpoints_destroy(e);
}

static void services_are_found_by_id_and_listed_in_order(void **state)
{
    struct endpoints *e = endpoints_create();

    (void)state;
    endpoints_add_service(e, &(struct service_info){STR("wns"), STR("Push"), STR("Wakes me.")});
    endpoints_add_service(e, &(struct service_info){STR("ncsi"), STR("Probe"), STR("Asks.")});
    endpoints_add_service(e,
                          &(struct service_info){STR("wns"), STR("Windows push"), STR("Rings.")});
    endpoints_build(e);
    assert_int_equal(endpoints_service_count(e), 2);
    assert_true(str_eq(endpoints_service_at(e, 0)->id, STR("ncsi")));
    assert_true(str_eq(endpoints_service(e, STR("wns"))->title, STR("Windows push")));
    assert_null(endpoints_service(e, STR("wn")));
    endpoints_destroy(e);
}

/* --- the fast matcher and a plain one --------------------------------------------------------- */

static uint64_t random_state;

static unsigned roll(unsigned n)
{
    random_state ^= random_state << 13; /* xorshift64: the same numbers in every run */
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 32) % n;
}

static struct str random_text(char *room, size_t most, const char *letters)
{
    size_t n = 1 + roll((unsigned)most);

    for (size_t i = 0; i < n; i++)
        room[i] = letters[roll((unsigned)strlen(letters))];
    return str_from(room, n);
}

static bool plain_fits(struct str pattern, struct str host)
{
    if (!pattern.n)
        return !host.n;
    if (pattern.p[0] != '*')
        return host.n && pattern.p[0] == ascii_lower(host.p[0]) &&
               plain_fits(str_skip(pattern, 1), str_skip(host, 1));
    for (size_t n = 1; n <= host.n; n++)
        if (plain_fits(str_skip(pattern, 1), str_skip(host, n)))
            return true;
    return false;
}

static size_t tail_length(struct str pattern)
{
    size_t star = str_rfind(pattern, '*');

    return star == pattern.n ? SIZE_MAX : pattern.n - star - 1; /* an exact name comes first */
}

static size_t fixed_length(struct str pattern)
{
    size_t n = 0;

    for (size_t i = 0; i < pattern.n; i++)
        n += pattern.p[i] != '*';
    return n;
}

static bool more_specific(struct str a, struct str b)
{
    if (tail_length(a) != tail_length(b))
        return tail_length(a) > tail_length(b);
    if (fixed_length(a) != fixed_length(b))
        return fixed_length(a) > fixed_length(b);
    return str_cmp(a, b) < 0;
}

static struct str plain_match(const struct endpoints *e, struct str host)
{
    struct str best = {0};

    if (str_ends(host, STR(".")))
        host.n--;
    for (size_t i = 0; i < endpoints_count(e); i++) {
        struct str pattern = endpoints_at(e, i)->pattern;

        if (plain_fits(pattern, host) && (!best.n || more_specific(pattern, best)))
            best = pattern;
    }
    return best;
}

static void the_fast_matcher_answers_as_a_plain_one(void **state)
{
    unsigned matched = 0, unmatched = 0;

    (void)state;
    random_state = 20260101;
    for (unsigned set = 0; set < 300; set++) {
        struct endpoints *e = endpoints_create();
        char room[16];

        for (unsigned i = 0; i < 1 + set % 60; i++)
            endpoints_add(e, &(struct endpoint){.pattern = random_text(room, 10, "ab.ab.ab.**A")});
        endpoints_build(e);
        for (unsigned i = 0; i < 200; i++) {
            struct str host = random_text(room, 12, "ab.abB");
            struct str expected = plain_match(e, host);
            const struct endpoint *found = endpoints_match(e, host);

            if (!str_eq(found ? found->pattern : (struct str){0}, expected))
                fail_msg("'" STR_FMT "': '" STR_FMT "', not '" STR_FMT "'", STR_ARG(host),
                         STR_ARG(expected), STR_ARG(found ? found->pattern : STR("nothing")));
            matched += expected.n > 0;
            unmatched += expected.n == 0;
        }
        endpoints_destroy(e);
    }
    assert_true(matched > 10000 && unmatched > 10000); /* the cases are worth something */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_specific_pattern_wins),
        cmocka_unit_test(nothing_is_known_without_patterns),
        cmocka_unit_test(a_name_of_any_length_is_answered),
        cmocka_unit_test(what_is_added_again_is_replaced),
        cmocka_unit_test(more_can_be_added_after_building),
        cmocka_unit_test(services_are_found_by_id_and_listed_in_order),
        cmocka_unit_test(the_fast_matcher_answers_as_a_plain_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
