/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/format.h"

#include "store/db.h"
#include "test/unit/store/recordings.h"
#include "test/unit/store/scratch.h"

#include <errno.h>
#include <string.h>

/* What a later program might bring: two steps from today's format. */
static const struct embedded two_steps[] = {
    {"schema.sql", "", 0},
    {"2.sql", "CREATE TABLE second (n INTEGER); INSERT INTO second VALUES (1)", 0},
    {"3.sql", "ALTER TABLE second ADD COLUMN m INTEGER DEFAULT 7", 0},
    {0},
};

static const struct embedded second_step_fails[] = {
    {"schema.sql", "", 0},
    {"2.sql", "CREATE TABLE second (n INTEGER)", 0},
    {"3.sql", "CREATE TABLE third (n INTEGER); no such statement", 0},
    {0},
};

static sqlite3 *open_db(const char *path)
{
    sqlite3 *db = NULL;
    struct err err = {0};

    if (db_open(path, &db, &err) < 0)
        fail_msg("%s", err.text);
    return db;
}

static int64_t number(sqlite3 *db, const char *sql)
{
    int64_t value = -1;
    struct err err = {0};

    if (db_number(db, "test", sql, &value, &err) < 0)
        fail_msg("%s", err.text);
    return value;
}

static void an_older_recording_is_brought_up_step_by_step(void **state)
{
    const char *path = scratch_path(*state, "older.flight");
    struct err err = {0};

    record_some(path, 10);
    sqlite3 *db = open_db(path);
    assert_int_equal(number(db, "PRAGMA user_version"), 1);
    assert_int_equal(format_check(db, path, two_steps, &err), 0);
    assert_int_equal(format_migrate(db, path, two_steps, &err), 0);
    assert_int_equal(number(db, "PRAGMA user_version"), 3);
    assert_int_equal(number(db, "SELECT m FROM second"), 7);
    assert_int_equal(number(db, "SELECT count(*) FROM observation"), 10);

    /* Once is enough. */
    assert_int_equal(format_migrate(db, path, two_steps, &err), 0);
    assert_int_equal(number(db, "SELECT count(*) FROM second"), 1);

    /* And today's program refuses it. */
    assert_int_equal(format_check(db, path, store_sql, &err), -EOPNOTSUPP);
    db_close(db);
}

static void a_step_that_fails_undoes_them_all(void **state)
{
    const char *path = scratch_path(*state, "undone.flight");
    struct err err = {0};

    record_some(path, 10);
    sqlite3 *db = open_db(path);
    assert_true(format_migrate(db, path, second_step_fails, &err) < 0);
    assert_non_null(strstr(err.text, "3.sql: "));
    assert_int_equal(number(db, "PRAGMA user_version"), 1);
    assert_int_equal(number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'second'"), 0);
    db_close(db);
    assert_int_equal(replay_file(path).count, 10);
}

static void every_column_of_the_schema_has_a_comment(void **state)
{
    struct str rest = embedded_str(&store_sql[0]), line, before = {0};
    bool in_table = false;
    unsigned columns = 0;

    (void)state;
    while (str_line(&rest, &line)) {
        struct str text = str_trim(line);

        if (str_starts(text, STR("CREATE "))) {
            assert_true(str_starts(before, STR("-- ")));
            in_table = str_starts(text, STR("CREATE TABLE"));
        } else if (str_starts(text, STR(")"))) {
            in_table = false;
        } else if (in_table && text.n && !str_starts(text, STR("--")) &&
                   !str_starts(text, STR("id INTEGER PRIMARY KEY CHECK"))) {
            assert_true(str_starts(before, STR("-- ")));
            columns++;
        }
        before = text;
    }
    assert_int_equal(columns, 13);
}

int main(void)
{
#define CLAIM(f) cmocka_unit_test_setup_teardown(f, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        CLAIM(an_older_recording_is_brought_up_step_by_step),
        CLAIM(a_step_that_fails_undoes_them_all),
        CLAIM(every_column_of_the_schema_has_a_comment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
