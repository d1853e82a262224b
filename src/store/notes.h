/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * notes: a person's words in a recording, at their times. Anyone may write them, also while it is
 * recorded: each call is a connection and a transaction of its own.
 */
#pragma once

#include "store/recording.h"

enum { NOTES_LISTED_MAX = 10000 };

/* Its seq among observations is RECORDING_NOTE_SEQ + id. */
struct recording_note {
    uint64_t id, at_us;
    struct str text; /* at most OBS_TEXT_MAX bytes */
};

/* The first NOTES_LISTED_MAX, in order of their times; texts are borrowed for the call. */
int recording_notes(struct recording *r, void (*put)(void *ctx, const struct recording_note *n),
                    void *ctx, struct err *err);
/* Another number when one of those was added, changed or removed, whoever did. */
int recording_notes_digest(struct recording *r, uint64_t *ret_digest, struct err *err);

/* ret_id may be NULL. */
int recording_add_note(const char *path, uint64_t at_us, struct str text, uint64_t *ret_id,
                       struct err *err);
/* -ENOENT: there is none with this id. */
int recording_change_note(const char *path, const struct recording_note *note, struct err *err);
int recording_remove_note(const char *path, uint64_t id, struct err *err);
