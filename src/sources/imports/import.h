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
#include "obs/stream.h"

struct import;

struct import_report {
    const char *format; /* "Squid access log", … */
    const char *record; /* what one of its records is called: "line" or "entry" */
    uint64_t records;   /* lines or entries met, blank lines apart; the skipped ones too */
    uint64_t skipped;   /* that could not be read */
    uint64_t first_bad; /* the number of the first of those, from 1; 0: none */
    char first_bad_why[160];
    uint64_t began_wall_us; /* the earliest moment in the file: where the recording begins */
};

/*
 * Reads all of the file ("-": standard input). progress, when not NULL, is called now and then with
 * the bytes read so far and the file's size (0: unknown). A file of no known kind, or with nothing
 * in it that can be read, is an error that names the file and says what was expected.
 */
struct import_progress {
    void (*tell)(void *ctx, uint64_t done, uint64_t size);
    void *ctx;
};
int import_open(const char *path, const struct import_progress *progress,
                struct import **ret_import, struct import_report *ret_report, struct err *err);

/*
 * Puts the observations into the stream, in order of time, at_us counted from began_wall_us. Any
 * number of times.
 * The stream has devices, whose names are used. What a log or a HAR tells has the source "import",
 * between a source-started and a source-lost; what NDJSON tells keeps its own sources, and only its
 * flows and devices are numbered on from what the stream and its devices already have.
 */
int import_emit(struct import *i, struct stream *stream, struct err *err);
void import_close(struct import *i);
