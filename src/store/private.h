/* SPDX-License-Identifier: GPL-3.0-or-later */
/* private: what the files that read and write recordings share. */
#pragma once

#include "store/db.h"
#include "store/recording.h"

struct recording {
    char *path;
    sqlite3 *db;
    sqlite3_stmt *rows, *next_note;
    sqlite3_stmt *by_seq, *by_flow; /* NULL until they are asked for */
    uint64_t began_wall_us, knowledge;
    char *program;
};

/* As recording_decode_row reads them. */
#define RECORDING_COLUMNS "seq, at_us, kind, source, device, flow, fields"

/* False when the row does not hold an observation that this program knows. */
bool recording_decode_row(sqlite3_stmt *row, struct obs *o);

/*
 * For what is written beside the observations: one statement, on a connection of its own. Both are
 * the caller's to end, the statement first, whatever is returned.
 */
int recording_write_beside(const char *path, const char *sql, sqlite3 **ret_db,
                           sqlite3_stmt **ret_stmt, struct err *err);
