/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/recording.h"

#include "base/auto.h"
#include "base/xalloc.h"
#include "test/unit/random_obs.h"
#include "test/unit/store/recordings.h"
#include "test/unit/store/scratch.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Round trips. */

struct expected {
    const struct obs *obs;
    size_t next;
};

static bool expect(void *ctx, const struct obs *o)
{
    struct expected *e = ctx;

    assert_obs_equal(&e->obs[e->next++], o);
    return true;
}

static void assert_kept(const char *path, const struct obs *obs, size_t n)
{
    struct recording_state state;
    struct recorder *recorder = record(path, &state);
    struct expected e = {.obs = obs};
    uint64_t damaged = 1;
    struct err err = {0};

    for (size_t i = 0; i < n; i++)
        recorder_put(recorder, &obs[i]);
    stop(recorder);

    struct recording *r = open_to_read(path);
    assert_int_equal(recording_replay(r, 0, expect, &e, &damaged, &err), 0);
    assert_int_equal(e.next, n);
    assert_int_equal(damaged, 0);
    assert_true(recording_began_wall_us(r) == BEGAN_US);
    assert_true(str_eq(recording_program(r), STR(FLIGHTSTRIP_VERSION)));
    recording_close(r);
}

static void every_kind_comes_back_as_it_was_put(void **state)
{
    struct scratch *dir = *state;
    struct obs all[OBS_KINDS] = {0};

    for (unsigned k = 0; k < OBS_KINDS; k++) {
        all[k] = (struct obs){.seq = k + 1,
                              .at_us = k * 1000003ull,
                              .kind = (enum obs_kind)k,
                              .source = (enum obs_source)(k % SOURCE_COUNT),
                              .device = k * 7,
                              .flow = k * 1000003ull};
        for (unsigned i = 0; i < obs_kinds[k].field_count; i++) {
            enum obs_field field = obs_kinds[k].fields[i];

            if (obs_fields[field].type == FIELD_STR)
                obs_set_str(&all[k], field, str_of(obs_fields[field].says));
            else
                obs_set_num(&all[k], field, i + 1);
        }
    }
    assert_kept(scratch_path(dir, "kinds.flight"), all, OBS_KINDS);
}

static void any_observations_come_back_as_they_were_put(void **state)
{
    enum { N = 20000 };
    struct scratch *dir = *state;
    uint64_t seed = random_seed(), at_us = 0, seq = 0;
    AUTO(auto_free) struct obs *all = xalloc(N * sizeof(*all));
    AUTO(auto_free) char *room = xalloc((size_t)N * RANDOM_ROOM);

    for (size_t i = 0; i < N; i++) {
        at_us += random_next(&seed) % 100000;
        seq += random_next(&seed) % 10 ? 1 : 1 + random_next(&seed) % 1000;
        all[i] = (struct obs){.seq = seq,
                              .at_us = at_us,
                              .kind = (enum obs_kind)(random_next(&seed) % OBS_KINDS),
                              .source = (enum obs_source)(random_next(&seed) % SOURCE_COUNT),
                              .device = (uint32_t)random_number(&seed),
                              .flow = random_number(&seed)};
        random_fields(&seed, &all[i], room + i * RANDOM_ROOM);
    }
    assert_kept(scratch_path(dir, "any.flight"), all, N);
}

/* One file, and who may open it. */

static void a_closed_recording_is_one_file_and_private(void **state)
{
    struct scratch *dir = *state;
    const char *path = scratch_path(dir, "one.flight");
    struct stat st;

    record_some(path, 3000);
    assert_int_equal(scratch_count(dir), 1);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(replay_file(path).count, 3000);
    assert_int_equal(scratch_count(dir), 1);
}

