/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that are torn, damaged, forged, or no recordings: what is said of them, and what is read.
 */
#include "test/unit/random_obs.h"
#include "test/unit/store/recordings.h"
#include "test/unit/store/scratch.h"

#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>

static void write_file(const char *path, const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_true(write(fd, bytes, n) == (ssize_t)n);
    close(fd);
}

static struct str read_file(struct scratch *dir, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    char *bytes = arena_alloc(dir->arena, (size_t)st.st_size);
    assert_true(read(fd, bytes, (size_t)st.st_size) == st.st_size);
    close(fd);
    return str_from(bytes, (size_t)st.st_size);
}

static void alter(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    char *why = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    sqlite3_close(db);
}

/* What is no recording. */

static void make_empty(const char *path)
{
    write_file(path, "", 0);
}

static void make_log(const char *path)
{
    static const char log[] =
        "1560000000.123    87 10.0.0.5 TCP_TUNNEL/200 4312 CONNECT a:443 - -\n";

    write_file(path, log, sizeof(log) - 1);
}

static void make_database(const char *path)
{
    alter(path, "CREATE TABLE observation (seq)");
}

static void make_beginning(const char *path)
{
    write_file(path, "SQLite format 3", 16);
}

static void make_newer(const char *path)
{
    record_some(path, 10);
    alter(path, "PRAGMA user_version = 99");
}

static void make_robbed(const char *path)
{
    record_some(path, 10);
    alter(path, "DROP TABLE note");
}

static void make_cut(const char *path)
{
    record_some(path, 2000);
    assert_int_equal(truncate(path, 9000), 0);
}

static void make_forged(const char *path)
{
    record_some(path, 10);
    alter(path, "DROP TABLE note; CREATE VIEW note AS SELECT 1 AS id, 2 AS at_us, 'x' AS text");
}

static void make_nothing(const char *path)
{
    (void)path;
}

static void make_folder(const char *path)
{
    assert_int_equal(mkdir(path, 0700), 0);
}

static const struct {
    void (*make)(const char *path);
    int error;
    bool is_recording; /* by its beginning */
    const char *says;
} others[] = {
    {make_nothing, -ENOENT, false, "cannot open: No such file or directory"},
    {make_folder, -EINVAL, false, "is not a regular file"},
    {make_empty, -ENODATA, false, "is empty"},
    {make_log, -EINVAL, false, "is not a flightstrip recording"},
    {make_beginning, -EBADMSG, false, "is damaged or cut short"},
    {make_database, -EINVAL, false, "is an SQLite file, but not a flightstrip recording"},
    {make_newer, -EOPNOTSUPP, true,
     "was recorded by a newer flightstrip (its format is 99, this one reads up to 1)"},
    {make_robbed, -EBADMSG, true, "is damaged: tables are missing"},
    {make_forged, -EBADMSG, true, "is damaged: tables are missing"},
    {make_cut, -EBADMSG, true, "is damaged or cut short"},
};

static void what_is_no_recording_is_refused_by_name(void **state)
{
    struct scratch *dir = *state;

    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        const char *path = arena_printf(dir->arena, STR_FMT "/%zu", STR_ARG(dir->path), i).p;
        const char *says = arena_printf(dir->arena, "%s: %s", path, others[i].says).p;
        struct recording *r = NULL;
        struct err err = {0};

        others[i].make(path);
        assert_int_equal(recording_open(path, &r, &err), others[i].error);
        assert_string_equal(err.text, says);
        assert_null(r);
        assert_int_equal(recording_is(path), others[i].is_recording);
        assert_int_equal(recording_add_note(path, 0, STR("a word"), NULL, &err), others[i].error);
        assert_string_equal(err.text, says);
        rmdir(path);
    }
}

static void a_recorder_leaves_what_is_no_recording_alone(void **state)
{
    static void (*const makes[])(const char *path) = {make_log, make_database, make_newer,
                                                      make_forged};
    struct scratch *dir = *state;

    for (size_t i = 0; i < sizeof(makes) / sizeof(*makes); i++) {
        const char *path = arena_printf(dir->arena, STR_FMT "/%zu", STR_ARG(dir->path), i).p;
        struct recording_state rs;
        struct recorder *r = NULL;
        struct err err = {0};

        makes[i](path);
        struct str before = read_file(dir, path);
        assert_true(recorder_open(path, BEGAN_US, &r, &rs, &err) < 0);
        assert_non_null(strstr(err.text, path));
        assert_true(str_eq(before, read_file(dir, path)));
    }
}

static void an_empty_file_becomes_a_recording(void **state)
{
    const char *path = scratch_path(*state, "empty.flight");

    make_empty(path);
    record_some(path, 5);
    assert_int_equal(replay_file(path).count, 5);
}

/* What is damaged. */

