/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading. A replay is a series of slices, each its own short read transaction: so the WAL of a
 * recording that is being written can be emptied meanwhile, and each slice sees what was committed
 * before it began. The next note is looked up at the beginning of each slice and whenever one has
 * been handed out; there are few.
 */
#include "store/recording.h"

#include "base/auto.h"
#include "base/xalloc.h"
#include "obs/codec.h"
#include "store/db.h"
#include "store/format.h"
#include "store/private.h"

#include <errno.h>
#include <stdlib.h>

static int read_about(struct recording *r, struct err *err)
{
    AUTO(db_finalize) sqlite3_stmt *about = NULL;
    int code =
        db_prepare(r->db, r->path, "SELECT began_wall_us, knowledge_digest, program FROM recording",
                   &about, err);

    if (code < 0)
        return code;
    if (sqlite3_step(about) != SQLITE_ROW) {
        if (sqlite3_errcode(r->db) != SQLITE_DONE)
            return db_failed(r->db, r->path, err);
        return err_set(err, -EBADMSG, "%s: is damaged: it does not say when it began", r->path);
    }
    r->began_wall_us = (uint64_t)sqlite3_column_int64(about, 0);
    r->knowledge = (uint64_t)sqlite3_column_int64(about, 1);
    r->program = str_dup(str_of((const char *)sqlite3_column_text(about, 2)));
    return 0;
}

/* Opened for writing only so that the last who closes it merges what a killed recorder left. */
static int open_database(struct recording *r, struct err *err)
{
    int code;

    if ((code = format_recognise(r->path, err)) < 0 || (code = db_open(r->path, &r->db, err)) < 0 ||
        (code = db_exec(r->db, r->path, "PRAGMA query_only = ON", err)) < 0 ||
        (code = format_check(r->db, r->path, store_sql, err)) < 0 ||
        (code = read_about(r, err)) < 0 ||
        (code = db_prepare(r->db, r->path,
                           "SELECT " RECORDING_COLUMNS " FROM observation"
                           " WHERE seq > :after ORDER BY seq LIMIT 8192",
                           &r->rows, err)) < 0 ||
        (code = db_prepare(r->db, r->path,
                           "SELECT at_us, id, text FROM note WHERE (at_us, id) > (:at_us, :id)"
                           " ORDER BY at_us, id LIMIT 1",
                           &r->next_note, err)) < 0)
        return code;
    return 0;
}

int recording_open(const char *path, struct recording **ret_recording, struct err *err)
{
    struct recording *r = xalloc(sizeof(*r));
    int code;

    r->path = xstrdup(path);
    if ((code = open_database(r, err)) < 0) {
        recording_close(r);
        return code;
    }
    *ret_recording = r;
    return 0;
}

void recording_close(struct recording *r)
{
    if (!r)
        return;
    db_finalize(&r->rows);
    db_finalize(&r->next_note);
    db_finalize(&r->by_seq);
    db_finalize(&r->by_flow);
    db_close(r->db);
    free(r->program);
    free(r->path);
    free(r);
}

bool recording_is(const char *path)
{
    return format_recognise(path, NULL) == 0;
}

uint64_t recording_began_wall_us(const struct recording *r)
{
    return r->began_wall_us;
}

struct str recording_program(const struct recording *r)
{
    return str_of(r->program);
}

uint64_t recording_knowledge(const struct recording *r)
{
    return r->knowledge;
}

/* Where a replay stands. */
struct replay {
    struct recording *recording;
    bool (*put)(void *ctx, const struct obs *o);
    void *ctx;
    bool stopped; /* put returned false */
    uint64_t after, at_us;
    uint64_t damaged;
    bool has_note; /* the next to hand out, copied: it outlives its statement */
    bool notes_end;
    int64_t note_us, note_id;
    int64_t past_note_us, past_note_id; /* notes up to here have been handed out, or left out */
    struct buf note_text;
    struct err *err;
};

static int failed(const struct replay *p)
{
    return db_failed(p->recording->db, p->recording->path, p->err);
}

/* False when it is not after the last: a torn index leads back, round and round. */
static bool take_note(struct replay *p, sqlite3_stmt *note)
{
    struct str text = str_from(sqlite3_column_text(note, 2), (size_t)sqlite3_column_bytes(note, 2));

    p->note_us = sqlite3_column_int64(note, 0);
    p->note_id = sqlite3_column_int64(note, 1);
    buf_clear(&p->note_text);
    buf_put_str(&p->note_text, str_head(text, OBS_TEXT_MAX));
    return p->note_us > p->past_note_us ||
           (p->note_us == p->past_note_us && p->note_id > p->past_note_id);
}

