/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/imports/import.h"

#include "base/map.h"
#include "base/xalloc.h"
#include "obs/devices.h"
#include "sources/imports/import_format.h"
#include "sources/imports/sorter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct import_format *const formats[] = {
    &format_squid,
    &format_combined,
    &format_har,
    &format_ndjson,
};

#define EXPECTED                                                                                   \
    "a Squid access log, a combined access log of a proxy, a HAR, or NDJSON of observations"

/* What people hand over that is none of them, by its first bytes; and what to do about it. */
static const struct {
    struct str magic;
    const char *says;
} strangers[] = {
    {STR("\x1f\x8b"), "is compressed with gzip: unpack it first (gunzip)"},
    {STR("\x28\xb5\x2f\xfd"), "is compressed with zstd: unpack it first (unzstd)"},
    {STR("PK\x03\x04"), "is a ZIP archive: unpack it first"},
    {STR("SQLite format 3"), "is a database and not a file to import"},
    {STR("\xff\xfe"), "is UTF-16 text: save it as UTF-8 first"},
    {STR("\xfe\xff"), "is UTF-16 text: save it as UTF-8 first"},
    {STR("\x0a\x0d\x0d\x0a"), "is a packet capture, which cannot be imported"},
    {STR("\xd4\xc3\xb2\xa1"), "is a packet capture, which cannot be imported"},
    {STR("\xa1\xb2\xc3\xd4"), "is a packet capture, which cannot be imported"},
};

struct import {
    const struct import_format *format;
    struct import_report report;
    char *file; /* the file's name, without its directory */
    struct sorter *sorter;
    uint64_t last_flow;
    uint64_t kept;    /* observations */
    uint64_t last_us; /* the latest of them, since 1970 */
    bool began_is_said;
};

void import_record(struct import *i)
{
    i->report.records++;
}

void import_bad(struct import *i, uint64_t number, const char *format, ...)
{
    va_list args;

    if (i->report.skipped++)
        return;
    i->report.first_bad = number;
    va_start(args, format);
    vsnprintf(i->report.first_bad_why, sizeof i->report.first_bad_why, format, args);
    va_end(args);
}

void import_began(struct import *i, uint64_t began_wall_us)
{
    i->report.began_wall_us = began_wall_us;
    i->began_is_said = true;
}

int import_keep(struct import *i, const struct obs *o, struct err *err)
{
    if (!i->began_is_said && o->at_us < i->report.began_wall_us)
        i->report.began_wall_us = o->at_us;
    if (o->at_us > i->last_us)
        i->last_us = o->at_us;
    i->kept++;
    return sorter_put(i->sorter, o, err);
}

struct keeping {
    struct import *import;
    struct err *err;
};

static int keep(void *ctx, const struct obs *o)
{
    struct keeping *k = ctx;

    return import_keep(k->import, o, k->err);
}

int import_account(struct import *i, const struct account *a, struct err *err)
{
    return account_tell(a, ++i->last_flow, keep, &(struct keeping){i, err});
}

static const struct import_format *recognise(struct str head)
{
    const struct import_format *best = NULL;
    unsigned most = 0;

    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        unsigned n = formats[i]->recognise(head);

        if (n > most) {
            most = n;
            best = formats[i];
        }
    }
    return best;
}

static int refuse(const char *path, struct str head, struct err *err)
{
    if (!str_trim(head).n)
        return err_set(err, -EINVAL, "%s: is empty; expected " EXPECTED, path);
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        if (str_starts(head, strangers[i].magic))
            return err_set(err, -EINVAL, "%s: %s", path, strangers[i].says);
    return err_set(err, -EINVAL, "%s: is of no kind that is known; expected " EXPECTED, path);
}

/* It looked like something and nothing in it could be used. */
static int refuse_unread(const char *path, const struct import_report *report, struct err *err)
{
    if (!report->skipped)
        return err_set(err, -EINVAL, "%s: this %s tells of no traffic", path, report->format);
    return err_set(err, -EINVAL, "%s: nothing in this %s could be read; %s %llu: %s", path,
                   report->format, report->record, (unsigned long long)report->first_bad,
                   report->first_bad_why);
}

static int read_file(struct import *i, struct intake *in, struct err *err)
{
    struct str head;
    int r = intake_head(in, &head, err);

    if (r)
        return r;
    i->format = recognise(head);
    if (!i->format)
        return refuse(in->path, head, err);
    i->report.format = i->format->name;
    i->report.record = i->format->record;
    r = i->format->read(i, in, err);
    if (!r && !i->kept && (i->report.skipped || !i->began_is_said))
        r = refuse_unread(in->path, &i->report, err);
    return r;
}

static char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (strcmp(path, "-") == 0)
        return xstrdup("standard input");
    return xstrdup(slash ? slash + 1 : path);
}

int import_open(const char *path, const struct import_progress *progress,
                struct import **ret_import, struct import_report *ret_report, struct err *err)
{
    struct import *i = xalloc(sizeof *i);
    struct intake in = {0};
    int r;

