/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/db.h"

#include "base/auto.h"

#include <errno.h>
#include <string.h>

/* Others hold the file for the length of a small commit, or of a checkpoint at the most. */
enum { BUSY_MS = 2000 };

/*
 * The errno of a failed write. SQLite keeps it with the file, for a failed commit only there; in
 * WAL mode what it calls the journal is the WAL.
 */
static int errno_of(sqlite3 *db)
{
    int system_errno = sqlite3_system_errno(db);
    sqlite3_file *wal = NULL;

    if (!system_errno &&
        sqlite3_file_control(db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &wal) == SQLITE_OK && wal &&
        wal->pMethods)
        wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &system_errno);
    if (!system_errno)
        sqlite3_file_control(db, NULL, SQLITE_FCNTL_LAST_ERRNO, &system_errno);
    return system_errno;
}

int db_failed(sqlite3 *db, const char *path, struct err *err)
{
    int code = sqlite3_errcode(db), system_errno = 0;

    /* Asking for the errno forgets the code and the text. */
    err_set(err, -EIO, "%s: %s", path, sqlite3_errmsg(db));
    system_errno = errno_of(db);

    switch (code) {
    case SQLITE_FULL:
        return err_set(err, -ENOSPC, "%s: cannot write: the disk is full", path);
    case SQLITE_IOERR:
        if (!system_errno)
            break;
        return err_set(err, -system_errno, "%s: cannot read or write: %s", path,
                       strerror(system_errno));
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        if (!system_errno)
            break;
        return err_set(err, -system_errno, "%s: cannot open: %s", path, strerror(system_errno));
    case SQLITE_READONLY:
        return err_set(err, -EROFS, "%s: cannot be written", path);
    case SQLITE_BUSY:
        return err_set(err, -EBUSY, "%s: is in use by another program", path);
    case SQLITE_CORRUPT:
        return err_set(err, -EBADMSG, "%s: is damaged or cut short", path);
    case SQLITE_NOTADB:
        return err_set(err, -EINVAL, "%s: is not a flightstrip recording", path);
    case SQLITE_NOMEM:
        return err_set(err, -ENOMEM, "%s: out of memory", path);
    default:
        break;
    }
    return -EIO;
}

/*
 * A recording may come from a stranger: its schema can hold no code that runs, its pages are
 * checked as they are read, and SQLite refuses what only a forger would ask for.
 */
static void distrust(sqlite3 *db)
{
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 16 << 20);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_exec(db, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0", NULL, NULL, NULL);
}

int db_open(const char *path, sqlite3 **ret_db, struct err *err)
{
    /* The whole path, so that no name is special to SQLite (":memory:"). */
    AUTO(auto_free) char *whole = realpath(path, NULL);
    sqlite3 *db = NULL;
    int r;

    if (!whole)
        return err_set(err, -errno, "%s: cannot open: %s", path, strerror(errno));
    if (sqlite3_open_v2(whole, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK) {
        r = db ? db_failed(db, path, err) : err_set(err, -ENOMEM, "%s: out of memory", path);
        db_close(db);
        return r;
    }
    sqlite3_busy_timeout(db, BUSY_MS);
    distrust(db);
    *ret_db = db;
    return 0;
}

void db_close(sqlite3 *db)
{
    sqlite3_close_v2(db);
}

int db_exec(sqlite3 *db, const char *path, const char *sql, struct err *err)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return db_failed(db, path, err);
    return 0;
}

int db_prepare(sqlite3 *db, const char *path, const char *sql, sqlite3_stmt **ret_stmt,
               struct err *err)
{
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_stmt, NULL) != SQLITE_OK)
        return db_failed(db, path, err);
    return 0;
}

int db_number(sqlite3 *db, const char *path, const char *sql, int64_t *ret_value, struct err *err)
{
    AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
    int r = db_prepare(db, path, sql, &stmt, err);

    if (r < 0)
        return r;
    if (sqlite3_step(stmt) != SQLITE_ROW)
        return db_failed(db, path, err);
    *ret_value = sqlite3_column_int64(stmt, 0);
    return 0;
}

void db_finalize(sqlite3_stmt **stmt)
{
    sqlite3_finalize(*stmt);
    *stmt = NULL;
}

void db_closed(sqlite3 **db)
{
    db_close(*db);
}
