/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/notes.h"

#include "test/unit/store/recordings.h"
#include "test/unit/store/scratch.h"

#include <errno.h>

static void put_line(void *ctx, const struct recording_note *n)
{
    buf_printf(ctx, "%llu %llu " STR_FMT "\n", (unsigned long long)n->id,
               (unsigned long long)n->at_us, STR_ARG(n->text));
}

static void assert_notes(const char *path, const char *expected)
{
    struct recording *r = open_to_read(path);
    struct buf lines;

    buf_init(&lines, BUF_UNBOUNDED);
    assert_int_equal(recording_notes(r, put_line, &lines, NULL), 0);
    buf_put_byte(&lines, '\0');
    assert_string_equal(lines.p, expected);
    buf_finish(&lines);
    recording_close(r);
}

static uint64_t add(const char *path, uint64_t at_us, const char *text)
{
    uint64_t id = 0;

    assert_int_equal(recording_add_note(path, at_us, str_of(text), &id, NULL), 0);
    return id;
}

static void notes_are_listed_by_their_times(void **state)
{
    const char *path = scratch_path(*state, "a.flight");

    record_some(path, 3);
    assert_notes(path, "");
    assert_int_equal(add(path, 2000, "late"), 1);
    assert_int_equal(add(path, 1000, "early"), 2);
    assert_int_equal(add(path, 2000, "late too"), 3);
    assert_notes(path, "2 1000 early\n1 2000 late\n3 2000 late too\n");
}

static void a_note_is_changed_and_removed_by_its_id(void **state)
{
    const char *path = scratch_path(*state, "a.flight");
    struct err err;

    record_some(path, 3);
    add(path, 1000, "one");
    add(path, 2000, "two");
    assert_int_equal(
        recording_change_note(
            path, &(struct recording_note){.id = 1, .at_us = 5000, .text = STR("later")}, &err),
        0);
    assert_notes(path, "2 2000 two\n1 5000 later\n");
    assert_int_equal(recording_remove_note(path, 2, &err), 0);
    assert_notes(path, "1 5000 later\n");
    assert_int_equal(recording_remove_note(path, 2, &err), -ENOENT);
    assert_int_equal(recording_change_note(path, &(struct recording_note){.id = 9}, &err), -ENOENT);
}

static void a_time_that_cannot_be_is_refused(void **state)
{
    const char *path = scratch_path(*state, "a.flight");
    struct err err;

    record_some(path, 1);
    assert_int_equal(recording_add_note(path, UINT64_MAX, STR("x"), NULL, &err), -ERANGE);
    assert_int_equal(
        recording_change_note(path, &(struct recording_note){.id = 1, .at_us = UINT64_MAX}, &err),
        -ERANGE);
}

static uint64_t digest(struct recording *r)
{
    uint64_t number = 0;

    assert_int_equal(recording_notes_digest(r, &number, NULL), 0);
    return number;
}

static void assert_changes(struct recording *r, uint64_t *before)
{
    uint64_t now = digest(r);

    assert_int_not_equal(now, *before);
    assert_int_equal(now, digest(r));
    *before = now;
}

static void whoever_looks_sees_that_they_changed(void **state)
{
    const char *path = scratch_path(*state, "a.flight");
    struct recording_note same = {.id = 1, .at_us = 1000, .text = STR("other")};
    struct recording *r;
    uint64_t before;

    record_some(path, 1);
    r = open_to_read(path);
    before = digest(r);
    add(path, 1000, "one");
    assert_changes(r, &before);
    assert_int_equal(recording_change_note(path, &same, NULL), 0);
    assert_changes(r, &before);
    same.at_us = 1001;
    assert_int_equal(recording_change_note(path, &same, NULL), 0);
    assert_changes(r, &before);
    assert_int_equal(recording_remove_note(path, 1, NULL), 0);
    assert_changes(r, &before);
    recording_close(r);
}

/* --- observations by seq and by flow --- */

struct looked_up {
    uint64_t seqs[16];
    size_t n, most;
};

static bool take(void *ctx, const struct obs *o)
{
    struct looked_up *l = ctx;

    l->seqs[l->n++] = o->seq;
    return l->n < l->most;
}

static void observations_are_looked_up_by_seq(void **state)
{
    static const uint64_t wanted[] = {7, 3, 99, 3, 0, UINT64_MAX};
    const char *path = scratch_path(*state, "a.flight");
    struct looked_up l = {.most = 16};
    struct recording *r;

    record_some(path, 10);
    r = open_to_read(path);
    assert_int_equal(recording_look_up(r, wanted, 6, take, &l, NULL), 0);
    assert_int_equal(l.n, 3);
    assert_int_equal(l.seqs[0], 7);
    assert_int_equal(l.seqs[1], 3);
    assert_int_equal(l.seqs[2], 3);
    recording_close(r);
}

static void observations_are_looked_up_by_flow(void **state)
{
    const char *path = scratch_path(*state, "a.flight");
    struct looked_up l = {.most = 3};
    struct recording *r;

    record_some(path, 10); /* of flow 7 */
    r = open_to_read(path);
    assert_int_equal(recording_look_up_flow(r, &(struct recording_flow){7, 4, 9}, take, &l, NULL),
                     0);
    assert_int_equal(l.n, 3);
    assert_int_equal(l.seqs[0], 4);
    l = (struct looked_up){.most = 16};
    assert_int_equal(recording_look_up_flow(r, &(struct recording_flow){7, 4, 9}, take, &l, NULL),
                     0);
    assert_int_equal(l.n, 6);
    l = (struct looked_up){.most = 16};
    assert_int_equal(recording_look_up_flow(r, &(struct recording_flow){8, 1, 10}, take, &l, NULL),
                     0);
    assert_int_equal(l.n, 0);
    recording_close(r);
}

/* --- a copy --- */

static void a_copy_is_a_recording_and_has_no_name(void **state)
{
    struct scratch *dir = *state;
    const char *path = scratch_path(dir, "a.flight"), *again = scratch_path(dir, "b.flight");
    struct recording *r;
    char bytes[64 << 10];
    FILE *file;
    ssize_t n;
    int fd = -1;

    record_some(path, 10);
    add(path, 1000, "with its notes");
    r = open_to_read(path);
    setenv("TMPDIR", dir->path.p, 1);
    assert_int_equal(recording_copy(r, &fd, NULL), 0);
    unsetenv("TMPDIR");
    assert_int_equal(scratch_count(dir), 1);
    recording_close(r);
    file = fopen(again, "w");
    for (off_t at = 0; (n = pread(fd, bytes, sizeof bytes, at)) > 0; at += n)
        fwrite(bytes, 1, (size_t)n, file);
    fclose(file);
    close(fd);
    assert_int_equal(replay_file(again).count, 11);
}

#define CLAIM(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(notes_are_listed_by_their_times),
        CLAIM(a_note_is_changed_and_removed_by_its_id),
        CLAIM(a_time_that_cannot_be_is_refused),
        CLAIM(whoever_looks_sees_that_they_changed),
        CLAIM(observations_are_looked_up_by_seq),
        CLAIM(observations_are_looked_up_by_flow),
        CLAIM(a_copy_is_a_recording_and_has_no_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
