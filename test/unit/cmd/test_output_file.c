/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/output_file.h"

#include "test/unit/store/scratch.h"

#include <stdio.h>
#include <sys/stat.h>

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void assert_text(const char *path, const char *want)
{
    char text[100] = "";
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    assert_true(fread(text, 1, sizeof text - 1, f) > 0);
    fclose(f);
    assert_string_equal(text, want);
}

static struct output_file *opened(const char *path)
{
    struct output_file *f = NULL;

    assert_int_equal(output_file_open(path, &f, NULL), 0);
    assert_int_equal(output_file_write(f, STR("new"), NULL), 0);
    return f;
}

static void what_stood_there_stands_until_the_file_is_kept(void **state)
{
    const char *path = scratch_path(*state, "out");

    write_text(path, "old");

    struct output_file *f = opened(path);
    assert_text(path, "old");
    output_file_close(f);
    assert_text(path, "old");
    assert_int_equal(scratch_count(*state), 1);

    f = opened(path);
    assert_int_equal(output_file_keep(f, NULL), 0);
    assert_text(path, "new");
    output_file_close(f);
    assert_text(path, "new");
    assert_int_equal(scratch_count(*state), 1);
}

static void a_new_file_has_the_usual_mode(void **state)
{
    const char *path = scratch_path(*state, "out");
    mode_t mask = umask(027);
    struct output_file *f = opened(path);
    struct stat st;

    assert_int_equal(output_file_keep(f, NULL), 0);
    output_file_close(f);
    umask(mask);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void a_symbolic_link_stays_one(void **state)
{
    const char *path = scratch_path(*state, "out"), *link = scratch_path(*state, "link");
    struct stat st;

    write_text(path, "old");
    assert_int_equal(symlink(path, link), 0);

    struct output_file *f = opened(link);
    assert_int_equal(output_file_keep(f, NULL), 0);
    output_file_close(f);
    assert_text(path, "new");
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

static void what_is_no_regular_file_is_written_to(void **state)
{
    struct output_file *f = opened("/dev/null");
    struct stat st;

    (void)state;
    assert_int_equal(output_file_keep(f, NULL), 0);
    output_file_close(f);
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
}

static void a_place_that_cannot_be_written_is_named(void **state)
{
    const char *path = scratch_path(*state, "no/such/folder");
    struct output_file *f = NULL;
    struct err err = {0};

    assert_true(output_file_open(path, &f, &err) < 0);
    assert_true(str_starts(str_of(err.text), str_of(path)));
    assert_non_null(strstr(err.text, "cannot write: No such file or directory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_stood_there_stands_until_the_file_is_kept,
                                        scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(a_new_file_has_the_usual_mode, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(a_symbolic_link_stays_one, scratch_make, scratch_remove),
        cmocka_unit_test(what_is_no_regular_file_is_written_to),
        cmocka_unit_test_setup_teardown(a_place_that_cannot_be_written_is_named, scratch_make,
                                        scratch_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
