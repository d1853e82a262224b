/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A recording as files: exports, reports, and itself. */
#include "base/xalloc.h"
#include "report/export.h"
#include "report/report.h"
#include "report/wrap.h"
#include "serve/api_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

/* --- names of files --- */

/* "first.har" of "first.flight"; whatever stands in a name is made safe by the web server. */
static const char *file_name(const struct served *s, struct arena *arena, const char *ending)
{
    struct str name = str_of(s->about.name);
    size_t dot = str_rfind(name, '.');

    return arena_printf(arena, STR_FMT ".%s", STR_ARG(str_head(name, dot ? dot : name.n)), ending)
        .p;
}

/* --- exports: made while they are read --- */

static const struct {
    const struct export_format *format;
    const char *type, *ending;
} exports[] = {
    {&export_ndjson, "application/x-ndjson", "ndjson"},
    {&export_har, "application/json", "har"},
    {&export_csv, "text/csv; charset=utf-8", "csv"},
    {&export_squid, "text/plain; charset=utf-8", "log"},
};

enum { EXPORTS = sizeof exports / sizeof *exports, PIECE_BYTES = 64 << 10 };

struct exporting {
    struct served *served;
    const struct export_format *format;
    void *exporter; /* NULL when all is in `made` */
    struct buf made;
    bool is_full;          /* there is enough for a piece */
    uint64_t after, until; /* seqs */
};

static void finish_export(struct exporting *e)
{
    if (e->exporter)
        e->format->finish(e->exporter);
    e->exporter = NULL;
}

/* A portion ends with an observation, never with a note: so no note is met twice (recording.h). */
static bool export_one(void *ctx, const struct obs *o)
{
    struct exporting *e = ctx;

    if (o->seq < RECORDING_NOTE_SEQ && o->seq > e->until)
        return false;
    e->format->put(e->exporter, o);
    if (o->seq >= RECORDING_NOTE_SEQ)
        return true;
    e->after = o->seq;
    e->is_full = e->made.n >= PIECE_BYTES;
    return !e->is_full;
}

/* What is not there yet when it begins is left out, or it would go on with the recording. */
static bool export_more(struct exporting *e)
{
    struct recording *file;
    uint64_t damaged;

    e->is_full = false;
    if (served_file(e->served, &file, NULL) < 0 ||
        recording_replay(file, e->after, export_one, e, &damaged, NULL) < 0)
        return false;
    return e->is_full;
}

static bool export_fill(void *ctx, struct buf *out)
{
    struct exporting *e = ctx;

    if (e->exporter && e->made.n < PIECE_BYTES && !export_more(e))
        finish_export(e);

    struct str piece = str_head(buf_str(&e->made), PIECE_BYTES);
    buf_put_str(out, piece);
    buf_eat(&e->made, piece.n);
    return e->exporter || e->made.n;
}

static void export_close(void *ctx)
{
    struct exporting *e = ctx;

    finish_export(e);
    buf_finish(&e->made);
    free(e);
}

static struct web_stream export_begin(struct served *s, const struct export_format *format)
{
    struct exporting *e = xalloc(sizeof *e);

    *e = (struct exporting){.served = s, .format = format, .until = s->seq};
    buf_init(&e->made, BUF_UNBOUNDED);
    e->exporter = format->create(&e->made, s->about.began_wall_us);
    return (struct web_stream){.fill = export_fill, .close = export_close, .ctx = e};
}

void api_export(void *ctx, const struct web_request *r, struct web_answer *a)
{
    struct served *s = api_recording(ctx, r, a);
    struct str as = web_query(r, "as");
    struct recording *file;

    if (!s || !api_open_file(s, r, a, &file))
        return;
    for (size_t i = 0; i < EXPORTS; i++) {
        if (!str_eq(str_of(exports[i].format->name), as.p ? as : STR("ndjson")))
            continue;
        a->type = exports[i].type;
        a->filename = file_name(s, r->arena, exports[i].ending);
        a->stream = export_begin(s, exports[i].format);
        return;
    }
    web_refuse(r, a, 400, "as: '" STR_FMT "' is none of ndjson, har, csv, squid", STR_ARG(as));
}

