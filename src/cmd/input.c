/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/input.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "obs/devices.h"
#include "sources/imports/import.h"
#include "store/recording.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One of the two is there. */
struct input {
    char *name; /* as messages call it */
    struct recording *recording;
    struct import *import;
    struct import_report report;
};

/* One line on the terminal, written over. */
static void show_progress(void *ctx, uint64_t done, uint64_t size)
{
    const char *name = ctx;

    if (size)
        fprintf(stderr, "\r\033[K%s: %u %% read", name, (unsigned)(done * 100 / size));
    else
        fprintf(stderr, "\r\033[K%s: %" PRIu64 " MB read", name, done / 1000000);
}

static void say_skipped(const char *name, const struct import_report *report)
{
    if (report->skipped)
        log_warn("%s: %" PRIu64 " of %" PRIu64 " could not be read and %s skipped; the first is "
                 "%s %" PRIu64 ": %s",
                 name, report->skipped, report->records, report->skipped == 1 ? "was" : "were",
                 report->record, report->first_bad, report->first_bad_why);
}

static int open_import(struct input *in, const char *path, struct err *err)
{
    bool shows = isatty(STDERR_FILENO);
    struct import_progress progress = {show_progress, in->name};
    int r = import_open(path, shows ? &progress : NULL, &in->import, &in->report, err);

    if (shows)
        fputs("\r\033[K", stderr);
    if (!r)
        say_skipped(in->name, &in->report);
    return r;
}

int input_open(const char *path, struct input **ret_input, struct err *err)
{
    struct input *in = xalloc(sizeof *in);
    int r;

    in->name = xstrdup(strcmp(path, "-") == 0 ? "standard input" : path);
    r = recording_is(path) ? recording_open(path, &in->recording, err) : open_import(in, path, err);
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
    recording_close(in->recording);
    import_close(in->import);
    free(in->name);
    free(in);
}

uint64_t input_began_wall_us(const struct input *in)
{
    return in->recording ? recording_began_wall_us(in->recording) : in->report.began_wall_us;
}

const char *input_kind(const struct input *in)
{
    return in->recording ? "recording" : in->report.format;
}

struct replay {
    void (*put)(void *ctx, const struct obs *o);
    void *ctx;
};

static bool put_and_go_on(void *ctx, const struct obs *o)
{
    struct replay *replay = ctx;

    replay->put(replay->ctx, o);
    return true;
}

static int replay_recording(struct input *in, struct replay *replay, struct err *err)
{
    uint64_t damaged = 0;
    int r = recording_replay(in->recording, 0, put_and_go_on, replay, &damaged, err);

    if (damaged)
        log_warn("%s: %" PRIu64 " observation%s damaged and left out", in->name, damaged,
                 damaged == 1 ? " is" : "s are");
    return r;
}

static int replay_import(struct input *in, struct replay *replay, struct err *err)
{
    struct stream stream;
    struct devices devices;
    int r;

    stream_init(&stream, NULL);
    stream_add_sink(&stream, replay->put, replay->ctx);
    devices_init(&devices);
    stream_use_devices(&stream, &devices);
    r = import_emit(in->import, &stream, err);
    devices_finish(&devices);
    return r;
}

int input_replay(struct input *in, void (*put)(void *ctx, const struct obs *o), void *ctx,
                 struct err *err)
{
    struct replay replay = {put, ctx};

    return in->recording ? replay_recording(in, &replay, err) : replay_import(in, &replay, err);
}