static void a_second_recorder_is_refused_in_one_sentence(void **state)
{
    struct scratch *dir = *state;
    const char *path = scratch_path(dir, "two.flight");
    struct recording_state rs;
    struct recorder *first = record(path, &rs), *second = NULL;
    struct err err = {0};

    assert_int_equal(recorder_open(path, BEGAN_US, &second, &rs, &err), -EBUSY);
    assert_null(second);
    assert_non_null(strstr(err.text, "two.flight: is being recorded already"));

    put_progress(first, 1);
    stop(first);
    assert_int_equal(replay_file(path).count, 1);

    first = record(path, &rs);
    assert_true(rs.last_seq == 1);
    stop(first);
}

/* Another process that records into the file until its end of the socket is closed. */
static pid_t record_elsewhere(const char *path, int *ret_fd)
{
    int fds[2];
    char byte = 0;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        struct recording_state rs;
        struct recorder *r = NULL;
        struct err err;

        close(fds[0]);
        if (recorder_open(path, BEGAN_US, &r, &rs, &err) < 0)
            _exit(1);
        put_progress(r, rs.last_seq + 1);
        if (write(fds[1], "", 1) != 1 || read(fds[1], &byte, 1) != 0)
            _exit(1);
        _exit(recorder_close(r, &err) < 0);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    *ret_fd = fds[0];
    return pid;
}

