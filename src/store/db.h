/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * db: a connection to a recording, and what went wrong with it in one sentence. A connection is
 * used by one thread at a time.
 */
#pragma once

#include "base/err.h"

#include <sqlite3.h>

/* Opens a file that is there, for writing if it can be written. */
int db_open(const char *path, sqlite3 **ret_db, struct err *err);
/* NULL is fine. What was prepared has to be finalized before. */
void db_close(sqlite3 *db);

int db_exec(sqlite3 *db, const char *path, const char *sql, struct err *err);
int db_prepare(sqlite3 *db, const char *path, const char *sql, sqlite3_stmt **ret_stmt,
               struct err *err);
/* The first column of the first row. */
int db_number(sqlite3 *db, const char *path, const char *sql, int64_t *ret_value, struct err *err);

/* Says what SQLite's last call on db failed with; returns the negative errno it amounts to. */
int db_failed(sqlite3 *db, const char *path, struct err *err);

/* For AUTO(). */
void db_finalize(sqlite3_stmt **stmt);
void db_closed(sqlite3 **db);
