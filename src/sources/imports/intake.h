/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * intake: a file, or standard input, read once from its beginning to its end in bounded memory: by
 * the line or by the piece. What is handed out is valid until the next call.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "sources/imports/import.h"

enum { INTAKE_HEAD_BYTES = 64 << 10 };

struct intake {
    const char *path; /* for messages */
    int fd;
    struct buf bytes; /* what was read and not yet handed out follows the first `eaten` */
    size_t eaten;
    bool at_end;
    uint64_t done, told, size;
    const struct import_progress *progress; /* may be NULL */
};

/* "-" is standard input. */
int intake_open(struct intake *in, const char *path, const struct import_progress *progress,
                struct err *err);
void intake_close(struct intake *in);

/* The first bytes, without a UTF-8 byte order mark, left there to be read. */
int intake_head(struct intake *in, struct str *ret_head, struct err *err);

/* The next bytes, however many; none at the end. */
int intake_piece(struct intake *in, struct str *ret_piece, struct err *err);

/*
 * The next line without its line end. Returns 1, or 0 when there is none. A line of more than
 * `max` bytes is skipped, whatever its length: *ret_too_long is set then, and *ret_line empty.
 */
int intake_line(struct intake *in, size_t max, struct str *ret_line, bool *ret_too_long,
                struct err *err);
