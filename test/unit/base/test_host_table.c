/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What it finds among many is in explain/test_endpoints.c, which has the many. */
#include "base/host_table.h"

#include "test/unit/unit.h"

static void the_most_specific_pattern_gives_its_value(void **state)
{
    static const char *const patterns[] = {"*", "*.example", "a*.example", "a.example"};
    static const struct {
        const char *host;
        int found;
    } cases[] = {
        {"a.example", 3}, {"A.EXAMPLE.", 3}, {"ab.example", 2}, {"x.example", 1}, {"other", 0},
    };
    static int values[4];
    struct host_table *t = host_table_create();

    (void)state;
    for (size_t i = 0; i < 4; i++)
        host_table_add(t, str_of(patterns[i]))->value = &values[i];
    host_table_build(t);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_ptr_equal(host_table_match(t, str_of(cases[i].host)), &values[cases[i].found]);
    host_table_destroy(t);
}

static void a_pattern_stands_once(void **state)
{
    static int value;
    struct host_table *t = host_table_create();
    struct host_entry *entry = host_table_add(t, STR(".Example"));

    (void)state;
    assert_null(entry->value);
    entry->value = &value;
    assert_ptr_equal(host_table_add(t, STR("*.example.")), entry);
    host_table_build(t);
    assert_int_equal(host_table_count(t), 1);
    assert_ptr_equal(host_table_at(t, 0), &value);
    host_table_destroy(t);
}

static void an_empty_table_fits_nothing(void **state)
{
    struct host_table *t = host_table_create();

    (void)state;
    host_table_build(t);
    assert_null(host_table_match(t, STR("a.example")));
    assert_null(host_table_match(t, STR("")));
    host_table_destroy(t);
    host_table_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_specific_pattern_gives_its_value),
        cmocka_unit_test(a_pattern_stands_once),
        cmocka_unit_test(an_empty_table_fits_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
