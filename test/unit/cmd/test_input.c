/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/input.h"

#include "base/buf.h"
#include "obs/codec.h"
#include "report/export.h"
#include "store/recording.h"
#include "test/unit/store/scratch.h"

#include <stdio.h>

#define BEGAN_US 1767225600123456ull

static void put_json_line(void *out, const struct obs *o)
{
    struct json j;

    json_init(&j, out, false);
    obs_put_json(&j, o);
    buf_put_byte(out, '\n');
}

/* All that an input says, one observation a line. */
static struct buf replayed(struct input *in)
{
    struct err err = {0};
    struct buf out;

    buf_init(&out, BUF_UNBOUNDED);
    if (input_replay(in, put_json_line, &out, &err))
        fail_msg("%s", err.text);
    buf_put_byte(&out, '\0');
    return out;
}

static struct input *opened(const char *path)
{
    struct input *in = NULL;
    struct err err = {0};

    if (input_open(path, &in, &err))
        fail_msg("%s", err.text);
    return in;
}

static void record_a_run(const char *path)
{
    struct recording_state state;
    struct recorder *recorder = NULL;
    struct stream stream;

    assert_int_equal(recorder_open(path, BEGAN_US, &recorder, &state, NULL), 0);
    stream_init(&stream, NULL);
    stream_add_sink(&stream, recorder_put, recorder);
    stream_put(&stream, &(struct obs){.kind = OBS_DEVICE_SEEN,
                                      .source = SOURCE_PROXY,
                                      .at_us = 5,
                                      .device = 1,
                                      .client = STR("192.0.2.7"),
                                      .name = STR("Desk")});
    for (uint64_t i = 1; i <= 3; i++)
        stream_put(&stream, &(struct obs){.kind = OBS_FLOW_OPENED,
                                          .source = SOURCE_PROXY,
                                          .at_us = i * 1000000,
                                          .device = 1,
                                          .flow = stream_next_flow(&stream),
                                          .client = STR("192.0.2.7:50000"),
                                          .host = STR("host.example"),
                                          .port = 443,
                                          .how = HOW_CONNECT});
    stream_put(&stream, &(struct obs){.kind = OBS_FLOW_CLOSED,
                                      .source = SOURCE_PROXY,
                                      .at_us = 4000000,
                                      .device = 1,
                                      .flow = 2,
                                      .bytes_down = 9,
                                      .why = WHY_SERVER_RESET});
    assert_int_equal(recorder_close(recorder, NULL), 0);
}

/* The recording as NDJSON, in a file beside it. */
static void write_ndjson(struct input *in, const char *path)
{
    FILE *f = fopen(path, "w");
    struct buf out;
    struct err err;

    buf_init(&out, BUF_UNBOUNDED);
    void *exporter = export_ndjson.create(&out, input_began_wall_us(in));
    assert_int_equal(input_replay(in, export_ndjson.put, exporter, &err), 0);
    export_ndjson.finish(exporter);
    assert_non_null(f);
    assert_int_equal(fwrite(out.p, 1, out.n, f), out.n);
    assert_int_equal(fclose(f), 0);
    buf_finish(&out);
}

static void a_recording_and_its_ndjson_say_the_same(void **state)
{
    const char *path = scratch_path(*state, "run.flight");
    const char *copy = scratch_path(*state, "run.ndjson");

    record_a_run(path);

    struct input *recording = opened(path);
    write_ndjson(recording, copy);

    struct input *import = opened(copy);
    struct buf want = replayed(recording), got = replayed(import), again = replayed(import);

    assert_non_null(strstr(want.p, "\"seq\":5,"));
    assert_string_equal(got.p, want.p);
    assert_string_equal(again.p, want.p);
    assert_string_equal(input_kind(recording), "recording");
    assert_string_equal(input_kind(import), "NDJSON of observations");
    assert_int_equal(input_began_wall_us(recording), BEGAN_US);
    assert_int_equal(input_began_wall_us(import), BEGAN_US);
    input_close(recording);
    input_close(import);
    buf_finish(&want);
    buf_finish(&got);
    buf_finish(&again);
}

static void what_cannot_be_opened_is_named(void **state)
{
    const char *path = scratch_path(*state, "nothing");
    struct input *in = NULL;
    struct err err = {0};

    assert_true(input_open(path, &in, &err) < 0);
    assert_true(str_starts(str_of(err.text), str_of(path)));
    assert_null(in);
    input_close(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_recording_and_its_ndjson_say_the_same, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(what_cannot_be_opened_is_named, scratch_make,
                                        scratch_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
