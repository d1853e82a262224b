/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * format: what makes an SQLite file a recording, and how an older one becomes one of today.
 *
 * The format's number is user_version. schema.sql is the newest format; each migration leads from
 * one number to the next. Whoever writes (a recorder, a note) migrates first; whoever only reads
 * leaves the file as it is. So a migration only adds, and what the reader asks for is in every
 * format there ever was.
 */
#pragma once

#include "base/embedded.h"
#include "base/err.h"

#include <sqlite3.h>

enum { FORMAT_APPLICATION_ID = 0x464c5453 }; /* "FLTS" */

/* schema.sql, then the migrations: the i-th, counted from 0, leads from format i to i + 1. */
extern const struct embedded store_sql[];

/*
 * From the file's first bytes: 0 for a recording, or what it is instead in one sentence (-ENODATA:
 * it is empty). Reads through SQLite's VFS, so it takes no lock away (lock.h).
 */
int format_recognise(const char *path, struct err *err);

/* An open file that has nothing in it becomes a recording of the newest format. */
int format_create(sqlite3 *db, const char *path, uint64_t began_wall_us, struct err *err);

/* 0 when this program can read it: a recording, and not from a newer program. */
int format_check(sqlite3 *db, const char *path, const struct embedded *sql, struct err *err);

/* Brings it to the newest format, all steps or none. */
int format_migrate(sqlite3 *db, const char *path, const struct embedded *sql, struct err *err);
