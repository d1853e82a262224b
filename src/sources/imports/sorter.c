/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/imports/sorter.h"

#include "base/auto.h"
#include "base/buf.h"
#include "base/xalloc.h"
#include "obs/codec.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RUNS_MAX = 256, /* more are merged into one first, so that the readers' memory is bounded */
    CHUNK_BYTES = 64 << 10,
};

/* An observation in the batch and in the file: this, and the bytes of its fields. */
struct record {
    uint64_t at_us;
    uint64_t flow;
    uint32_t device;
    uint32_t field_bytes;
    uint32_t kind;
    uint32_t source;
};

struct item {
    uint64_t at_us;
    size_t offset; /* of the record in the batch; grows with each, so it also tells the order */
};

struct run {
    off_t begin, end;
};

struct sorter {
    size_t batch_bytes;
    struct buf batch;
    struct item *items;
    size_t item_count, item_room;

    int fd; /* -1 until the first run */
    off_t file_bytes;
    struct buf out; /* what is to be written at file_bytes */
    struct run runs[RUNS_MAX];
    size_t run_count, spilled;
};

struct sorter *sorter_create(size_t batch_bytes)
{
    struct sorter *s = xalloc(sizeof *s);

    s->batch_bytes = batch_bytes;
    s->fd = -1;
    buf_init(&s->batch, BUF_UNBOUNDED);
    buf_init(&s->out, BUF_UNBOUNDED);
    return s;
}

void sorter_destroy(struct sorter *s)
{
    if (!s)
        return;
    auto_close(&s->fd);
    buf_finish(&s->batch);
    buf_finish(&s->out);
    free(s->items);
    free(s);
}

size_t sorter_spilled(const struct sorter *s)
{
    return s->spilled;
}

/* /var/tmp is for what may be large; /tmp is often memory. */
static const char *temporary_dir(void)
{
    const char *dir = getenv("TMPDIR");

    return dir && *dir ? dir : "/var/tmp";
}

static int open_temporary(int *ret_fd, struct err *err)
{
    const char *dir = temporary_dir();
    AUTO(auto_free) char *path = NULL;
    int fd;

    if (asprintf(&path, "%s/flightstrip-XXXXXX", dir) < 0)
        return err_set(err, -ENOMEM, "no memory for a temporary file's name");
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return err_set(err, -errno, "%s: cannot make a temporary file: %s", dir, strerror(errno));
    unlink(path);
    *ret_fd = fd;
    return 0;
}

static int flush(struct sorter *s, struct err *err)
{
    struct str rest = buf_str(&s->out);

    while (rest.n) {
        ssize_t n = pwrite(s->fd, rest.p, rest.n, s->file_bytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, -errno, "%s: cannot write a temporary file: %s", temporary_dir(),
                           strerror(errno));
        rest = str_skip(rest, (size_t)n);
        s->file_bytes += n;
    }
    buf_clear(&s->out);
    return 0;
}

static int write_record(struct sorter *s, const struct record *r, struct str fields,
                        struct err *err)
{
    buf_put(&s->out, r, sizeof *r);
    buf_put_str(&s->out, fields);
    return s->out.n < CHUNK_BYTES ? 0 : flush(s, err);
}

static struct record record_at(struct str bytes, struct str *ret_fields)
{
    struct record r;

    assert(bytes.n >= sizeof r);
    memcpy(&r, bytes.p, sizeof r);
    *ret_fields = str_head(str_skip(bytes, sizeof r), r.field_bytes);
    return r;
}

static int compare_items(const void *a, const void *b)
{
    const struct item *left = a, *right = b;

    if (left->at_us != right->at_us)
        return left->at_us < right->at_us ? -1 : 1;
    return (left->offset > right->offset) - (left->offset < right->offset);
}

static void sort_batch(struct sorter *s)
{
    if (s->item_count)
        qsort(s->items, s->item_count, sizeof *s->items, compare_items);
}

static int merge_runs_into_one(struct sorter *s, struct err *err);

