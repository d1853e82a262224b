/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The recorder. Two batches of rows: callers fill one, the writer thread writes the other, and
 * they change places. A batch is one transaction, so what is not yet in the file is at most two
 * batches; and the writer takes a batch as soon as it has COMMIT_ROWS rows, or COMMIT_MS after its
 * first, so nothing waits longer than that and one commit.
 *
 * A batch that cannot be written is kept and tried again every RETRY_MS. Meanwhile the other fills;
 * when it is full too, observations are lost. The loss is remembered as one gap, which goes into
 * the queue before whatever fits again; its seq is that of the first observation lost, so it is
 * free, and in order.
 *
 * The connection is opened by the caller's thread, then used by the writer alone until it has
 * ended.
 */
#include "store/recording.h"

#include "base/xalloc.h"
#include "obs/row.h"
#include "store/db.h"
#include "store/format.h"
#include "store/lock.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    COMMIT_ROWS = 4000,
    COMMIT_MS = 25,
    RETRY_MS = 200,
    PUT_WAIT_MS = 1000,
    FLUSH_WAIT_MS = 5000,
    BATCH_BYTES = 4 << 20,                      /* a batch is full from here on */
    BATCH_ROOM = BATCH_BYTES + 2 * OBS_ROW_MAX, /* two more fit */
    CHECKPOINT_PAGES = 4000,
    ROWS_AT_ONCE = 50, /* a statement for each row would take a third longer */
    COLUMNS = 7,
};

struct batch {
    struct buf rows;
    unsigned count;
    uint64_t last_seq;
};

struct recorder {
    char *path;
    struct file_lock *lock;
    sqlite3 *db;
    sqlite3_stmt *begin, *insert, *insert_many, *replace, *tail, *commit;
    struct batch writing; /* the writer's own */
    uint64_t tail_seq;    /* of the last row that we put into the table; the writer's too */
    bool tail_is_ours;    /* it is the table's last row */

    pthread_t writer;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t filled; /* the writer waits: rows came, or it is to end */
    pthread_cond_t taken;  /* callers wait: the writer took a batch, wrote it, or is in trouble */
    struct batch filling;
    bool closing;
    unsigned put_wait_ms, flush_wait_ms;
    bool flushing;    /* somebody waits for what was put: a batch need not fill */
    uint64_t put_seq; /* of the last observation put */
    uint64_t committed_seq;
    int trouble;
    struct err trouble_says;
    uint64_t lost;
    struct {
        uint64_t count, first_seq, first_us, last_us;
        int why;
    } gap; /* lost, and not yet told */
};

