/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/recording.h"

#include "base/auto.h"
#include "base/buf.h"
#include "base/xalloc.h"
#include "test/unit/store/random_obs.h"
#include "test/unit/store/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { BEGAN_US = 1700000000 };

static struct recorder *record(const char *path, struct recording_state *ret_state)
{
    struct recorder *r = NULL;
    struct err err = {0};

    if (recorder_open(path, BEGAN_US, &r, ret_state, &err) < 0)
        fail_msg("%s", err.text);
    return r;
}

static void stop(struct recorder *r)
{
    struct err err = {0};

    if (recorder_close(r, &err) < 0)
        fail_msg("%s", err.text);
}

static void put_progress(struct recorder *r, uint64_t seq)
{
    recorder_put(r, &(struct obs){.seq = seq,
                                  .at_us = seq * 1000,
                                  .kind = OBS_FLOW_PROGRESS,
                                  .source = SOURCE_PROXY,
                                  .flow = 7,
                                  .bytes_up = seq});
}

/* A recording of observations 1 to n. */
static void record_some(const char *path, uint64_t n)
{
    struct recording_state state;
    struct recorder *r = record(path, &state);

    for (uint64_t seq = 1; seq <= n; seq++)
        put_progress(r, seq);
    stop(r);
}

/* What a replay handed out, in short. */
struct seen {
    uint64_t count, last_seq, last_us, sum, damaged;
    uint64_t stop_after; /* 0: never */
    struct buf text;     /* one line each, when init'ed */
};

static bool see(void *ctx, const struct obs *o)
{
    struct seen *s = ctx;

    assert_true(o->at_us >= s->last_us);
    s->count++;
    s->last_seq = o->seq;
    s->last_us = o->at_us;
    s->sum += o->bytes_up;
    if (s->text.max)
        buf_printf(&s->text, "%s%llu " STR_FMT "\n", obs_kinds[o->kind].name,
                   (unsigned long long)o->at_us, STR_ARG(o->text));
    return s->count != s->stop_after;
}

static struct recording *open_to_read(const char *path)
{
    struct recording *r = NULL;
    struct err err = {0};

    if (recording_open(path, &r, &err) < 0)
        fail_msg("%s", err.text);
    return r;
}

static void replay(struct recording *r, uint64_t after, struct seen *s)
{
    struct err err = {0};

    s->last_us = 0;
    if (recording_replay(r, after, see, s, &s->damaged, &err) < 0)
        fail_msg("%s", err.text);
}

static struct seen replay_file(const char *path)
{
    struct recording *r = open_to_read(path);
    struct seen s = {0};

    replay(r, 0, &s);
    recording_close(r);
    return s;
}

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

int main(void)
{
#define CLAIM(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        CLAIM(every_kind_comes_back_as_it_was_put),
        CLAIM(any_observations_come_back_as_they_were_put),
        CLAIM(a_closed_recording_is_one_file_and_private),
        CLAIM(a_second_recorder_is_refused_in_one_sentence),
        CLAIM(a_recorder_of_another_process_is_respected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
