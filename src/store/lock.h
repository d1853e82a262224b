/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lock: who records into a file: one recorder at most, on the whole machine. The lock is flock(2)
 * on a descriptor of the file itself, so it goes with the process, however that ends, and nobody
 * has to clean up.
 *
 * POSIX drops every fcntl lock that a process has on a file when the process closes any descriptor
 * of that file, and SQLite's locks are of that sort. So the descriptor here is opened before SQLite
 * opens the file and closed after SQLite has closed it; and a second attempt by the same process is
 * refused from a list, without opening anything.
 */
#pragma once

#include "base/err.h"

struct file_lock;

/* Makes the file, empty, when it is not there. -EBUSY when somebody records into it. */
int file_lock_take(const char *path, struct file_lock **ret_lock, struct err *err);
void file_lock_release(struct file_lock *l); /* NULL is fine */

/*
 * Whether somebody, of whatever process, records into a file that we read: to be opened before
 * SQLite opens it, and closed after SQLite has closed it.
 */
struct file_watch;

int file_watch_open(const char *path, struct file_watch **ret_watch, struct err *err);
void file_watch_close(struct file_watch *w); /* NULL is fine */
bool file_watch_is_recorded(const struct file_watch *w);

/* The path still leads to the file that was locked. */
bool file_lock_holds(const struct file_lock *l, const char *path);
