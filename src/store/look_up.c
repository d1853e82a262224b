/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Some observations out of a recording, by their seqs. */
#include "base/auto.h"
#include "store/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Prepared when it is first asked for, and kept. */
static int prepare(struct recording *r, const char *sql, sqlite3_stmt **stmt, struct err *err)
{
    return *stmt ? 0 : db_prepare(r->db, r->path, sql, stmt, err);
}

/* Hands out what the statement gives; a damaged row is left out. */
static int hand_out(struct recording *r, sqlite3_stmt *stmt,
                    bool (*put)(void *ctx, const struct obs *o), void *ctx, struct err *err)
{
    struct obs o;
    bool goes_on = true;
    int step = SQLITE_DONE;

    while (goes_on && (step = sqlite3_step(stmt)) == SQLITE_ROW)
        if (recording_decode_row(stmt, &o))
            goes_on = put(ctx, &o);

    int code = step == SQLITE_ROW || step == SQLITE_DONE ? 0 : db_failed(r->db, r->path, err);
    sqlite3_reset(stmt);
    return code;
}

int recording_look_up(struct recording *r, const uint64_t *seqs, size_t n,
                      bool (*put)(void *ctx, const struct obs *o), void *ctx, struct err *err)
{
    int code = prepare(r, "SELECT " RECORDING_COLUMNS " FROM observation WHERE seq = :seq",
                       &r->by_seq, err);

    for (size_t i = 0; code == 0 && i < n; i++) {
        sqlite3_bind_int64(r->by_seq, 1, (sqlite3_int64)seqs[i]);
        code = hand_out(r, r->by_seq, put, ctx, err);
    }
    return code;
}

int recording_look_up_flow(struct recording *r, const struct recording_flow *flow,
                           bool (*put)(void *ctx, const struct obs *o), void *ctx, struct err *err)
{
    int code = prepare(r,
                       "SELECT " RECORDING_COLUMNS " FROM observation"
                       " WHERE seq BETWEEN :first AND :last AND flow = :flow ORDER BY seq",
                       &r->by_flow, err);

    if (code < 0)
        return code;
    sqlite3_bind_int64(r->by_flow, 1, (sqlite3_int64)flow->first_seq);
    sqlite3_bind_int64(r->by_flow, 2, (sqlite3_int64)flow->last_seq);
    sqlite3_bind_int64(r->by_flow, 3, (sqlite3_int64)flow->number);
    return hand_out(r, r->by_flow, put, ctx, err);
}

/* --- a copy --- */

static int copy_into(struct recording *r, const char *path, struct err *err)
{
    AUTO(db_closed) sqlite3 *copy = NULL;
    sqlite3_backup *backup;
    int code = db_open(path, &copy, err);

    if (code < 0)
        return code;
    backup = sqlite3_backup_init(copy, "main", r->db, "main");
    if (backup && sqlite3_backup_step(backup, -1) == SQLITE_DONE)
        return sqlite3_backup_finish(backup) == SQLITE_OK ? 0 : db_failed(copy, path, err);
    sqlite3_backup_finish(backup);
    return db_failed(copy, path, err);
}

int recording_copy(struct recording *r, int *ret_fd, struct err *err)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    int code;

    snprintf(path, sizeof path, "%s/flightstrip-XXXXXX", folder && *folder ? folder : "/tmp");

    AUTO(auto_close) int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return err_set(err, -errno, "%s: cannot be made: %s", path, strerror(errno));
    code = copy_into(r, path, err);
    unlink(path);
    if (code == 0)
        *ret_fd = steal_fd(&fd);
    return code;
}
