/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/format.h"

#include "base/auto.h"
#include "base/xalloc.h"
#include "store/db.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* "Database File Format", section 1.3 (sqlite.org/fileformat2.html): where the header says what. */
enum { HEADER_BYTES = 100, HEADER_APPLICATION_ID = 68 };
static const char MAGIC[16] = "SQLite format 3";

static int64_t newest(const struct embedded *sql)
{
    int64_t format = 0;

    while (sql[format].name)
        format++;
    return format;
}

static int read_header(sqlite3_vfs *vfs, sqlite3_file *file, const char *path, char *header,
                       sqlite3_int64 *ret_size, struct err *err)
{
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
    sqlite3_filename name = sqlite3_create_filename(path, "", "", 0, NULL);
    int r = -EIO;

    if (!name)
        return err_set(err, -ENOMEM, "%s: out of memory", path);
    errno = 0;
    if (vfs->xOpen(vfs, name, file, flags, NULL) == SQLITE_OK) {
        /* A read past the end fills up with zeros and says so; that is no failure here. */
        int read = file->pMethods->xRead(file, header, HEADER_BYTES, 0);

        if ((read == SQLITE_OK || read == SQLITE_IOERR_SHORT_READ) &&
            file->pMethods->xFileSize(file, ret_size) == SQLITE_OK)
            r = 0;
    }
    if (r < 0)
        r = err_set(err, errno ? -errno : r, "%s: cannot read: %s", path, strerror(errno));
    if (file->pMethods)
        file->pMethods->xClose(file);
    sqlite3_free_filename(name);
    return r;
}

static int recognise(const char *path, const char *header, sqlite3_int64 size, struct err *err)
{
    const unsigned char *id = (const unsigned char *)header + HEADER_APPLICATION_ID;

    if (!size)
        return err_set(err, -ENODATA, "%s: is empty", path);
    if (memcmp(header, MAGIC, sizeof(MAGIC)) != 0)
        return err_set(err, -EINVAL, "%s: is not a flightstrip recording", path);
    if (size < HEADER_BYTES)
        return err_set(err, -EBADMSG, "%s: is damaged or cut short", path);
    if (((uint32_t)id[0] << 24 | id[1] << 16 | id[2] << 8 | id[3]) != FORMAT_APPLICATION_ID)
        return err_set(err, -EINVAL, "%s: is an SQLite file, but not a flightstrip recording",
                       path);
    return 0;
}

int format_recognise(const char *path, struct err *err)
{
    AUTO(auto_free) char *whole = realpath(path, NULL);
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    char header[HEADER_BYTES] = {0};
    sqlite3_int64 size = 0;
    struct stat st;

    if (!whole || stat(whole, &st) < 0)
        return err_set(err, -errno, "%s: cannot open: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(err, -EINVAL, "%s: is not a regular file", path);
    if (!vfs)
        return err_set(err, -EIO, "%s: SQLite cannot read files here", path);

    AUTO(auto_free) sqlite3_file *file = xalloc((size_t)vfs->szOsFile);
    int r = read_header(vfs, file, whole, header, &size, err);

    return r < 0 ? r : recognise(path, header, size, err);
}

static int set_format(sqlite3 *db, const char *path, int64_t format, struct err *err)
{
    char pragma[64];

    snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %lld", (long long)format);
    return db_exec(db, path, pragma, err);
}

static int create(sqlite3 *db, const char *path, uint64_t began_wall_us, struct err *err)
{
    AUTO(db_finalize) sqlite3_stmt *insert = NULL;
    char pragma[64];
    int r;

    snprintf(pragma, sizeof(pragma), "PRAGMA application_id = %d", FORMAT_APPLICATION_ID);
    if ((r = db_exec(db, path, pragma, err)) < 0 ||
        (r = db_exec(db, path, store_sql[0].bytes, err)) < 0 ||
        (r = set_format(db, path, newest(store_sql), err)) < 0 ||
        (r = db_prepare(db, path,
                        "INSERT INTO recording (id, began_wall_us, program)"
                        " VALUES (1, :began_wall_us, :program)",
                        &insert, err)) < 0)
        return r;
    sqlite3_bind_int64(insert, 1, (sqlite3_int64)began_wall_us);
    sqlite3_bind_text(insert, 2, FLIGHTSTRIP_VERSION, -1, SQLITE_STATIC);
    return sqlite3_step(insert) == SQLITE_DONE ? 0 : db_failed(db, path, err);
}

/* Commits when `r` is not negative and undoes everything otherwise. */
static int end(sqlite3 *db, const char *path, int r, struct err *err)
{
    if (r >= 0)
        r = db_exec(db, path, "COMMIT", err);
    if (r < 0)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

/*
 * In one transaction under SQLite's rollback journal, before WAL begins: so the file's own first
 * page says what it is from the moment there is one.
 */
int format_create(sqlite3 *db, const char *path, uint64_t began_wall_us, struct err *err)
{
    int r = db_exec(db, path, "BEGIN IMMEDIATE", err);

    return r < 0 ? r : end(db, path, create(db, path, began_wall_us, err), err);
}

int format_check(sqlite3 *db, const char *path, const struct embedded *sql, struct err *err)
{
    int64_t id = 0, format = 0, tables = 0;
    int r;

    if ((r = db_number(db, path, "PRAGMA application_id", &id, err)) < 0 ||
        (r = db_number(db, path, "PRAGMA user_version", &format, err)) < 0 ||
        (r = db_number(db, path,
                       "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
                       " AND sql LIKE 'CREATE TABLE %' /* and not a virtual one */"
                       " AND name IN ('recording', 'observation', 'note')",
                       &tables, err)) < 0)
        return r;
    if (id != FORMAT_APPLICATION_ID || format < 1)
        return err_set(err, -EINVAL, "%s: is an SQLite file, but not a flightstrip recording",
                       path);
    if (format > newest(sql))
        return err_set(err, -EOPNOTSUPP,
                       "%s: was recorded by a newer flightstrip (its format is %lld, this one reads"
                       " up to %lld)",
                       path, (long long)format, (long long)newest(sql));
    if (tables != 3)
        return err_set(err, -EBADMSG, "%s: is damaged: tables are missing", path);
    return 0;
}

static int migrate(sqlite3 *db, const char *path, const struct embedded *sql, struct err *err)
{
    int64_t format = 0;
    int r;

    if ((r = db_number(db, path, "PRAGMA user_version", &format, err)) < 0)
        return r;
    for (; format < newest(sql); format++) {
        if ((r = db_exec(db, path, sql[format].bytes, err)) < 0) {
            err_prefix(err, "%s", sql[format].name);
            return r;
        }
    }
    return set_format(db, path, format, err);
}

int format_migrate(sqlite3 *db, const char *path, const struct embedded *sql, struct err *err)
{
    int64_t format = 0;
    int r = db_number(db, path, "PRAGMA user_version", &format, err);

    if (r < 0 || format == newest(sql))
        return r;
    if ((r = db_exec(db, path, "BEGIN IMMEDIATE", err)) < 0)
        return r;
    return end(db, path, migrate(db, path, sql, err), err);
}
