/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/notes.h"

#include "base/auto.h"
#include "obs/codec.h"
#include "store/private.h"

#include <errno.h>
#include <inttypes.h>

/* --- reading --- */

int recording_notes(struct recording *r, void (*put)(void *ctx, const struct recording_note *n),
                    void *ctx, struct err *err)
{
    AUTO(db_finalize) sqlite3_stmt *notes = NULL;
    int code, left = NOTES_LISTED_MAX;

    code = db_prepare(r->db, r->path, "SELECT id, at_us, text FROM note ORDER BY at_us, id", &notes,
                      err);
    if (code < 0)
        return code;
    while ((code = sqlite3_step(notes)) == SQLITE_ROW && left--) {
        struct str text =
            str_from(sqlite3_column_text(notes, 2), (size_t)sqlite3_column_bytes(notes, 2));

        put(ctx, &(struct recording_note){.id = (uint64_t)sqlite3_column_int64(notes, 0),
                                          .at_us = (uint64_t)sqlite3_column_int64(notes, 1),
                                          .text = str_head(text, OBS_TEXT_MAX)});
    }
    return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : db_failed(r->db, r->path, err);
}

/* Each number in its turn: notes that change places are another list. */
static uint64_t mixed(uint64_t digest, uint64_t number)
{
    return (digest ^ number) * 0x100000001b3ull;
}

static void mix(void *ctx, const struct recording_note *n)
{
    uint64_t *digest = ctx;

    *digest = mixed(mixed(mixed(*digest, n->id), n->at_us), str_hash(n->text));
}

int recording_notes_digest(struct recording *r, uint64_t *ret_digest, struct err *err)
{
    uint64_t digest = 0xcbf29ce484222325ull;
    int code = recording_notes(r, mix, &digest, err);

    if (code == 0)
        *ret_digest = digest;
    return code;
}

/* --- writing --- */

static int step(const char *path, sqlite3 *db, sqlite3_stmt *stmt, struct err *err)
{
    return sqlite3_step(stmt) == SQLITE_DONE ? 0 : db_failed(db, path, err);
}

static void bind_text(sqlite3_stmt *stmt, int at, struct str text)
{
    text = str_head(text, OBS_TEXT_MAX);
    sqlite3_bind_text(stmt, at, text.p ? text.p : "", (int)text.n, SQLITE_STATIC);
}

static int refuse_late(const char *path, uint64_t at_us, struct err *err)
{
    if (at_us <= INT64_MAX)
        return 0;
    return err_set(err, -ERANGE, "%s: a note cannot be that late", path);
}

int recording_add_note(const char *path, uint64_t at_us, struct str text, uint64_t *ret_id,
                       struct err *err)
{
    AUTO(db_closed) sqlite3 *db = NULL;
    AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
    int code;

    if ((code = refuse_late(path, at_us, err)) < 0 ||
        (code = recording_write_beside(
             path, "INSERT INTO note (at_us, text) VALUES (:at_us, :text)", &db, &stmt, err)) < 0)
        return code;
    sqlite3_bind_int64(stmt, 1, (sqlite3_int64)at_us);
    bind_text(stmt, 2, text);
    code = step(path, db, stmt, err);
    if (code == 0 && ret_id)
        *ret_id = (uint64_t)sqlite3_last_insert_rowid(db);
    return code;
}

static int refuse_unknown(const char *path, sqlite3 *db, uint64_t id, struct err *err)
{
    if (sqlite3_changes(db))
        return 0;
    return err_set(err, -ENOENT, "%s: there is no note %" PRIu64, path, id);
}

int recording_change_note(const char *path, const struct recording_note *note, struct err *err)
{
    AUTO(db_closed) sqlite3 *db = NULL;
    AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
    int code;

    if ((code = refuse_late(path, note->at_us, err)) < 0 ||
        (code = recording_write_beside(
             path, "UPDATE note SET at_us = :at_us, text = :text WHERE id = :id", &db, &stmt,
             err)) < 0)
        return code;
    sqlite3_bind_int64(stmt, 1, (sqlite3_int64)note->at_us);
    bind_text(stmt, 2, note->text);
    sqlite3_bind_int64(stmt, 3, (sqlite3_int64)note->id);
    code = step(path, db, stmt, err);
    return code < 0 ? code : refuse_unknown(path, db, note->id, err);
}

int recording_remove_note(const char *path, uint64_t id, struct err *err)
{
    AUTO(db_closed) sqlite3 *db = NULL;
    AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
    int code = recording_write_beside(path, "DELETE FROM note WHERE id = :id", &db, &stmt, err);

    if (code < 0)
        return code;
    sqlite3_bind_int64(stmt, 1, (sqlite3_int64)id);
    code = step(path, db, stmt, err);
    return code < 0 ? code : refuse_unknown(path, db, id, err);
}