static void damaged_rows_are_skipped_and_counted(void **state)
{
    static const struct {
        const char *damage;
        unsigned damaged;
    } cases[] = {
        {"UPDATE observation SET fields = x'ff' WHERE seq = 50", 1},
        {"UPDATE observation SET kind = 10000 WHERE seq IN (1, 50, 100)", 3},
        {"UPDATE observation SET kind = -1 WHERE seq = 7", 1},
        {"UPDATE observation SET device = -5 WHERE seq = 7", 1},
        {"UPDATE observation SET source = 5000 WHERE seq = 7", 0}, /* a word of a newer program */
        {"UPDATE observation SET fields = x''", 0},
        {"UPDATE observation SET fields = x'ffffffffffffffffffffffff'", 100},
    };
    struct scratch *dir = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *path = arena_printf(dir->arena, STR_FMT "/%zu", STR_ARG(dir->path), i).p;

        record_some(path, 100);
        alter(path, cases[i].damage);
        struct seen s = replay_file(path);
        assert_int_equal(s.damaged, cases[i].damaged);
        assert_int_equal(s.count, 100 - cases[i].damaged);
    }
}

/* The page that holds the middle of `n` observations, and how it looks in the file. */
static void overwrite_middle_page(struct scratch *dir, const char *path)
{
    struct str bytes = read_file(dir, path);
    size_t page = bytes.n / 2 / 4096;

    memset((char *)(uintptr_t)bytes.p + page * 4096, 0xa5, 4096);
    write_file(path, bytes.p, bytes.n);
}

static void a_damaged_page_hides_its_own_rows_alone(void **state)
{
    enum { N = 20000 };
    struct scratch *dir = *state;
    const char *path = scratch_path(dir, "page.flight");

    record_some(path, N);
    overwrite_middle_page(dir, path);
    struct seen s = replay_file(path);
    assert_true(s.damaged > 10 && s.damaged < 500);
    assert_true(s.count == N - s.damaged);
    assert_true(s.last_seq == N);
}

/* The row's own page is whole, the index that leads to it is not. */
static void damaged_notes_hide_no_observations(void **state)
{
    const char *path = scratch_path(*state, "notes.flight");
    struct err err;

    record_some(path, 100);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(recording_add_note(path, i * 10000, STR("a word"), NULL, &err), 0);
    alter(path, "PRAGMA writable_schema = ON;"
                "UPDATE sqlite_schema SET rootpage ="
                " (SELECT rootpage FROM sqlite_schema WHERE name = 'recording')"
                " WHERE name = 'note_by_time'");
    struct seen s = replay_file(path);
    assert_int_equal(s.damaged, 1);
    assert_int_equal(s.count, 100);
}

static bool count_it(void *ctx, const struct obs *o)
{
    (void)o;
    ++*(uint64_t *)ctx;
    return true;
}

/* Opens and reads it; whatever comes of it, an error names the file. */
static void read_torn(const char *path)
{
    struct recording *r = NULL;
    uint64_t count = 0, damaged = 0;
    struct err err = {0};
    int code = recording_open(path, &r, &err);

    if (code == 0)
        code = recording_replay(r, 0, count_it, &count, &damaged, &err);
    if (code < 0)
        assert_int_equal(strncmp(err.text, path, strlen(path)), 0);
    recording_close(r);
}

static void a_torn_file_never_does_harm(void **state)
{
    struct scratch *dir = *state;
    const char *path = scratch_path(dir, "torn.flight");
    uint64_t seed = random_seed();

    record_some(path, 3000);
    struct str whole = read_file(dir, path);
    char *torn = arena_alloc(dir->arena, whole.n);

    for (unsigned i = 0; i < 300; i++) {
        size_t n = i % 3 ? whole.n : random_next(&seed) % whole.n;

        memcpy(torn, whole.p, whole.n);
        for (unsigned k = i % 3 * 8; k; k--)
            torn[random_next(&seed) % (i % 2 ? whole.n : 4096)] = (char)random_next(&seed);
        write_file(path, torn, n);
        read_torn(path);
    }
}

/* A copy of a recording that is being written, its WAL cut anywhere: what is whole is there. */
static void a_torn_wal_loses_its_end_alone(void **state)
{
    struct scratch *dir = *state;
    const char *path = scratch_path(dir, "live.flight"), *copy = scratch_path(dir, "copy.flight");
    const char *copy_wal = scratch_path(dir, "copy.flight-wal");
    struct recording_state rs;
    struct recorder *r = record(path, &rs);
    uint64_t seed = random_seed();

    for (uint64_t seq = 1; seq <= 10000; seq++)
        put_progress(r, seq);
    while (recorder_committed(r) < 10000)
        ;
    struct str main_file = read_file(dir, path);
    struct str wal = read_file(dir, scratch_path(dir, "live.flight-wal"));
    stop(r);

    for (unsigned i = 0; i < 30; i++) {
        write_file(copy, main_file.p, main_file.n);
        write_file(copy_wal, wal.p, i ? random_next(&seed) % wal.n : wal.n);
        struct seen s = replay_file(copy);
        assert_true(s.count == s.last_seq);
        assert_int_equal(s.damaged, 0);
        assert_true(i || s.count == 10000);
        unlink(copy);
    }
}

int main(void)
{
#define CLAIM(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        CLAIM(what_is_no_recording_is_refused_by_name),
        CLAIM(a_recorder_leaves_what_is_no_recording_alone),
        CLAIM(an_empty_file_becomes_a_recording),
        CLAIM(damaged_rows_are_skipped_and_counted),
        CLAIM(a_damaged_page_hides_its_own_rows_alone),
        CLAIM(damaged_notes_hide_no_observations),
        CLAIM(a_torn_file_never_does_harm),
        CLAIM(a_torn_wal_loses_its_end_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
