/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * import: files that others wrote, turned into observations: Squid native and combined access logs,
 * HAR 1.2, and NDJSON of observations. The kind is recognised from the content.
 *
 * A log line tells of a flow when it is over, so its opening lies before lines that came earlier in
 * the file. The import therefore sorts by time, spilling to a temporary file when it is large: any
 * size goes through in bounded memory. A line that cannot be read is skipped and counted.
 */
#pragma once

#include "base/err.h"
#include "obs/devices.h"
#include "obs/stream.h"

struct import;

struct import_report {
    const char *format;        /* "Squid access log", … */
    uint64_t records;          /* lines or entries read */
    uint64_t skipped;          /* that could not be read */
    uint64_t first_bad_line;   /* from 1; 0: none */
    char first_bad_why[160];
    uint64_t began_wall_us;    /* the earliest moment in the file: where the recording begins */
};

/*
 * Reads all of the file ("-": standard input). progress, when not NULL, is called now and then with
 * the bytes read so far and the file's size (0: unknown).
 */
struct import_progress {
    void (*tell)(void *ctx, uint64_t done, uint64_t size);
    void *ctx;
};
int import_open(const char *path, const struct import_progress *progress, struct import **ret_import,
                struct import_report *ret_report, struct err *err);

/* Puts the observations into the stream, in order of time; names from `devices` are used. */
int import_emit(struct import *i, struct stream *stream, struct devices *devices, struct err *err);
void import_close(struct import *i);