    i->file = file_name(path);
    i->sorter = sorter_create(SORTER_BATCH_BYTES);
    i->report.began_wall_us = UINT64_MAX;

    r = intake_open(&in, path, progress, err);
    if (!r)
        r = read_file(i, &in, err);
    intake_close(&in);
    if (r) {
        import_close(i);
        return r;
    }
    *ret_report = i->report;
    *ret_import = i;
    return 0;
}

void import_close(struct import *i)
{
    if (!i)
        return;
    sorter_destroy(i->sorter);
    free(i->file);
    free(i);
}

/*
 * The sorted observations on their way into the stream. A log's flows get their numbers there, in
 * the order in which they were opened; a recording's keep theirs, after those the stream had.
 */
struct emission {
    const struct import *import;
    struct stream *stream;
    uint64_t flows_before;
    uint64_t last_flow;
    struct map open; /* of a log's flows: to a struct open_flow */
    struct map ids;  /* of a recording's devices: to a device here, as a pointer-sized number */
};

struct open_flow {
    uint64_t flow;
    uint32_t device;
};

static struct open_flow *open_flow(struct emission *e, const struct obs *o)
{
    struct open_flow *f = xalloc(sizeof *f);

    if (o->client.n)
        f->device = devices_get(e->stream->devices, o->client);
    f->flow = stream_next_flow(e->stream);
    map_put(&e->open, o->flow, f);
    return f;
}

static void emit_logged(struct emission *e, struct obs *o)
{
    struct open_flow *f = map_get(&e->open, o->flow);

    if (!f)
        f = open_flow(e, o);
    if (o->kind == OBS_FLOW_CLOSED)
        map_remove(&e->open, o->flow);
    o->flow = f->flow;
    o->device = f->device;
    if (o->kind == OBS_FLOW_CLOSED)
        free(f);
    stream_put(e->stream, o);
}

static uint32_t device_here(struct emission *e, const struct obs *o)
{
    return (uint32_t)(uintptr_t)map_get(&e->ids, o->device);
}

/* "*:PORT" is a whole key: the device behind that port of the proxy. */
static struct str device_key(struct str client)
{
    return str_starts(client, STR("*:")) ? client : address_without_port(client);
}

/* A device of the recording is met. A name that was given here goes before the one in the file. */
static void know_device(struct emission *e, const struct obs *o)
{
    struct str key = device_key(o->client);
    struct buf text;

    buf_init(&text, BUF_UNBOUNDED);
    if (!key.n) {
        buf_printf(&text, "device-%u", o->device);
        key = buf_str(&text);
    }
    if (o->kind == OBS_DEVICE_SEEN && o->name.n)
        devices_suggest_name(e->stream->devices, key, o->name);

    uint32_t id = devices_get(e->stream->devices, key);
    map_put(&e->ids, o->device, (void *)(uintptr_t)id);
    buf_finish(&text);
}

static void emit_recorded(struct emission *e, struct obs *o)
{
    if (o->device && !device_here(e, o) && e->ids.n < DEVICES_MAX) {
        know_device(e, o);
        if (o->kind == OBS_DEVICE_SEEN) {
            o->device = device_here(e, o);
            stream_announce(e->stream, o); /* by the name it has here */
            return;
        }
    }
    if (o->device)
        o->device = device_here(e, o);
    if (o->flow > e->last_flow)
        e->last_flow = o->flow;
    if (o->flow)
        o->flow += e->flows_before;
    stream_put(e->stream, o);
}

static void emit(void *ctx, const struct obs *sorted)
{
    struct emission *e = ctx;
    struct obs o = *sorted;

    o.at_us -= e->import->report.began_wall_us;
    if (e->import->format->is_recording)
        emit_recorded(e, &o);
    else
        emit_logged(e, &o);
}

static void say(struct emission *e, enum obs_kind kind, uint64_t at_us, const char *text)
{
    if (!e->import->format->is_recording)
        stream_put(e->stream, &(struct obs){.kind = kind,
                                            .source = SOURCE_IMPORT,
                                            .at_us = at_us,
                                            .name = str_of(e->import->format->name),
                                            .text = str_of(text)});
}

int import_emit(struct import *i, struct stream *stream, struct err *err)
{
    struct emission e = {.import = i, .stream = stream, .flows_before = stream->last_flow};
    struct open_flow *f;
    int r;

    say(&e, OBS_SOURCE_STARTED, 0, i->file);
    r = sorter_emit(i->sorter, emit, &e, err);
    if (!r)
        say(&e, OBS_SOURCE_LOST, i->last_us - i->report.began_wall_us, "end of the file");
    if (e.last_flow)
        stream_resume(stream, stream->last_seq, e.flows_before + e.last_flow, stream->last_us);

    for (size_t at = 0; (f = map_next(&e.open, &at, NULL));)
        free(f);
    map_finish(&e.open);
    map_finish(&e.ids);
    return r;
}
