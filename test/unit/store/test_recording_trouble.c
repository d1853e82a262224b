/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A disk that is full: traffic goes on, the file stays whole, what is lost is said. The disk is one
 * on which this process may write no more (RLIMIT_FSIZE), and, where the test may mount one, a
 * small tmpfs.
 */
#include "test/unit/store/recordings.h"
#include "test/unit/store/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

/* What the file should hold in the end: every seq once, in a row of its own or within a gap. */
struct account {
    uint64_t next_seq, lost, gaps;
};

static bool settle(void *ctx, const struct obs *o)
{
    struct account *a = ctx;

    assert_true(o->seq == a->next_seq);
    a->next_seq = o->seq + 1;
    if (o->kind == OBS_GAP) {
        uint64_t count = strtoull(o->text.p, NULL, 10);

        assert_int_equal(o->source, SOURCE_RECORDER);
        assert_true(o->ms == (count - 1)); /* they were a millisecond apart */
        a->next_seq = o->seq + count;
        a->lost += count;
        a->gaps++;
    }
    return true;
}

static struct account settle_file(const char *path)
{
    struct recording *r = open_to_read(path);
    struct account a = {.next_seq = 1};
    uint64_t damaged = 0;
    struct err err = {0};

    if (recording_replay(r, 0, settle, &a, &damaged, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(damaged, 0);
    recording_close(r);
    return a;
}

/* Puts until the recorder has lost some, which it says; no put waits for ever. */
static uint64_t put_until_lost(struct recorder *r, uint64_t seq, int expected)
{
    struct err err = {0};
    uint64_t lost = 0;
    int trouble;

    do
        put_progress(r, ++seq);
    while ((trouble = recorder_trouble(r, &lost, &err)) == 0 || lost < 1000);
    assert_int_equal(trouble, expected);
    assert_non_null(strstr(err.text, "full.flight: cannot "));
    return seq;
}

static uint64_t put_until_well(struct recorder *r, uint64_t seq)
{
    uint64_t lost = 0;

    while (recorder_trouble(r, &lost, NULL))
        sched_yield();
    for (unsigned i = 0; i < 1000; i++)
        put_progress(r, ++seq);
    return seq;
}

struct disk {
    void (*fill)(struct disk *d); /* from now on a recording has little room */
    void (*make_room)(struct disk *d);
    int error; /* what a write then fails with */
    const char *path, *ballast;
    struct rlimit room;
};

static void survive_a_full_disk(struct disk *d)
{
    struct recording_state rs;
    struct recorder *r = record(d->path, &rs);
    uint64_t seq = 0, lost = 0, committed;

    d->fill(d);
    seq = put_until_lost(r, seq, d->error);

    /* Meanwhile it can be read, as far as it goes. */
    committed = recorder_committed(r);
    assert_true(settle_file(d->path).next_seq == committed + 1);

    d->make_room(d);
    seq = put_until_well(r, seq);
    assert_int_equal(recorder_trouble(r, &lost, NULL), 0);
    stop(r);

    struct account a = settle_file(d->path);
    assert_true(a.next_seq == seq + 1);
    assert_true(a.gaps >= 1 && a.lost == lost && lost > 0);
}

static void stay_whole_when_closed_on_a_full_disk(struct disk *d)
{
    struct recording_state rs;
    struct recorder *r = record(d->path, &rs);
    struct err err = {0};
    uint64_t committed;

    d->fill(d);
    put_until_lost(r, 0, d->error);
    committed = recorder_committed(r);
    assert_int_equal(recorder_close(r, &err), d->error);
    assert_non_null(strstr(err.text, "observations are missing"));
    assert_true(settle_file(d->path).next_seq >= committed + 1);

    /* It goes on from there once there is room. */
    d->make_room(d);
    r = record(d->path, &rs);
    assert_true(rs.last_seq >= committed);
    put_progress(r, rs.last_seq + 1);
    stop(r);
    assert_true(settle_file(d->path).next_seq == rs.last_seq + 2);
}

/* A disk that is merely slow. */

static void a_put_that_does_not_wait_loses_and_says_so(void **state)
{
    struct scratch *dir = *state;
    const char *path = scratch_path(dir, "slow.flight");
    struct recording_state rs;
    struct recorder *r = record(path, &rs);
    uint64_t seq = 0, lost = 0;

    recorder_set_patience(r, 0);
    do {
        put_progress(r, ++seq);
        recorder_trouble(r, &lost, NULL);
    } while (!lost); /* no disk takes them as fast */
    recorder_set_patience(r, PATIENCE_MS);
    seq = put_until_well(r, seq);
    recorder_trouble(r, &lost, NULL);
    stop(r);

    struct account a = settle_file(path);
    assert_true(a.next_seq == seq + 1);
    assert_true(a.gaps >= 1 && a.lost == lost);
}

/* A limit on how long this process's files get. */

static void limit_size(struct disk *d)
{
    struct rlimit limit;

    getrlimit(RLIMIT_FSIZE, &d->room);
    limit = d->room;
    limit.rlim_cur = 2 << 20;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void unlimit_size(struct disk *d)
{
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &d->room), 0);
}

static struct disk limited_disk(struct scratch *dir)
{
    signal(SIGXFSZ, SIG_IGN);
    return (struct disk){.fill = limit_size,
                         .make_room = unlimit_size,
                         .error = -EFBIG,
                         .path = scratch_path(dir, "full.flight")};
}

static void a_recorder_survives_a_limit(void **state)
{
    struct disk d = limited_disk(*state);

    survive_a_full_disk(&d);
}

static void a_recording_is_whole_when_closed_at_a_limit(void **state)
{
    struct disk d = limited_disk(*state);

    stay_whole_when_closed_on_a_full_disk(&d);
}

/* A disk of 32 megabytes, most of it taken by another file. */

static void write_ballast(struct disk *d)
{
    int fd = open(d->ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(posix_fallocate(fd, 0, 30 << 20), 0);
    close(fd);
}

static void remove_ballast(struct disk *d)
{
    assert_int_equal(unlink(d->ballast), 0);
}

static void with_small_disk(struct scratch *dir, void (*run)(struct disk *d))
{
    if (unshare(CLONE_NEWNS) < 0 || mount("", "/", "", MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", dir->path.p, "tmpfs", 0, "size=32m") < 0) {
        print_message("no tmpfs may be mounted here: %s\n", strerror(errno));
        skip();
    }
    run(&(struct disk){.fill = write_ballast,
                       .make_room = remove_ballast,
                       .error = -ENOSPC,
                       .path = scratch_path(dir, "full.flight"),
                       .ballast = scratch_path(dir, "ballast")});
    umount2(dir->path.p, MNT_DETACH);
}

static void a_recorder_survives_a_full_disk(void **state)
{
    with_small_disk(*state, survive_a_full_disk);
}

static void a_recording_is_whole_when_closed_on_a_full_disk(void **state)
{
    with_small_disk(*state, stay_whole_when_closed_on_a_full_disk);
}

int main(void)
{
#define CLAIM(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        CLAIM(a_put_that_does_not_wait_loses_and_says_so),
        CLAIM(a_recorder_survives_a_limit),
        CLAIM(a_recording_is_whole_when_closed_at_a_limit),
        CLAIM(a_recorder_survives_a_full_disk),
        CLAIM(a_recording_is_whole_when_closed_on_a_full_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