static struct timespec after_ms(unsigned ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

/* Batches. */

static bool batch_is_full(const struct batch *b)
{
    return b->rows.n >= BATCH_BYTES;
}

static void batch_add(struct batch *b, const struct obs *o)
{
    obs_row_put(&b->rows, o);
    b->count++;
    b->last_seq = o->seq;
}

static void batch_clear(struct batch *b)
{
    buf_clear(&b->rows);
    b->count = 0;
}

/* The writer. */

static int step_once(sqlite3_stmt *stmt)
{
    int r = sqlite3_step(stmt);

    sqlite3_reset(stmt);
    return r == SQLITE_DONE ? 0 : -1;
}

/*
 * A row that follows the last one gets its seq from SQLite, which then need not look whether there
 * is one already: that is a third of the work. After a gap the seq is given, and when the table's
 * last row is not ours.
 */
static void bind_row(struct recorder *r, sqlite3_stmt *insert, int at, const struct obs_row *row,
                     struct str fields)
{
    if (r->tail_is_ours && row->seq == r->tail_seq + 1)
        sqlite3_bind_null(insert, at + 1);
    else
        sqlite3_bind_int64(insert, at + 1, (sqlite3_int64)row->seq);
    r->tail_seq = row->seq;
    sqlite3_bind_int64(insert, at + 2, (sqlite3_int64)row->at_us);
    sqlite3_bind_int(insert, at + 3, row->kind);
    sqlite3_bind_int(insert, at + 4, row->source);
    sqlite3_bind_int64(insert, at + 5, row->device);
    sqlite3_bind_int64(insert, at + 6, (sqlite3_int64)row->flow);
    sqlite3_bind_blob(insert, at + 7, fields.p, (int)fields.n, SQLITE_STATIC);
}

/* So many of them, with the statement that has places for just so many. */
static int insert_some(struct recorder *r, sqlite3_stmt *insert, unsigned count, struct str *rows)
{
    struct obs_row row;

    for (unsigned i = 0; i < count; i++) {
        obs_row_peek(*rows, &row);
        bind_row(r, insert, (int)(i * COLUMNS), &row, obs_row_cut(rows, &row));
    }
    return step_once(insert);
}

/* SQLite gives the number after the table's last one, whosever that is. */
static int find_tail(struct recorder *r)
{
    int code = sqlite3_step(r->tail);

    r->tail_seq = r->committed_seq;
    r->tail_is_ours =
        code == SQLITE_ROW && (uint64_t)sqlite3_column_int64(r->tail, 0) == r->tail_seq;
    sqlite3_reset(r->tail);
    return code == SQLITE_ROW ? 0 : -1;
}

/*
 * Nobody else should write observations. When somebody has, their numbers do not become those of
 * ours, and a row of theirs that stands where one of ours belongs gives way: what was seen counts.
 */
static int insert_rows(struct recorder *r, struct str rows, unsigned count)
{
    int code = find_tail(r);

    for (; code == 0 && !r->tail_is_ours && count; count--)
        code = insert_some(r, r->replace, 1, &rows);
    for (; code == 0 && count >= ROWS_AT_ONCE; count -= ROWS_AT_ONCE)
        code = insert_some(r, r->insert_many, ROWS_AT_ONCE, &rows);
    for (; code == 0 && count; count--)
        code = insert_some(r, r->insert, 1, &rows);
    return code;
}

/* All of the batch, or nothing of it. */
static int write_batch(struct recorder *r, struct err *err)
{
    struct str rows = buf_str(&r->writing.rows);

    if (step_once(r->begin) == 0 && insert_rows(r, rows, r->writing.count) == 0 &&
        step_once(r->commit) == 0)
        return 0;

    int code = db_failed(r->db, r->path, err);
    if (!sqlite3_get_autocommit(r->db))
        sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

/* Waits for rows that are due, and takes them; false when there will be none any more. */
static bool take_batch(struct recorder *r)
{
    while (!r->filling.count && !r->closing)
        pthread_cond_wait(&r->filled, &r->mutex);

    struct timespec due = after_ms(COMMIT_MS);
    while (r->filling.count < COMMIT_ROWS && !r->closing && !r->flushing)
        if (pthread_cond_timedwait(&r->filled, &r->mutex, &due) == ETIMEDOUT)
            break;
    if (!r->filling.count)
        return false;

    struct batch empty = r->writing;
    r->writing = r->filling;
    r->filling = empty;
    pthread_cond_broadcast(&r->taken);
    return true;
}

static void wait_to_retry(struct recorder *r)
{
    struct timespec until = after_ms(RETRY_MS);

    while (!r->closing)
        if (pthread_cond_timedwait(&r->filled, &r->mutex, &until) == ETIMEDOUT)
            break;
}

static void set_trouble(struct recorder *r, int code, const struct err *says)
{
    r->trouble = code;
    r->trouble_says = *says;
    pthread_cond_broadcast(&r->taken);
}

/* Until it is written; or, once the recorder is to close, until it has failed once more. */
static bool write_until_done(struct recorder *r)
{
    struct err says;

    for (;;) {
        bool last_try = r->closing;

        pthread_mutex_unlock(&r->mutex);
        int code = write_batch(r, &says);
        pthread_mutex_lock(&r->mutex);
        if (code == 0)
            return true;
        set_trouble(r, code, &says);
        if (last_try)
            return false;
        wait_to_retry(r);
    }
}

static void *write_batches(void *recorder)
{
    struct recorder *r = recorder;

    pthread_mutex_lock(&r->mutex);
    while (take_batch(r)) {
        if (!write_until_done(r)) {
            r->lost += r->writing.count + r->filling.count;
            break;
        }
        r->trouble = 0;
        r->committed_seq = r->writing.last_seq;
        batch_clear(&r->writing);
        pthread_cond_broadcast(&r->taken);
    }
    pthread_mutex_unlock(&r->mutex);
    return NULL;
}

/* Callers. */

static bool wait_for_room(struct recorder *r)
{
    struct timespec until = after_ms(r->put_wait_ms);

    while (batch_is_full(&r->filling) && !r->trouble)
        if (pthread_cond_timedwait(&r->taken, &r->mutex, &until) == ETIMEDOUT)
            r->trouble = err_set(&r->trouble_says, -ETIMEDOUT,
                                 "%s: the disk does not take what is written to it", r->path);
    return !batch_is_full(&r->filling);
}

static void lose(struct recorder *r, const struct obs *o)
{
    if (!r->gap.count++) {
        r->gap.first_seq = o->seq;
        r->gap.first_us = o->at_us;
        r->gap.why = r->trouble;
    }
    r->gap.last_us = o->at_us;
    r->lost++;
}

static void put_gap(struct recorder *r)
{
    char text[160];
    snprintf(text, sizeof(text), "%" PRIu64 " observations could not be written: %s", r->gap.count,
             strerror(-r->gap.why));

    batch_add(&r->filling, &(struct obs){.seq = r->gap.first_seq,
                                         .at_us = r->gap.first_us,
                                         .kind = OBS_GAP,
                                         .source = SOURCE_RECORDER,
                                         .ms = (r->gap.last_us - r->gap.first_us) / 1000,
                                         .text = str_of(text)});
    r->gap.count = 0;
}

void recorder_put(void *recorder, const struct obs *o)
{
    struct recorder *r = recorder;

    pthread_mutex_lock(&r->mutex);
    assert(o->seq > r->put_seq && o->seq < RECORDING_NOTE_SEQ);
    r->put_seq = o->seq;
    if (batch_is_full(&r->filling) && !wait_for_room(r)) {
        lose(r, o);
    } else {
        unsigned before = r->filling.count;

        if (r->gap.count)
            put_gap(r);
        batch_add(&r->filling, o);
        if (!before || (before < COMMIT_ROWS && r->filling.count >= COMMIT_ROWS))
            pthread_cond_signal(&r->filled);
    }
    pthread_mutex_unlock(&r->mutex);
}

int recorder_flush(struct recorder *r, struct err *err)
{
    struct timespec until;
    int code = 0;

    pthread_mutex_lock(&r->mutex);
    until = after_ms(r->flush_wait_ms);
    r->flushing = true;
    pthread_cond_signal(&r->filled);
    while (code == 0 && (r->filling.count || r->writing.count)) {
        if (r->trouble)
            code = err_set(err, r->trouble, "%s", r->trouble_says.text);
        else if (pthread_cond_timedwait(&r->taken, &r->mutex, &until) == ETIMEDOUT)
            code = err_set(err, -ETIMEDOUT, "%s: the disk does not take what is written to it",
                           r->path);
    }
    r->flushing = false;
    pthread_mutex_unlock(&r->mutex);
    return code;
}

void recorder_set_patience(struct recorder *r, unsigned ms)
{
    pthread_mutex_lock(&r->mutex);
    r->put_wait_ms = r->flush_wait_ms = ms;
    pthread_mutex_unlock(&r->mutex);
}

uint64_t recorder_committed(struct recorder *r)
{
    pthread_mutex_lock(&r->mutex);
    uint64_t seq = r->committed_seq;
    pthread_mutex_unlock(&r->mutex);
    return seq;
}

int recorder_trouble(struct recorder *r, uint64_t *ret_lost, struct err *err)
{
    pthread_mutex_lock(&r->mutex);
    int trouble = r->trouble;
    *ret_lost = r->lost;
    if (trouble && err)
        *err = r->trouble_says;
    pthread_mutex_unlock(&r->mutex);
    return trouble;
}

/* Opening and closing. */

static int read_state(struct recorder *r, struct recording_state *ret_state, struct err *err)
{
    int64_t wall_us = 0, seq = 0, at_us = 0, flow = 0;
    int code;

    if ((code = db_number(r->db, r->path, "SELECT began_wall_us FROM recording", &wall_us, err)) <
            0 ||
        (code = db_number(r->db, r->path, "SELECT coalesce(max(seq), 0) FROM observation", &seq,
                          err)) < 0 ||
        (code = db_number(r->db, r->path,
                          "SELECT coalesce((SELECT at_us FROM observation ORDER BY seq DESC"
                          " LIMIT 1), 0)",
                          &at_us, err)) < 0 ||
        (code = db_number(r->db, r->path, "SELECT coalesce(max(flow), 0) FROM observation", &flow,
                          err)) < 0)
        return code;
    *ret_state = (struct recording_state){
        .began_wall_us = (uint64_t)wall_us,
        .last_seq = (uint64_t)seq,
        .last_us = (uint64_t)at_us,
        .last_flow = (uint64_t)flow,
    };
    return 0;
}

/* There is nothing in the file. (SQLite answers, as an unfinished creation is undone by that.) */
static int is_new(struct recorder *r, struct err *err)
{
    int64_t version = 0;
    int code = db_number(r->db, r->path, "PRAGMA schema_version", &version, err);

    return code < 0 ? code : !version;
}

static int prepare_insert(struct recorder *r, const char *verb, unsigned rows,
                          sqlite3_stmt **ret_insert, struct err *err)
{
    struct buf sql;
    int code;

    buf_init(&sql, BUF_UNBOUNDED);
    buf_printf(&sql, "%s INTO observation (seq, at_us, kind, source, device, flow, fields) VALUES",
               verb);
    for (unsigned i = 0; i < rows; i++)
        buf_put_str(&sql, i ? STR(", (?, ?, ?, ?, ?, ?, ?)") : STR(" (?, ?, ?, ?, ?, ?, ?)"));
    buf_put_byte(&sql, '\0');
    code = db_prepare(r->db, r->path, sql.p, ret_insert, err);
    buf_finish(&sql);
    return code;
}

static int open_database(struct recorder *r, uint64_t began_wall_us, struct err *err)
{
    int code;

    if ((code = db_open(r->path, &r->db, err)) < 0 || (code = is_new(r, err)) < 0)
        return code;
    if (code == 1)
        code = format_create(r->db, r->path, began_wall_us, err);
    else if ((code = format_check(r->db, r->path, store_sql, err)) == 0)
        code = format_migrate(r->db, r->path, store_sql, err);
    if (code < 0)
        return code;

    /* NORMAL under WAL: a crash of the machine may cost the last commits, never the file. */
    char settings[128];
    snprintf(settings, sizeof(settings),
             "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
             "PRAGMA wal_autocheckpoint = %d",
             CHECKPOINT_PAGES);
    if ((code = db_exec(r->db, r->path, settings, err)) < 0 ||
        (code = db_exec(r->db, r->path,
                        "UPDATE recording SET program = '" FLIGHTSTRIP_VERSION "'"
                        " WHERE program != '" FLIGHTSTRIP_VERSION "'",
                        err)) < 0 ||
        (code = db_prepare(r->db, r->path, "BEGIN IMMEDIATE", &r->begin, err)) < 0 ||
        (code = db_prepare(r->db, r->path, "COMMIT", &r->commit, err)) < 0 ||
        (code = db_prepare(r->db, r->path, "SELECT coalesce(max(seq), 0) FROM observation",
                           &r->tail, err)) < 0 ||
        (code = prepare_insert(r, "INSERT", 1, &r->insert, err)) < 0 ||
        (code = prepare_insert(r, "INSERT", ROWS_AT_ONCE, &r->insert_many, err)) < 0 ||
        (code = prepare_insert(r, "REPLACE", 1, &r->replace, err)) < 0)
        return code;
    return 0;
}

static void recorder_free(struct recorder *r)
{
    db_finalize(&r->begin);
    db_finalize(&r->insert);
    db_finalize(&r->insert_many);
    db_finalize(&r->replace);
    db_finalize(&r->tail);
    db_finalize(&r->commit);
    db_close(r->db);
    file_lock_release(r->lock);
    buf_finish(&r->writing.rows);
    buf_finish(&r->filling.rows);
    pthread_cond_destroy(&r->filled);
    pthread_cond_destroy(&r->taken);
    pthread_mutex_destroy(&r->mutex);
    free(r->path);
    free(r);
}

static struct recorder *recorder_new(const char *path)
{
    struct recorder *r = xalloc(sizeof(*r));
    pthread_condattr_t monotonic;

    r->path = xstrdup(path);
    r->put_wait_ms = PUT_WAIT_MS;
    r->flush_wait_ms = FLUSH_WAIT_MS;
    buf_init(&r->writing.rows, BATCH_ROOM);
    buf_init(&r->filling.rows, BATCH_ROOM);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&r->mutex, NULL);
    pthread_cond_init(&r->filled, &monotonic);
    pthread_cond_init(&r->taken, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return r;
}

int recorder_open(const char *path, uint64_t began_wall_us, struct recorder **ret_recorder,
                  struct recording_state *ret_state, struct err *err)
{
    struct recorder *r = recorder_new(path);
    int code;

    if ((code = file_lock_take(path, &r->lock, err)) < 0 ||
        (code = open_database(r, began_wall_us, err)) < 0 ||
        (code = read_state(r, ret_state, err)) < 0)
        goto fail;
    r->put_seq = r->committed_seq = ret_state->last_seq;
    if ((code = pthread_create(&r->writer, NULL, write_batches, r)) != 0) {
        code = err_set(err, -code, "%s: cannot start a thread: %s", path, strerror(code));
        goto fail;
    }
    *ret_recorder = r;
    return 0;

fail:
    recorder_free(r);
    return code;
}

void recording_state_resume(const struct recording_state *state, struct stream *stream)
{
    if (!state->last_seq)
        return;
    stream_resume(stream, state->last_seq, state->last_flow, state->last_us);

    uint64_t now_us = stream->clock ? clock_now_us(stream->clock) : state->last_us;
    uint64_t ms = now_us > state->last_us ? (now_us - state->last_us) / 1000 : 0;
    stream_put(stream, &(struct obs){.kind = OBS_GAP,
                                     .source = SOURCE_RECORDER,
                                     .at_us = state->last_us,
                                     .ms = ms,
                                     .text = STR("the recording was stopped and continued")});
}

/* Whoever reads it still has the rest in the -wal file, and merges it when done. */
static int leave_one_file(struct recorder *r, struct err *err)
{
    int code = db_exec(r->db, r->path, "PRAGMA journal_mode = DELETE", err);

    if (code == -EBUSY)
        return 0;
    if (code < 0)
        err_prefix(err, "everything is kept, but in two files (the other ends in -wal)");
    return code;
}

int recorder_close(struct recorder *r, struct err *err)
{
    int code;

    if (!r)
        return 0;
    pthread_mutex_lock(&r->mutex);
    if (r->gap.count)
        put_gap(r);
    r->closing = true;
    pthread_cond_signal(&r->filled);
    pthread_mutex_unlock(&r->mutex);
    pthread_join(r->writer, NULL);

    if (r->trouble)
        code = err_set(err, r->trouble, "%s; %" PRIu64 " observations are missing",
                       r->trouble_says.text, r->lost);
    else if (!file_lock_holds(r->lock, r->path))
        code = err_set(err, -ENOENT, "%s: was removed or replaced while it was recorded", r->path);
    else
        code = leave_one_file(r, err);
    recorder_free(r);
    return code;
}
