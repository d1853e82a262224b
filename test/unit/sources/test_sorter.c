/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/unit/unit.h"

#include "sources/imports/sorter.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* What comes out is checked as it comes: in order of time, and of entry where times are equal. */
struct check {
    uint64_t last_us, last_number, n, flow_sum;
};

static void check_order(void *ctx, const struct obs *o)
{
    struct check *c = ctx;

    assert_true(o->at_us >= c->last_us);
    if (c->n && o->at_us == c->last_us)
        assert_true(o->length > c->last_number);
    assert_int_equal(o->kind, OBS_HTTP_REQUEST);
    assert_int_equal(o->source, SOURCE_IMPORT);
    assert_int_equal(o->device, o->length % 7);
    assert_true(str_eq(o->host, STR("host.example")));
    c->last_us = o->at_us;
    c->last_number = o->length;
    c->flow_sum += o->flow;
    c->n++;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static void put_many(struct sorter *s, uint64_t n, uint64_t times)
{
    uint64_t random = 42;

    for (uint64_t i = 1; i <= n; i++)
        assert_int_equal(sorter_put(s,
                                    &(struct obs){.kind = OBS_HTTP_REQUEST,
                                                  .source = SOURCE_IMPORT,
                                                  .at_us = next_random(&random) % times,
                                                  .device = (uint32_t)(i % 7),
                                                  .flow = i,
                                                  .host = STR("host.example"),
                                                  .length = i},
                                    NULL),
                         0);
}

static void all_come_out_in_order(void **state)
{
    static const struct {
        size_t batch_bytes;
        uint64_t n, times;
        bool spills;
    } cases[] = {
        {1 << 20, 1000, 100, false},
        {1 << 20, 1000, 1000000000, false},
        {4000, 1000, 100, true},
        {4000, 1000, 1000000000, true},
        {1, 257, 1000, true},
        {1, 1000, 50, true}, /* more runs than are merged at once */
        {1, 1, 1, true},
        {1, 0, 1, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sorter *s = sorter_create(cases[i].batch_bytes);

        put_many(s, cases[i].n, cases[i].times);
        assert_int_equal(sorter_spilled(s) > 0, cases[i].spills);
        for (int again = 0; again < 2; again++) {
            struct check c = {0};

            assert_int_equal(sorter_emit(s, check_order, &c, NULL), 0);
            assert_int_equal(c.n, cases[i].n);
            assert_int_equal(c.flow_sum, cases[i].n * (cases[i].n + 1) / 2);
        }
        sorter_destroy(s);
    }
}

static void check_text(void *ctx, const struct obs *o)
{
    uint64_t *n = ctx;
    size_t want = *n % 2 ? 60000 : 3;

    assert_int_equal(o->text.n, want);
    for (size_t i = 0; i < want; i++)
        assert_int_equal(o->text.p[i], 'a' + (char)(*n % 26));
    ++*n;
}

static void texts_longer_than_a_chunk_survive_the_file(void **state)
{
    struct sorter *s = sorter_create(100000);
    char *text = malloc(60000);
    uint64_t n = 0;

    (void)state;
    for (uint64_t i = 0; i < 40; i++) {
        memset(text, 'a' + (int)(i % 26), 60000);
        sorter_put(s,
                   &(struct obs){.kind = OBS_NOTE, .at_us = i, .text = {text, i % 2 ? 60000 : 3}},
                   NULL);
    }
    assert_true(sorter_spilled(s) > 2);
    assert_int_equal(sorter_emit(s, check_text, &n, NULL), 0);
    assert_int_equal(n, 40);
    free(text);
    sorter_destroy(s);
}

static void a_place_that_cannot_be_written_is_named(void **state)
{
    struct sorter *s = sorter_create(1);
    struct err err = {0};

    (void)state;
    setenv("TMPDIR", "/nonexistent", 1);
    assert_true(sorter_put(s, &(struct obs){.kind = OBS_NOTE, .text = STR("x")}, &err) < 0);
    unsetenv("TMPDIR");
    assert_non_null(strstr(err.text, "/nonexistent: cannot make a temporary file"));
    sorter_destroy(s);
}

/* A limit on the size of files stands for a disk that is full. */
static void a_disk_that_is_full_is_told(void **state)
{
    struct sorter *s = sorter_create(10000);
    struct rlimit before, little;
    struct err err = {0};
    int r = 0;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = (struct rlimit){.rlim_cur = 100000, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    for (uint64_t i = 0; i < 10000 && !r; i++)
        r = sorter_put(s, &(struct obs){.kind = OBS_NOTE, .at_us = i, .text = STR("note")}, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);

    assert_true(r < 0);
    assert_non_null(strstr(err.text, ": cannot write a temporary file: File too large"));
    sorter_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_come_out_in_order),
        cmocka_unit_test(texts_longer_than_a_chunk_survive_the_file),
        cmocka_unit_test(a_disk_that_is_full_is_told),
        cmocka_unit_test(a_place_that_cannot_be_written_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
