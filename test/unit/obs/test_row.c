/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "obs/row.h"

#include "test/unit/random_obs.h"

static void any_observations_come_back_one_behind_the_other(void **state)
{
    enum { ALL = 2000 };
    static struct obs put[ALL];
    static char room[ALL][RANDOM_ROOM];
    uint64_t seed = random_seed();
    struct buf rows;
    struct str rest;
    struct obs_row row;

    (void)state;
    buf_init(&rows, BUF_UNBOUNDED);
    for (size_t i = 0; i < ALL; i++) {
        put[i] = (struct obs){.seq = random_next(&seed),
                              .at_us = random_next(&seed),
                              .flow = random_next(&seed),
                              .device = (uint32_t)random_next(&seed),
                              .kind = (enum obs_kind)(i % OBS_KINDS),
                              .source = (enum obs_source)(i % SOURCE_COUNT)};
        random_fields(&seed, &put[i], room[i]);
        obs_row_put(&rows, &put[i]);
    }
    rest = buf_str(&rows);
    for (size_t i = 0; i < ALL; i++) {
        struct obs back;

        assert_true(obs_row_peek(rest, &row));
        obs_row_read(&row, obs_row_cut(&rest, &row), &back);
        assert_obs_equal(&put[i], &back);
        assert_true(back.seq == put[i].seq && back.at_us == put[i].at_us);
        assert_true(back.flow == put[i].flow && back.device == put[i].device);
        assert_true(back.source == put[i].source);
    }
    assert_false(obs_row_peek(rest, &row));
    buf_finish(&rows);
}

static void what_is_peeked_at_stays(void **state)
{
    struct obs_row first, again;
    struct buf rows;

    (void)state;
    buf_init(&rows, BUF_UNBOUNDED);
    obs_row_put(&rows, &(struct obs){.kind = OBS_NOTE, .at_us = 5, .text = STR("hello")});
    assert_true(obs_row_peek(buf_str(&rows), &first));
    assert_true(obs_row_peek(buf_str(&rows), &again));
    assert_memory_equal(&first, &again, sizeof first);
    assert_true(first.at_us == 5);
    assert_int_equal(first.kind, OBS_NOTE);
    buf_finish(&rows);
}

/* As long as a text may be; the codec cuts what is longer. */
static void no_row_is_longer_than_the_longest(void **state)
{
    static char text[OBS_TEXT_MAX + 100];
    struct buf rows;

    (void)state;
    memset(text, 'x', sizeof text);
    buf_init(&rows, BUF_UNBOUNDED);
    for (unsigned kind = 0; kind < OBS_KINDS; kind++) {
        struct obs o = {.kind = (enum obs_kind)kind, .seq = UINT64_MAX, .at_us = UINT64_MAX};

        for (unsigned i = 0; i < obs_kinds[kind].field_count; i++) {
            enum obs_field field = obs_kinds[kind].fields[i];

            if (obs_fields[field].type == FIELD_STR)
                obs_set_str(&o, field, str_from(text, sizeof text));
            else if (obs_fields[field].type == FIELD_NUM)
                obs_set_num(&o, field, UINT64_MAX);
        }
        buf_clear(&rows);
        obs_row_put(&rows, &o);
        assert_true(rows.n <= OBS_ROW_MAX);
    }
    buf_finish(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_observations_come_back_one_behind_the_other),
        cmocka_unit_test(what_is_peeked_at_stays),
        cmocka_unit_test(no_row_is_longer_than_the_longest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
