/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * watched_file: whether a small file is another than the last time, by its inode, size and time. It
 * is looked at when its content is wanted, at most once a second.
 */
#pragma once

#include "loop/loop.h"

#include <sys/types.h>
#include <time.h>

struct watched_file {
    const char *path;
    uint64_t look_us; /* not before this is it looked at again */
    /* How it was; all zero: it was not there, or no file. */
    struct {
        dev_t device;
        ino_t inode;
        off_t bytes;
        struct timespec modified;
    } version;
};

/* Since the last call; at the first one, whether it is there. The path has to live on. */
bool watched_file_changed(struct watched_file *f, uint64_t now_us);
bool watched_file_was_there(const struct watched_file *f); /* when it was last looked at */