/* Sorts the batch and appends it to the file as a run. */
static int spill(struct sorter *s, struct err *err)
{
    int r = s->fd < 0 ? open_temporary(&s->fd, err) : 0;

    if (!r && s->run_count == RUNS_MAX)
        r = merge_runs_into_one(s, err);

    off_t begin = s->file_bytes;
    sort_batch(s);
    for (size_t i = 0; !r && i < s->item_count; i++) {
        struct str fields;
        struct record rec = record_at(str_skip(buf_str(&s->batch), s->items[i].offset), &fields);

        r = write_record(s, &rec, fields, err);
    }
    if (!r)
        r = flush(s, err);
    if (r)
        return r;
    s->runs[s->run_count++] = (struct run){begin, s->file_bytes};
    s->spilled++;
    s->item_count = 0;
    buf_clear(&s->batch);
    return 0;
}

int sorter_put(struct sorter *s, const struct obs *o, struct err *err)
{
    size_t offset = s->batch.n;
    struct record r = {
        .at_us = o->at_us,
        .flow = o->flow,
        .device = o->device,
        .kind = o->kind,
        .source = o->source,
    };

    buf_put(&s->batch, &r, sizeof r);
    obs_encode_fields(o, &s->batch);
    r.field_bytes = (uint32_t)(s->batch.n - offset - sizeof r);
    memcpy(s->batch.p + offset, &r, sizeof r);

    if (s->item_count == s->item_room) {
        s->item_room = s->item_room ? s->item_room * 2 : 1024;
        s->items = xreallocarray(s->items, s->item_room, sizeof *s->items);
    }
    s->items[s->item_count++] = (struct item){o->at_us, offset};

    if (s->batch.n + s->item_count * sizeof *s->items < s->batch_bytes)
        return 0;
    return spill(s, err);
}

/* A run that is being read: its next record is at the front of `bytes`. */
struct cursor {
    off_t at, end; /* what of the file is not yet in `bytes` */
    struct buf bytes;
    size_t eaten;
    struct record next;
    struct str fields;
    bool at_end;
};

/* Reads on until `bytes` has n more than what was eaten; the run is known to have them. */
static int cursor_fill(struct cursor *c, int fd, size_t n, struct err *err)
{
    if (c->bytes.n - c->eaten >= n)
        return 0;
    buf_eat(&c->bytes, c->eaten);
    c->eaten = 0;
    while (c->bytes.n < n) {
        size_t want = n - c->bytes.n > CHUNK_BYTES ? n - c->bytes.n : CHUNK_BYTES;
        size_t left = (size_t)(c->end - c->at);
        void *room = buf_reserve(&c->bytes, want < left ? want : left);
        ssize_t got = pread(fd, room, want < left ? want : left, c->at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_set(err, got ? -errno : -EIO, "cannot read a temporary file back: %s",
                           got ? strerror(errno) : "it was cut");
        buf_wrote(&c->bytes, (size_t)got);
        c->at += got;
    }
    return 0;
}

static int cursor_next(struct cursor *c, int fd, struct err *err)
{
    int r;

    if (c->bytes.n == c->eaten && c->at == c->end) {
        c->at_end = true;
        return 0;
    }
    r = cursor_fill(c, fd, sizeof c->next, err);
    if (r)
        return r;
    memcpy(&c->next, c->bytes.p + c->eaten, sizeof c->next);

    size_t whole = sizeof c->next + c->next.field_bytes;
    r = cursor_fill(c, fd, whole, err);
    if (r)
        return r;
    c->fields = str_from(c->bytes.p + c->eaten + sizeof c->next, c->next.field_bytes);
    c->eaten += whole;
    return 0;
}

/* The cursors as a heap of indices: the earliest at the root, and of equals the earliest run. */
struct merge {
    struct cursor cursors[RUNS_MAX];
    size_t heap[RUNS_MAX];
    size_t n, cursor_count;
};

static bool comes_before(const struct merge *m, size_t a, size_t b)
{
    uint64_t left = m->cursors[a].next.at_us, right = m->cursors[b].next.at_us;

    return left != right ? left < right : a < b;
}

static void sift_down(struct merge *m, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1, moved = m->heap[at];

        if (child >= m->n)
            return;
        if (child + 1 < m->n && comes_before(m, m->heap[child + 1], m->heap[child]))
            child++;
        if (!comes_before(m, m->heap[child], moved))
            return;
        m->heap[at] = m->heap[child];
        m->heap[child] = moved;
        at = child;
    }
}