static void assert_exits_well(pid_t pid)
{
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_recorder_of_another_process_is_respected(void **state)
{
    struct scratch *dir = *state;
    const char *path = scratch_path(dir, "elsewhere.flight");
    struct recording_state rs;
    struct recorder *r = NULL;
    struct err err = {0};
    int fd = -1;
    pid_t pid = record_elsewhere(path, &fd);

    assert_int_equal(recorder_open(path, BEGAN_US, &r, &rs, &err), -EBUSY);
    assert_true(recording_is(path));
    close(fd);
    assert_exits_well(pid);
    stop(record(path, &rs));
    assert_true(rs.last_seq == 1);
}

/* Going on where it stopped. */

static void collect(void *ctx, const struct obs *o)
{
    struct obs *last = ctx;

    *last = *o;
}

static void a_continued_recording_goes_on_after_a_gap(void **state)
{
    struct scratch *dir = *state;
    const char *path = scratch_path(dir, "again.flight");
    struct recording_state rs;
    struct stream stream;
    struct clock clock;
    struct obs last;

    record_some(path, 10);
    struct recorder *r = record(path, &rs);
    assert_true(rs.began_wall_us == BEGAN_US);
    assert_true(rs.last_seq == 10);
    assert_true(rs.last_us == 10000);
    assert_true(rs.last_flow == 7);

    clock_init_held(&clock, BEGAN_US);
    clock_resume(&clock, 5000000, rs.began_wall_us);
    stream_init(&stream, &clock);
    stream_add_sink(&stream, recorder_put, r);
    stream_add_sink(&stream, collect, &last);
    recording_state_resume(&rs, &stream);
    assert_int_equal(last.kind, OBS_GAP);
    assert_true(last.seq == 11);
    assert_true(last.at_us == 10000);
    assert_true(last.ms == 4990);
    assert_true(stream_next_flow(&stream) == 8);
    assert_true(stream_put(&stream, &(struct obs){.kind = OBS_FLOW_OPENED}) == 12);
    stop(r);

    struct seen s = replay_file(path);
    assert_int_equal(s.count, 12);
    assert_true(s.last_us == 5000000);
}

static void a_new_recording_has_no_gap(void **state)
{
    struct scratch *dir = *state;
    struct recording_state rs;
    struct recorder *r = record(scratch_path(dir, "new.flight"), &rs);
    struct stream stream;

    stream_init(&stream, NULL);
    stream_add_sink(&stream, recorder_put, r);
    recording_state_resume(&rs, &stream);
    assert_true(stream.last_seq == 0);
    stop(r);
}

/* Committed in time. */

static void wait_until_committed(struct recorder *r, uint64_t seq)
{
    while (recorder_committed(r) < seq)
        sched_yield();
}

static void a_flush_leaves_nothing_to_commit(void **state)
{
    struct scratch *dir = *state;
    struct recording_state rs;
    struct recorder *r = record(scratch_path(dir, "flush.flight"), &rs);

    assert_int_equal(recorder_flush(r, NULL), 0); /* nothing is there yet */
    for (uint64_t seq = 1; seq <= 5000; seq += 1 + seq % 3) {
        recorder_put(r, &(struct obs){.kind = OBS_NOTE, .seq = seq, .source = SOURCE_PERSON});
        if (seq % 7)
            continue;
        assert_int_equal(recorder_flush(r, NULL), 0);
        assert_true(recorder_committed(r) == seq);
    }
    stop(r);
}

static void a_trickle_is_committed_without_more_to_follow(void **state)
{
    struct scratch *dir = *state;
    const char *path = scratch_path(dir, "trickle.flight");
    struct recording_state rs;
    struct recorder *r = record(path, &rs);

    for (uint64_t seq = 1; seq <= 3; seq++) {
        put_progress(r, seq);
        wait_until_committed(r, seq); /* or the test never ends */
        assert_int_equal(replay_file(path).count, seq);
    }
    stop(r);
}

/* Two batches of 4 MiB (recorder.c), in which a row takes more than 40 bytes. */
static void what_is_not_committed_is_bounded(void **state)
{
    enum { ROWS_MAX = 2 * (4 << 20) / 40 };
    struct scratch *dir = *state;
    struct recording_state rs;
    struct recorder *r = record(scratch_path(dir, "bounded.flight"), &rs);

    for (uint64_t seq = 1; seq <= 4 * ROWS_MAX; seq++) {
        put_progress(r, seq);
        assert_true(seq - recorder_committed(r) <= ROWS_MAX);
    }
    stop(r);
}

/* Another program that writes where it should not. */

static void meddle(const char *path, const char *sql)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_busy_timeout(db, INT_MAX), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void others_rows_do_not_take_our_numbers(void **state)
{
    enum { ALL = 40 * 41 / 2 };
    static const struct {
        const char *sql;
        uint64_t count, sum; /* of what is there in the end, and of the numbers that were put */
    } cases[] = {
        {"INSERT INTO observation SELECT 4, at_us, kind, source, device, flow, fields"
         " FROM observation WHERE seq = 3",
         40, ALL},
        {"INSERT INTO observation SELECT 30, at_us, kind, source, device, flow, fields"
         " FROM observation WHERE seq = 3",
         40, ALL},
        {"INSERT INTO observation SELECT 1000, 1000000, kind, source, device, flow, fields"
         " FROM observation WHERE seq = 3",
         41, ALL + 3},
        {"DELETE FROM observation WHERE seq = 3", 39, ALL - 3},
        {"DELETE FROM observation", 37, ALL - 6},
    };
    struct scratch *dir = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = scratch_path(dir, "meddled.flight");
        struct recording_state rs;
        struct recorder *r = record(path, &rs);
        uint64_t seq = 0;

        while (seq < 3)
            put_progress(r, ++seq);
        wait_until_committed(r, seq);
        meddle(path, cases[i].sql);
        while (seq < 20)
            put_progress(r, ++seq);
        wait_until_committed(r, seq); /* or the test never ends */
        while (seq < 40)
            put_progress(r, ++seq);
        stop(r);

        struct seen s = replay_file(path);
        assert_true(s.count == cases[i].count && s.sum == cases[i].sum);
        assert_true(s.last_seq == (s.count > 40 ? 1000 : 40));
        unlink(path);
    }
}

/* Reading while it is written. */