/* The next note. Notes that cannot be read, from there on, count as one damaged row. */
static int find_note(struct replay *p)
{
    sqlite3_stmt *next = p->recording->next_note;
    int code = 0, r;

    p->has_note = false;
    if (p->notes_end)
        return 0;
    sqlite3_bind_int64(next, 1, p->past_note_us);
    sqlite3_bind_int64(next, 2, p->past_note_id);
    r = sqlite3_step(next);
    if (r == SQLITE_ROW)
        p->has_note = take_note(p, next);
    else if (r != SQLITE_DONE)
        code = failed(p);
    sqlite3_reset(next);

    if (code == -EBADMSG || (r == SQLITE_ROW && !p->has_note)) {
        p->notes_end = true;
        p->damaged++;
        code = 0;
    }
    return code;
}

static void hand_out(struct replay *p, const struct obs *o)
{
    p->stopped = !p->put(p->ctx, o);
}

/* Those of a moment before until_us. */
static int hand_out_notes(struct replay *p, uint64_t until_us)
{
    while (p->has_note && !p->stopped && (uint64_t)p->note_us < until_us) {
        hand_out(p, &(struct obs){.seq = RECORDING_NOTE_SEQ + (uint64_t)p->note_id,
                                  .at_us = (uint64_t)p->note_us,
                                  .kind = OBS_NOTE,
                                  .source = SOURCE_PERSON,
                                  .text = buf_str(&p->note_text)});
        p->past_note_us = p->note_us;
        p->past_note_id = p->note_id;

        int code = find_note(p);
        if (code < 0)
            return code;
    }
    return 0;
}

bool recording_decode_row(sqlite3_stmt *row, struct obs *o)
{
    int64_t kind = sqlite3_column_int64(row, 2), source = sqlite3_column_int64(row, 3);
    int64_t device = sqlite3_column_int64(row, 4), at_us = sqlite3_column_int64(row, 1);

    if (at_us < 0 || kind < 0 || kind >= OBS_KINDS || device < 0 || device > UINT32_MAX)
        return false;
    *o = (struct obs){
        .seq = (uint64_t)sqlite3_column_int64(row, 0),
        .at_us = (uint64_t)at_us,
        .kind = (enum obs_kind)kind,
        .source = source > 0 && source < SOURCE_COUNT ? (enum obs_source)source : SOURCE_NONE,
        .device = (uint32_t)device,
        .flow = (uint64_t)sqlite3_column_int64(row, 5),
    };

    const void *fields = sqlite3_column_blob(row, 6);
    return obs_decode_fields(str_from(fields, (size_t)sqlite3_column_bytes(row, 6)), o);
}

/* A torn index leads back to rows that have been handed out, round and round. */
static bool is_after(uint64_t after, uint64_t seq)
{
    return seq > after && seq < RECORDING_NOTE_SEQ;
}

static int hand_out_row(struct replay *p, sqlite3_stmt *row)
{
    uint64_t seq = (uint64_t)sqlite3_column_int64(row, 0);
    struct obs o;

    if (!is_after(p->after, seq))
        return err_set(p->err, -EBADMSG, "%s: is damaged", p->recording->path);
    p->after = seq;
    if (!recording_decode_row(row, &o)) {
        p->damaged++;
        return 0;
    }
    p->at_us = o.at_us;

    int code = hand_out_notes(p, o.at_us);
    if (code == 0 && !p->stopped)
        hand_out(p, &o);
    return code;
}

/* Returns 1 when there may be more, 0 at the end. */
static int hand_out_slice(struct replay *p)
{
    sqlite3_stmt *rows = p->recording->rows;
    int count = 0, code = 0, r = SQLITE_ROW;

    sqlite3_bind_int64(rows, 1, (sqlite3_int64)p->after);
    while (code == 0 && !p->stopped && (r = sqlite3_step(rows)) == SQLITE_ROW) {
        code = hand_out_row(p, rows);
        count++;
    }
    if (r != SQLITE_ROW && r != SQLITE_DONE)
        code = failed(p);
    sqlite3_reset(rows);
    return code < 0 ? code : count > 0;
}

