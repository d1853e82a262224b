/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "obs/codec.h"

#include "base/buf.h"
#include "test/unit/random_obs.h"

static void any_fields_come_back_as_they_were(void **state)
{
    uint64_t seed = random_seed();
    char room[RANDOM_ROOM];
    struct buf bytes;

    (void)state;
    buf_init(&bytes, BUF_UNBOUNDED);
    for (unsigned i = 0; i < 50000; i++) {
        struct obs o = {.kind = (enum obs_kind)(i % OBS_KINDS)}, back = {.kind = o.kind};

        random_fields(&seed, &o, room);
        buf_clear(&bytes);
        obs_encode_fields(&o, &bytes);
        assert_true(obs_decode_fields(buf_str(&bytes), &back));
        assert_obs_equal(&o, &back);

        /* Cut anywhere, it is fewer fields or no fields; never a read past the end. */
        obs_decode_fields(str_head(buf_str(&bytes), random_next(&seed) % (bytes.n + 1)), &back);
    }
    buf_finish(&bytes);
}

static void bytes_are_what_recordings_hold(void **state)
{
    static const struct {
        struct obs obs;
        struct str bytes;
    } cases[] = {
        {{.kind = OBS_FLOW_PROGRESS}, {"", 0}}, /* what is empty at the end is left out */
        {{.kind = OBS_FLOW_PROGRESS, .bytes_up = 5}, {"\x05", 1}},
        {{.kind = OBS_FLOW_PROGRESS, .bytes_down = 300}, {"\0\xac\x02", 3}},
        {{.kind = OBS_FLOW_CLOSED, .why = WHY_FINISHED}, {"\0\0\x01", 3}},
        {{.kind = OBS_DNS_QUERY, .name = {"a.b", 3}, .type = {"A", 1}},
         {"\x03"
          "a.b\x01"
          "A",
          6}},
    };
    struct buf bytes;

    (void)state;
    buf_init(&bytes, 64);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        buf_clear(&bytes);
        obs_encode_fields(&cases[i].obs, &bytes);
        assert_true(str_eq(buf_str(&bytes), cases[i].bytes));
    }
    buf_finish(&bytes);
}

static void fields_of_other_versions_are_understood(void **state)
{
    struct obs older = {.kind = OBS_FLOW_CLOSED}, newer = older, odd = older;

    (void)state;
    assert_true(obs_decode_fields(STR("\x05"), &older));
    assert_true(older.bytes_up == 5 && !older.bytes_down && older.why == WHY_NONE);
    assert_true(obs_decode_fields(STR("\x05\x06\x01 and more"), &newer));
    assert_int_equal(newer.why, WHY_FINISHED);
    assert_true(obs_decode_fields(STR("\x05\x06\x7f"), &odd)); /* a word of a newer program */
    assert_int_equal(odd.why, WHY_UNKNOWN);
}

static void bytes_that_are_no_fields_are_refused(void **state)
{
    static const struct str cases[] = {
        STR("\x80"),                                             /* the number is not over */
        STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),         /* nor does it fit */
        STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* eleven bytes */
    };
    struct obs text = {.kind = OBS_NOTE};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct obs o = {.kind = OBS_FLOW_PROGRESS};

        assert_false(obs_decode_fields(cases[i], &o));
    }
    assert_false(obs_decode_fields(STR("\x05"
                                       "four"),
                                   &text));
}

static void a_text_has_a_ceiling(void **state)
{
    static char huge[OBS_TEXT_MAX + 10];
    struct obs o = {.kind = OBS_NOTE, .text = {huge, sizeof(huge)}}, back = {.kind = OBS_NOTE};
    struct buf bytes;

    (void)state;
    buf_init(&bytes, BUF_UNBOUNDED);
    obs_encode_fields(&o, &bytes);
    assert_true(obs_decode_fields(buf_str(&bytes), &back));
    assert_int_equal(back.text.n, OBS_TEXT_MAX);
    buf_finish(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_fields_come_back_as_they_were),
        cmocka_unit_test(bytes_are_what_recordings_hold),
        cmocka_unit_test(fields_of_other_versions_are_understood),
        cmocka_unit_test(bytes_that_are_no_fields_are_refused),
        cmocka_unit_test(a_text_has_a_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