/* --- reports --- */

static const struct {
    const char *name;
    report_writer *write;
    const char *type, *ending;
} reports[] = {
    {"text", report_text, "text/plain; charset=utf-8", "txt"},
    {"markdown", report_markdown, "text/markdown; charset=utf-8", "md"},
    {"json", report_json, "application/json", "json"},
    {"ndjson", report_ndjson, "application/x-ndjson", "ndjson"},
    {"csv", report_csv, "text/csv; charset=utf-8", "csv"},
};

enum { REPORTS = sizeof reports / sizeof *reports };

struct note_list {
    struct arena *arena;
    struct strip_moment *v;
    size_t n, room;
};

static void keep_note(void *ctx, const struct recording_note *note)
{
    struct note_list *l = ctx;

    if (l->n == l->room) {
        l->room = l->room ? 2 * l->room : 16;
        l->v = xreallocarray(l->v, l->room, sizeof *l->v);
    }
    l->v[l->n++] =
        strip_note(note->at_us, RECORDING_NOTE_SEQ + note->id, arena_str(l->arena, note->text));
}

static int make_report(struct served *s, struct arena *arena, struct report *report,
                       struct err *err)
{
    struct note_list notes = {.arena = arena};
    struct report_device *devices = arena_array(arena, s->devices.n, sizeof *devices);
    struct recording *file;
    int r;

    *report = (struct report){.name = str_of(s->about.name),
                              .kind = str_of(s->about.kind),
                              .began_wall_us = s->about.began_wall_us,
                              .duration_us = served_now_us(s),
                              .devices = devices,
                              .look = {.width = WRAP_NEVER}};
    served_catch_up(s);
    r = served_file(s, &file, err);
    if (r == 0)
        r = recording_notes(file, keep_note, &notes, err);
    for (size_t i = 0; r == 0 && i < explainer_device_count(s->explainer); i++) {
        struct strip *strip = explainer_strip(s->explainer, i, arena);

        strip_leave_out_notes(strip);
        strip_add_moments(strip, notes.v, notes.n, arena);
        devices[report->device_count++].strip = strip;
    }
    free(notes.v);
    return r;
}

static void answer_report(struct served *s, size_t i, const struct web_request *r,
                          struct web_answer *a)
{
    struct report report;
    struct err err;

    if (make_report(s, r->arena, &report, &err) < 0) {
        api_failed(r, a, &err);
        return;
    }
    a->type = reports[i].type;
    a->filename = file_name(s, r->arena, reports[i].ending);
    a->body.max = REPORT_BYTES_MAX;
    reports[i].write(&a->body, &report, 1);
}

void api_report(void *ctx, const struct web_request *r, struct web_answer *a)
{
    struct served *s = api_recording(ctx, r, a);
    struct str as = web_query(r, "as");

    if (!s)
        return;
    for (size_t i = 0; i < REPORTS; i++)
        if (str_eq(str_of(reports[i].name), as.p ? as : STR("text"))) {
            answer_report(s, i, r, a);
            return;
        }
    web_refuse(r, a, 400, "as: '" STR_FMT "' is none of text, markdown, json, ndjson, csv",
               STR_ARG(as));
}

/* --- the recording --- */

void api_file(void *ctx, const struct web_request *r, struct web_answer *a)
{
    struct served *s = api_recording(ctx, r, a);
    struct err err;
    struct stat st;
    int fd;

    if (!s)
        return;
    if (!s->about.takes_notes || s->live) {
        web_refuse(r, a, 409,
                   s->live ? "%s is being written: its file can be had when that is over"
                           : "%s was imported: there is no recording of it",
                   s->about.name);
        return;
    }
    if (served_copy(s, &fd, &err) < 0) {
        api_failed(r, a, &err);
        return;
    }
    fstat(fd, &st);
    a->type = "application/vnd.sqlite3";
    a->filename = s->about.name;
    a->etag = arena_printf(r->arena, "%" PRIx64 "-%" PRIx64 "-%" PRIx64, s->about.began_wall_us,
                           s->seq, s->notes_digest)
                  .p;
    a->fd = fd;
    a->bytes = (uint64_t)st.st_size;
}
