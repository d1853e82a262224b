/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "loop/watched_file.h"

#include <sys/stat.h>

enum { LOOK_US = 1000 * 1000 };

static bool is_version(const struct watched_file *f, const struct stat *s)
{
    return f->version.device == s->st_dev && f->version.inode == s->st_ino &&
           f->version.bytes == s->st_size && f->version.modified.tv_sec == s->st_mtim.tv_sec &&
           f->version.modified.tv_nsec == s->st_mtim.tv_nsec;
}

static void set_version(struct watched_file *f, const struct stat *s)
{
    f->version.device = s->st_dev;
    f->version.inode = s->st_ino;
    f->version.bytes = s->st_size;
    f->version.modified = s->st_mtim;
}

bool watched_file_changed(struct watched_file *f, uint64_t now_us)
{
    struct stat s;

    if (now_us < f->look_us)
        return false;
    f->look_us = now_us + LOOK_US;
    if (stat(f->path, &s) < 0 || !S_ISREG(s.st_mode))
        s = (struct stat){0};
    if (is_version(f, &s))
        return false;
    set_version(f, &s);
    return true;
}

bool watched_file_was_there(const struct watched_file *f)
{
    return f->version.inode;
}
