/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/knowledge_files.h"

#include "base/auto.h"
#include "test/unit/unit.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char folder[] = "/tmp/flightstrip-knowledge-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[4096];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void make_folder(const char *name)
{
    assert_int_equal(mkdir(path_of(name), 0700), 0);
}

static void make_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* A file in which login.live.com has this role. */
static void make_login(const char *name, const char *role)
{
    char text[400];

    snprintf(text, sizeof text,
             "endpoints: [{host: login.live.com, service: device-identity, role: %s}]\n", role);
    make_file(name, text);
}

static int forget(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static int begin(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    assert_non_null(mkdtemp(folder));
    setenv("XDG_CONFIG_HOME", path_of("config"), 1);
    setenv("HOME", path_of("home"), 1);
    return 0;
}

static int end(void **state)
{
    (void)state;
    return nftw(folder, forget, 8, FTW_DEPTH | FTW_PHYS);
}

static void assert_role(const char *const *folders, size_t n, const char *role)
{
    struct knowledge *k = NULL;
    struct err err = {{0}};

    if (knowledge_load(folders, n, &k, &err) < 0)
        fail_msg("%s", err.text);

    const struct endpoint *at = endpoints_match(knowledge_endpoints(k), STR("login.live.com"));
    char *found = str_dup(at->role);
    if (role)
        assert_string_equal(found, role);
    else
        assert_true(strlen(found) > 20); /* the shipped sentence */
    free(found);
    knowledge_destroy(k);
}

static void without_files_the_shipped_knowledge_is_all(void **state)
{
    (void)state;
    assert_role(NULL, 0, NULL);
}

static void later_files_override_earlier_ones(void **state)
{
    AUTO(auto_free) char *one = strdup(path_of("one")), *two = strdup(path_of("two"));
    const char *folders[] = {one, two};

    (void)state;
    make_folder("config");
    make_folder("config/flightstrip");
    make_folder("config/flightstrip/knowledge");
    make_login("config/flightstrip/knowledge/mine.yaml", "The user.");
    assert_role(NULL, 0, "The user.");

    make_folder("one");
    make_folder("one/b");
    make_login("one/a.yml", "First.");
    make_login("one/b/deep.yaml", "Deep.");
    assert_role(folders, 1, "Deep."); /* one/a.yml, then one/b */
    make_login("one/c.YAML", "Last.");
    assert_role(folders, 1, "Last.");

    make_login("one/.hidden.yaml", "Hidden.");
    make_login("one/notes.txt", "Notes.");
    assert_role(folders, 1, "Last.");

    make_folder("two");
    make_login("two/a.yaml", "Two.");
    assert_role(folders, 2, "Two.");
}

static void the_home_folder_stands_in_for_the_configured_one(void **state)
{
    (void)state;
    unsetenv("XDG_CONFIG_HOME");
    make_folder("home");
    make_folder("home/.config");
    make_folder("home/.config/flightstrip");
    make_folder("home/.config/flightstrip/knowledge");
    make_login("home/.config/flightstrip/knowledge/a.yaml", "At home.");
    assert_role(NULL, 0, "At home.");
    setenv("XDG_CONFIG_HOME", "relative/is/ignored", 1);
    assert_role(NULL, 0, "At home.");
}

/* Fails, and the sentence names the file or folder and says this. */
static void assert_refused(const char *name, int code, const char *says)
{
    AUTO(auto_free) char *asked = strdup(folder), *named = strdup(path_of(name));
    const char *folders[] = {strcmp(name, "absent") == 0 ? named : asked};
    struct knowledge *k = NULL;
    struct err err;
    char expected[8192];

    assert_int_equal(knowledge_load(folders, 1, &k, &err), code);
    assert_null(k);
    snprintf(expected, sizeof expected, "%s: %s", named, says);
    assert_string_equal(err.text, expected);
}

static void what_cannot_be_read_is_named(void **state)
{
    (void)state;
    assert_refused("absent", -ENOENT, "cannot be read: No such file or directory");

    assert_int_equal(symlink("/nowhere/at/all", path_of("broken.yaml")), 0);
    assert_refused("broken.yaml", -ENOENT, "cannot be read: No such file or directory");
    remove(path_of("broken.yaml"));

    assert_int_equal(mkfifo(path_of("pipe.yaml"), 0600), 0);
    assert_refused("pipe.yaml", -EINVAL, "cannot be read: it is not a file");
    remove(path_of("pipe.yaml"));

    make_file("big.yaml", "# x\n");
    assert_int_equal(truncate(path_of("big.yaml"), KNOWLEDGE_FILE_BYTES + 1), 0);
    assert_refused("big.yaml", -EFBIG, "more than 4 MiB, which no knowledge file needs");
}

static void a_folder_in_itself_comes_to_an_end(void **state)
{
    AUTO(auto_free) char *asked = strdup(folder);
    const char *folders[] = {asked};
    struct knowledge *k = NULL;
    struct err err;

    (void)state;
    assert_int_equal(symlink(".", path_of("self")), 0);
    assert_int_equal(knowledge_load(folders, 1, &k, &err), -ELOOP);
    assert_null(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_files_the_shipped_knowledge_is_all, begin, end),
        cmocka_unit_test_setup_teardown(later_files_override_earlier_ones, begin, end),
        cmocka_unit_test_setup_teardown(the_home_folder_stands_in_for_the_configured_one, begin,
                                        end),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_named, begin, end),
        cmocka_unit_test_setup_teardown(a_folder_in_itself_comes_to_an_end, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