static void a_recording_is_read_while_it_is_written(void **state)
{
    struct scratch *dir = *state;
    const char *path = scratch_path(dir, "live.flight");
    struct recording_state rs;
    struct recorder *recorder = record(path, &rs);
    struct recording *reader = open_to_read(path);
    struct seen s = {0};
    uint64_t seq = 0;

    while (s.last_seq < 50000) {
        for (unsigned i = 0; i < 500; i++)
            put_progress(recorder, ++seq);
        replay(reader, s.last_seq, &s);
        assert_true(s.count == s.last_seq); /* none is missing, none comes twice */
    }
    stop(recorder);
    replay(reader, s.last_seq, &s);
    assert_true(s.last_seq == seq && s.count == seq);
    recording_close(reader);
    assert_int_equal(scratch_count(dir), 1);
}

struct put_while_reading {
    struct recorder *recorder;
    uint64_t put_seq, seen_seq;
};

static bool put_more(void *ctx, const struct obs *o)
{
    struct put_while_reading *p = ctx;

    assert_true(o->seq == ++p->seen_seq);
    for (unsigned i = 0; i < 40 && p->put_seq < 100000; i++)
        put_progress(p->recorder, ++p->put_seq);
    wait_until_committed(p->recorder, o->seq + 1);
    return o->seq < 5000;
}

static void a_recorder_does_not_wait_for_a_reader(void **state)
{
    struct scratch *dir = *state;
    const char *path = scratch_path(dir, "slow-reader.flight");
    struct recording_state rs;
    struct put_while_reading p = {.recorder = record(path, &rs)};
    struct recording *reader = open_to_read(path);
    uint64_t damaged = 0;
    struct err err;

    put_progress(p.recorder, ++p.put_seq);
    wait_until_committed(p.recorder, 1);
    assert_int_equal(recording_replay(reader, 0, put_more, &p, &damaged, &err), 0);
    assert_true(p.put_seq == 100000 && p.seen_seq == 5000);
    recording_close(reader);
    stop(p.recorder);
}

static void a_replay_begins_and_stops_where_it_is_told(void **state)
{
    struct scratch *dir = *state;
    const char *path = scratch_path(dir, "part.flight");
    struct seen s = {.stop_after = 5};

    record_some(path, 20000);
    struct recording *r = open_to_read(path);
    replay(r, 9000, &s);
    assert_int_equal(s.count, 5);
    assert_true(s.last_seq == 9005);
    s = (struct seen){0};
    replay(r, 19998, &s);
    assert_int_equal(s.count, 2);
    s = (struct seen){0};
    replay(r, 20000, &s);
    assert_int_equal(s.count, 0);
    recording_close(r);
}

/* What stands beside the observations. */

static void note(const char *path, uint64_t at_us, const char *text)
{
    struct err err;

    if (recording_add_note(path, at_us, str_of(text), NULL, &err) < 0)
        fail_msg("%s", err.text);
}

static void assert_replay_says(const char *path, uint64_t after, const char *expected)
{
    struct recording *r = open_to_read(path);
    struct seen s = {0};

    buf_init(&s.text, BUF_UNBOUNDED);
    replay(r, after, &s);
    buf_put_byte(&s.text, 0);
    assert_string_equal(s.text.p, expected);
    buf_finish(&s.text);
    recording_close(r);
}

static void notes_are_merged_by_their_time(void **state)
{
    struct scratch *dir = *state;
    const char *path = scratch_path(dir, "notes.flight");

    record_some(path, 3); /* at 1000, 2000 and 3000 */
    note(path, 9000, "after all");
    note(path, 2000, "with the second");
    note(path, 2500, "between, first");
    note(path, 2500, "between, second");
    note(path, 0, "before all");
    assert_replay_says(path, 0,
                       "note0 before all\n"
                       "flow-progress1000 \n"
                       "flow-progress2000 \n"
                       "note2000 with the second\n"
                       "note2500 between, first\n"
                       "note2500 between, second\n"
                       "flow-progress3000 \n"
                       "note9000 after all\n");
    assert_replay_says(path, 2,
                       "note2000 with the second\n"
                       "note2500 between, first\n"
                       "note2500 between, second\n"
                       "flow-progress3000 \n"
                       "note9000 after all\n");
    assert_replay_says(path, 3, "note9000 after all\n");
}

