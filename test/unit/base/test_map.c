/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/map.h"

#include "base/buf.h"
#include "test/unit/random_obs.h"

enum { KEYS = 500, STEPS = 200000 };

/* Any sequence of puts and removals leaves what an array of all keys would. */
static void a_map_holds_what_was_put_and_not_removed(void **state)
{
    uint64_t seed = random_seed(), key = 0;
    void *expected[KEYS] = {0}, *value;
    struct map m = {0};
    size_t n = 0, at = 0;

    (void)state;
    for (unsigned i = 0; i < STEPS; i++) {
        size_t k = random_next(&seed) % KEYS;

        if (random_next(&seed) % 2) {
            n += !expected[k];
            expected[k] = &expected[i % KEYS];
            map_put(&m, k << 40, expected[k]);
        } else {
            n -= !!expected[k];
            assert_ptr_equal(map_remove(&m, k << 40), expected[k]);
            expected[k] = NULL;
        }
        assert_int_equal(m.n, n);
        k = random_next(&seed) % KEYS;
        assert_ptr_equal(map_get(&m, k << 40), expected[k]);
    }
    while ((value = map_next(&m, &at, &key))) {
        assert_ptr_equal(value, expected[key >> 40]);
        n--;
    }
    assert_int_equal(n, 0);
    map_finish(&m);
    assert_null(map_get(&m, 0));
}

static void a_str_map_keeps_its_own_keys(void **state)
{
    static int values[KEYS];
    struct str_map m = {0};
    struct str key;
    char text[16];
    size_t at = 0, n = 0;

    (void)state;
    for (unsigned i = 0; i < KEYS; i++) {
        snprintf(text, sizeof(text), "key %u", i);
        str_map_put(&m, str_of(text), &values[0]);
        str_map_put(&m, str_of(text), &values[i]); /* the later one holds */
    }
    for (unsigned i = 0; i < KEYS; i++) {
        snprintf(text, sizeof(text), "key %u", i);
        assert_ptr_equal(str_map_get(&m, str_of(text)), &values[i]);
    }
    assert_null(str_map_get(&m, STR("key")));
    assert_null(str_map_get(&m, STR("")));
    str_map_put(&m, STR(""), &values[1]);
    assert_ptr_equal(str_map_get(&m, STR("")), &values[1]);
    while (str_map_next(&m, &at, &key))
        n++;
    assert_int_equal(n, KEYS + 1);
    str_map_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_holds_what_was_put_and_not_removed),
        cmocka_unit_test(a_str_map_keeps_its_own_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
