/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/knowledge_files.h"

#include "base/auto.h"
#include "base/file.h"
#include "base/xalloc.h"
#include "explain/shipped.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* --- one file --------------------------------------------------------------------------------- */

int knowledge_read_file(const char *path, struct buf *ret_bytes, struct err *err)
{
    int r;

    buf_init(ret_bytes, KNOWLEDGE_FILE_BYTES);
    r = file_read(path, ret_bytes, NULL, err);
    if (r == -EFBIG)
        r = err_set(err, r, "%s: more than %d MiB, which no knowledge file needs", path,
                    KNOWLEDGE_FILE_BYTES >> 20);
    if (r < 0)
        buf_finish(ret_bytes);
    return r;
}

/* --- a folder, and those in it ---------------------------------------------------------------- */

struct loading {
    struct knowledge *knowledge;
    struct buf problems;
    unsigned files; /* so far, in this folder and below */
};

static int load_file(struct loading *l, const char *path, struct err *err)
{
    struct buf bytes;
    int r;

    if (++l->files > KNOWLEDGE_FILES)
        return err_set(err, -EMFILE, "%s: more than %d files in one knowledge folder", path,
                       KNOWLEDGE_FILES);
    r = knowledge_read_file(path, &bytes, err);
    if (r < 0)
        return r;
    knowledge_add(l->knowledge, str_of(path), buf_str(&bytes), &l->problems);
    buf_finish(&bytes);
    return 0;
}

static bool is_yaml(struct str name)
{
    return str_iends(name, STR(".yaml")) || str_iends(name, STR(".yml"));
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The bytes decide, so that the order is the same in every language. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_folder(struct loading *l, const char *path, unsigned level, struct err *err);

static int load_entry(struct loading *l, const char *path, unsigned level, struct err *err)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return err_set(err, -errno, "%s: cannot be read: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return load_folder(l, path, level + 1, err);
    return is_yaml(str_of(path)) ? load_file(l, path, err) : 0;
}

static int load_folder(struct loading *l, const char *path, unsigned level, struct err *err)
{
    struct dirent **entries = NULL;
    int n, r = 0;

    if (level > KNOWLEDGE_LEVELS)
        return err_set(err, -ELOOP, "%s: folders more than %d levels deep", path, KNOWLEDGE_LEVELS);
    n = scandir(path, &entries, is_visible, by_bytes);
    if (n < 0)
        return err_set(err, -errno, "%s: cannot be read: %s", path, strerror(errno));
    for (int i = 0; i < n; i++) {
        if (r == 0) {
            AUTO(auto_free) char *entry = NULL;

            if (asprintf(&entry, "%s/%s", path, entries[i]->d_name) < 0)
                r = err_set(err, -ENOMEM, "%s: no memory", path);
            else
                r = load_entry(l, entry, level, err);
        }
        free(entries[i]);
    }
    free(entries);
    return r;
}

/* --- all of it -------------------------------------------------------------------------------- */

static void load_shipped(struct loading *l)
{
    for (const struct embedded *f = knowledge_files; f->name; f++)
        knowledge_add(l->knowledge, str_of(f->name), embedded_str(f), &l->problems);
}

/* NULL when there is none; the caller frees it. */
static char *user_folder(void)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char *path = NULL;
    int n = -1;

    if (config && config[0] == '/') /* the specification: a relative one is to be ignored */
        n = asprintf(&path, "%s/flightstrip/knowledge", config);
    else if (home && *home)
        n = asprintf(&path, "%s/.config/flightstrip/knowledge", home);
    return n < 0 ? NULL : path;
}

static int load_user(struct loading *l, struct err *err)
{
    AUTO(auto_free) char *path = user_folder();

    l->files = 0;
    if (!path || access(path, F_OK) < 0)
        return 0;
    return load_folder(l, path, 1, err);
}

static int load_all(struct loading *l, const char *const *folders, size_t n, struct err *err)
{
    int r = 0;

    load_shipped(l);
    r = load_user(l, err);
    for (size_t i = 0; i < n && r == 0; i++) {
        l->files = 0;
        r = load_folder(l, folders[i], 1, err);
    }
    if (r == 0)
        knowledge_build(l->knowledge, &l->problems);
    return r;
}

static int load(const char *const *folders, size_t n, bool whole, struct knowledge **ret_knowledge,
                struct err *err)
{
    struct loading l = {.knowledge = knowledge_create()};
    int r;

    buf_init(&l.problems, BUF_UNBOUNDED); /* each file has a bounded number of them */
    r = load_all(&l, folders, n, err);
    fprintf(stderr, STR_FMT, STR_ARG(buf_str(&l.problems)));
    if (r == 0 && whole && l.problems.n)
        r = err_set(err, -EINVAL, "the knowledge has mistakes");
    buf_finish(&l.problems);
    if (r < 0)
        knowledge_destroy(l.knowledge);
    else
        *ret_knowledge = l.knowledge;
    return r;
}

int knowledge_load(const char *const *folders, size_t n, struct knowledge **ret_knowledge,
                   struct err *err)
{
    return load(folders, n, false, ret_knowledge, err);
}

int knowledge_load_whole(const char *const *folders, size_t n, struct knowledge **ret_knowledge,
                         struct err *err)
{
    return load(folders, n, true, ret_knowledge, err);
}