static bool check_note(void *ctx, const struct obs *o)
{
    uint64_t *last_note = ctx;

    if (o->kind == OBS_NOTE) {
        assert_true(o->seq >= RECORDING_NOTE_SEQ && o->seq != *last_note);
        assert_int_equal(o->source, SOURCE_PERSON);
        *last_note = o->seq;
    }
    return true;
}

static void a_note_is_added_while_it_is_recorded(void **state)
{
    struct scratch *dir = *state;
    const char *path = scratch_path(dir, "noted.flight");
    struct recording_state rs;
    struct recorder *recorder = record(path, &rs);
    uint64_t last_note = 0, damaged = 0, seq = 0;
    struct err err;

    for (unsigned i = 0; i < 20; i++) {
        for (unsigned k = 0; k < 1500; k++)
            put_progress(recorder, ++seq);
        note(path, i, "said meanwhile");
    }
    stop(recorder);
    assert_int_equal(scratch_count(dir), 1);
    assert_int_equal(replay_file(path).count, seq + 20);

    struct recording *r = open_to_read(path);
    assert_int_equal(recording_replay(r, 0, check_note, &last_note, &damaged, &err), 0);
    assert_true(last_note == RECORDING_NOTE_SEQ + 20);
    recording_close(r);

    recorder = record(path, &rs);
    assert_true(rs.last_seq == seq); /* a note takes no seq of the stream */
    stop(recorder);
}

static void the_knowledge_is_noted(void **state)
{
    struct scratch *dir = *state;
    const char *path = scratch_path(dir, "knowledge.flight");
    struct recording_state rs;
    struct recorder *recorder = record(path, &rs);
    struct err err;

    struct recording *r = open_to_read(path);
    assert_true(recording_knowledge(r) == 0);
    recording_close(r);
    assert_int_equal(recording_set_knowledge(path, UINT64_MAX - 1, &err), 0);
    stop(recorder);
    r = open_to_read(path);
    assert_true(recording_knowledge(r) == UINT64_MAX - 1);
    recording_close(r);
}

static void a_file_that_was_taken_away_is_said_at_the_end(void **state)
{
    struct scratch *dir = *state;
    const char *path = scratch_path(dir, "gone.flight");
    struct recording_state rs;
    struct recorder *r = record(path, &rs);
    struct err err = {0};

    put_progress(r, 1);
    unlink(path);
    assert_int_equal(recorder_close(r, &err), -ENOENT);
    assert_non_null(strstr(err.text, "gone.flight: was removed"));
}

int main(void)
{
#define CLAIM(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        CLAIM(every_kind_comes_back_as_it_was_put),
        CLAIM(any_observations_come_back_as_they_were_put),
        CLAIM(a_closed_recording_is_one_file_and_private),
        CLAIM(a_second_recorder_is_refused_in_one_sentence),
        CLAIM(a_recorder_of_another_process_is_respected),
        CLAIM(a_continued_recording_goes_on_after_a_gap),
        CLAIM(a_new_recording_has_no_gap),
        CLAIM(a_flush_leaves_nothing_to_commit),
        CLAIM(a_trickle_is_committed_without_more_to_follow),
        CLAIM(what_is_not_committed_is_bounded),
        CLAIM(others_rows_do_not_take_our_numbers),
        CLAIM(a_recording_is_read_while_it_is_written),
        CLAIM(a_recorder_does_not_wait_for_a_reader),
        CLAIM(a_replay_begins_and_stops_where_it_is_told),
        CLAIM(notes_are_merged_by_their_time),
        CLAIM(a_note_is_added_while_it_is_recorded),
        CLAIM(the_knowledge_is_noted),
        CLAIM(a_file_that_was_taken_away_is_said_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
