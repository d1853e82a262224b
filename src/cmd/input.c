/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/input.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "sources/imports/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct input {
    struct import *import;
    struct import_report report;
};

/* One line on the terminal, written over. */
static void show_progress(void *ctx, uint64_t done, uint64_t size)
{
    const char *path = ctx;

    if (size)
        fprintf(stderr, "\r\033[K%s: %u %% read", path, (unsigned)(done * 100 / size));
    else
        fprintf(stderr, "\r\033[K%s: %" PRIu64 " MB read", path, done / 1000000);
}

static void say_skipped(const char *path, const struct import_report *report)
{
    if (report->skipped)
        log_warn("%s: %" PRIu64 " of %" PRIu64 " could not be read and %s skipped; the first is "
                 "%s %" PRIu64 ": %s",
                 path, report->skipped, report->records, report->skipped == 1 ? "was" : "were",
                 report->record, report->first_bad, report->first_bad_why);
}

static int open_import(struct input *in, const char *path, struct err *err)
{
    bool shows = isatty(STDERR_FILENO);
    struct import_progress progress = {show_progress, (void *)path};
    int r = import_open(path, shows ? &progress : NULL, &in->import, &in->report, err);

    if (shows)
        fputs("\r\033[K", stderr);
    if (!r)
        say_skipped(path, &in->report);
    return r;
}

int input_open(const char *path, struct input **ret_input, struct err *err)
{
    struct input *in = xalloc(sizeof *in);
    int r = open_import(in, path, err);

    if (r) {
        input_close(in);
        return r;
    }
    *ret_input = in;
    return 0;
}

void input_close(struct input *in)
{
    if (!in)
        return;
    import_close(in->import);
    free(in);
}

uint64_t input_began_wall_us(const struct input *in)
{
    return in->report.began_wall_us;
}

const char *input_kind(const struct input *in)
{
    return in->report.format;
}

int input_replay(struct input *in, void (*put)(void *ctx, const struct obs *o), void *ctx,
                 struct err *err)
{
    struct stream stream;
    struct devices devices;
    int r;

    stream_init(&stream, NULL);
    stream_add_sink(&stream, put, ctx);
    devices_init(&devices);
    r = import_emit(in->import, &stream, &devices, err);
    devices_finish(&devices);
    return r;
}