static int merge_begin(struct merge *m, const struct sorter *s, struct err *err)
{
    m->cursor_count = s->run_count;
    for (size_t i = 0; i < s->run_count; i++) {
        m->cursors[i] = (struct cursor){.at = s->runs[i].begin, .end = s->runs[i].end};
        buf_init(&m->cursors[i].bytes, BUF_UNBOUNDED);
    }
    for (size_t i = 0; i < s->run_count; i++) {
        int r = cursor_next(&m->cursors[i], s->fd, err);

        if (r)
            return r;
        m->heap[m->n++] = i; /* no run is empty */
    }
    for (size_t i = m->n; i-- > 0;)
        sift_down(m, i);
    return 0;
}

/* What merge_first gave is behind us: the next of its run takes its place. */
static int merge_advance(struct merge *m, int fd, struct err *err)
{
    struct cursor *c = &m->cursors[m->heap[0]];
    int r = cursor_next(c, fd, err);

    if (r)
        return r;
    if (c->at_end) {
        buf_finish(&c->bytes);
        m->heap[0] = m->heap[--m->n];
    }
    sift_down(m, 0);
    return 0;
}

static const struct cursor *merge_first(const struct merge *m)
{
    return m->n ? &m->cursors[m->heap[0]] : NULL;
}

static void merge_destroy(struct merge *m)
{
    for (size_t i = 0; i < m->cursor_count; i++)
        buf_finish(&m->cursors[i].bytes);
    free(m);
}

/* Into a file of its own, which takes the place of the old. */
static int merge_runs_into_one(struct sorter *s, struct err *err)
{
    struct merge *m = xalloc(sizeof *m);
    AUTO(auto_close) int old_fd = s->fd;
    const struct cursor *first;
    int r = merge_begin(m, s, err);

    s->fd = -1;
    s->file_bytes = 0;
    if (!r)
        r = open_temporary(&s->fd, err);
    while (!r && (first = merge_first(m))) {
        r = write_record(s, &first->next, first->fields, err);
        if (!r)
            r = merge_advance(m, old_fd, err);
    }
    if (!r)
        r = flush(s, err);
    s->runs[0] = (struct run){0, s->file_bytes};
    s->run_count = 1;
    merge_destroy(m);
    return r;
}

static void emit_record(const struct record *r, struct str fields,
                        void (*put)(void *ctx, const struct obs *o), void *ctx)
{
    struct obs o = {
        .at_us = r->at_us,
        .flow = r->flow,
        .device = r->device,
        .kind = (enum obs_kind)r->kind,
        .source = (enum obs_source)r->source,
    };
    bool held = obs_decode_fields(fields, &o);

    assert(held);
    put(ctx, &o);
}

static int emit_runs(struct sorter *s, void (*put)(void *ctx, const struct obs *o), void *ctx,
                     struct err *err)
{
    struct merge *m = xalloc(sizeof *m);
    const struct cursor *first;
    int r = merge_begin(m, s, err);

    while (!r && (first = merge_first(m))) {
        emit_record(&first->next, first->fields, put, ctx);
        r = merge_advance(m, s->fd, err);
    }
    merge_destroy(m);
    return r;
}

static void emit_batch(struct sorter *s, void (*put)(void *ctx, const struct obs *o), void *ctx)
{
    sort_batch(s);
    for (size_t i = 0; i < s->item_count; i++) {
        struct str fields;
        struct record r = record_at(str_skip(buf_str(&s->batch), s->items[i].offset), &fields);

        emit_record(&r, fields, put, ctx);
    }
}

int sorter_emit(struct sorter *s, void (*put)(void *ctx, const struct obs *o), void *ctx,
                struct err *err)
{
    int r = 0;

    if (!s->run_count) {
        emit_batch(s, put, ctx);
        return 0;
    }
    if (s->item_count)
        r = spill(s, err);
    return r ? r : emit_runs(s, put, ctx, err);
}