/* The first row after `after` can be read (or there is none). */
static bool is_readable(struct replay *p, uint64_t after)
{
    sqlite3_stmt *rows = p->recording->rows;

    sqlite3_bind_int64(rows, 1, (sqlite3_int64)after);
    int r = sqlite3_step(rows);
    bool readable = r == SQLITE_DONE ||
                    (r == SQLITE_ROW && is_after(after, (uint64_t)sqlite3_column_int64(rows, 0)));
    sqlite3_reset(rows);
    return readable;
}

/*
 * A page that cannot be read hides the rows on it, some dozens. Finds where they end, first in
 * longer and longer strides, then by halves, and counts them. False when everything further on is
 * hidden.
 */
static bool skip_damage(struct replay *p)
{
    uint64_t hidden = p->after, readable, stride = 1;

    while (!is_readable(p, hidden + stride)) {
        hidden += stride;
        stride *= 2;
        if (stride >= RECORDING_NOTE_SEQ)
            return false;
    }
    readable = hidden + stride;
    while (readable - hidden > 1) {
        uint64_t middle = hidden + (readable - hidden) / 2;

        if (is_readable(p, middle))
            readable = middle;
        else
            hidden = middle;
    }
    p->damaged += readable - p->after;
    p->after = readable;
    return true;
}

/* A note that was written meanwhile about an earlier moment waits for the next replay. */
static void pass_notes(struct replay *p)
{
    int64_t at_us = p->at_us < INT64_MAX ? (int64_t)p->at_us : INT64_MAX;

    if (p->past_note_us < at_us) {
        p->past_note_us = at_us;
        p->past_note_id = 0;
    }
}

static int hand_out_rows(struct replay *p)
{
    int code = 1;

    while (code > 0 && !p->stopped) {
        pass_notes(p);
        if ((code = find_note(p)) == 0)
            code = hand_out_slice(p);
        if (code == -EBADMSG && skip_damage(p))
            code = 1;
    }
    return code;
}

/* Begins at the moment of the observation `after`: notes about earlier ones belong before it. */
static int begin_after(struct replay *p)
{
    AUTO(db_finalize) sqlite3_stmt *at = NULL;
    int code = db_prepare(p->recording->db, p->recording->path,
                          "SELECT at_us FROM observation WHERE seq <= :seq"
                          " ORDER BY seq DESC LIMIT 1",
                          &at, p->err);

    if (code < 0)
        return code;
    sqlite3_bind_int64(at, 1, (sqlite3_int64)p->after);
    if (sqlite3_step(at) == SQLITE_ROW)
        p->at_us = (uint64_t)sqlite3_column_int64(at, 0);
    return 0;
}

int recording_replay(struct recording *r, uint64_t after,
                     bool (*put)(void *ctx, const struct obs *o), void *ctx, uint64_t *ret_damaged,
                     struct err *err)
{
    struct replay p = {.recording = r, .put = put, .ctx = ctx, .after = after, .err = err};
    int code = 0;

    buf_init(&p.note_text, OBS_TEXT_MAX);
    if ((!after || (code = begin_after(&p)) == 0) && (code = hand_out_rows(&p)) == 0 &&
        !p.stopped && (code = find_note(&p)) == 0)
        code = hand_out_notes(&p, UINT64_MAX);
    buf_finish(&p.note_text);
    *ret_damaged = p.damaged;
    return code < 0 ? code : 0;
}

int recording_write_beside(const char *path, const char *sql, sqlite3 **ret_db,
                           sqlite3_stmt **ret_stmt, struct err *err)
{
    int code;

    if ((code = format_recognise(path, err)) < 0 || (code = db_open(path, ret_db, err)) < 0 ||
        (code = format_check(*ret_db, path, store_sql, err)) < 0 ||
        (code = format_migrate(*ret_db, path, store_sql, err)) < 0)
        return code;
    return db_prepare(*ret_db, path, sql, ret_stmt, err);
}

int recording_set_knowledge(const char *path, uint64_t digest, struct err *err)
{
    AUTO(db_closed) sqlite3 *db = NULL;
    AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
    int code = recording_write_beside(path, "UPDATE recording SET knowledge_digest = :digest", &db,
                                      &stmt, err);

    if (code < 0)
        return code;
    sqlite3_bind_int64(stmt, 1, (sqlite3_int64)digest);
    return sqlite3_step(stmt) == SQLITE_DONE ? 0 : db_failed(db, path, err);
}
