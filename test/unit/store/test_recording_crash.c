/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kill -9. A child records as fast as it can and says on a pipe what it was told is committed; it
 * is killed at a moment of chance. The recording then opens as it is, is sound, and holds all that
 * was said, in order and without a hole. Half of the time the next child goes on with the same
 * file.
 */
#include "test/unit/random_obs.h"
#include "test/unit/store/recordings.h"
#include "test/unit/store/scratch.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

enum { KILLS = 20 };

/* Never returns. */
static void record_until_killed(const char *path, uint64_t seed, int said)
{
    struct recording_state rs;
    struct recorder *r = NULL;
    struct err err;
    uint64_t last_said = UINT64_MAX, at_us = 0;
    char room[RANDOM_ROOM];

    if (recorder_open(path, BEGAN_US, &r, &rs, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        _exit(1);
    }
    recorder_set_patience(r, PATIENCE_MS);
    at_us = rs.last_us;
    for (uint64_t seq = rs.last_seq + 1;; seq++) {
        struct obs o = {.seq = seq,
                        .at_us = at_us += random_next(&seed) % 1000,
                        .kind = (enum obs_kind)(random_next(&seed) % OBS_KINDS)};
        uint64_t committed = recorder_committed(r);

        random_fields(&seed, &o, room);
        recorder_put(r, &o);
        if (committed != last_said && write(said, &committed, sizeof(committed)) > 0)
            last_said = committed;
    }
}

/* Lets a child record until it has said something `says` times; returns the last. */
static uint64_t record_and_kill(const char *path, uint64_t seed, unsigned says)
{
    uint64_t committed = 0, next = 0;
    int fds[2], status = 0;

    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        close(fds[0]);
        record_until_killed(path, seed, fds[1]);
    }
    close(fds[1]);
    while (says && read(fds[0], &committed, sizeof(committed)) == sizeof(committed))
        says--;
    assert_int_equal(says, 0);
    kill(pid, SIGKILL);
    while (read(fds[0], &next, sizeof(next)) == sizeof(next))
        committed = next; /* said before it was killed */
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    close(fds[0]);
    return committed;
}

static bool is_next(void *ctx, const struct obs *o)
{
    uint64_t *last = ctx;

    assert_true(o->seq == *last + 1);
    *last = o->seq;
    return true;
}

static int is_ok(void *ok, int columns, char **values, char **names)
{
    (void)names;
    *(bool *)ok = columns == 1 && strcmp(values[0], "ok") == 0;
    return 0;
}

static void assert_sound(const char *path)
{
    sqlite3 *db = NULL;
    bool ok = false;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA integrity_check", is_ok, &ok, NULL), SQLITE_OK);
    assert_true(ok);
    sqlite3_close(db);
}

static void what_was_committed_survives_a_kill(void **state)
{
    uint64_t seed = random_seed(), last = 0;
    struct scratch *dir = *state;
    char name[32] = "";

    for (unsigned i = 0; i < KILLS; i++) {
        if (!i || random_next(&seed) % 2)
            snprintf(name, sizeof(name), "kill-%u.flight", i);

        const char *path = scratch_path(dir, name);
        unsigned says = 1 + (unsigned)(random_next(&seed) % 6);
        uint64_t committed = record_and_kill(path, random_next(&seed), says), damaged = 0;
        struct recording *r = open_to_read(path);
        struct err err;

        last = 0;
        assert_int_equal(recording_replay(r, 0, is_next, &last, &damaged, &err), 0);
        assert_int_equal(damaged, 0);
        assert_true(last >= committed);
        recording_close(r);
        assert_sound(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_committed_survives_a_kill, scratch_make,
                                        scratch_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
