/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recording: one SQLite file, NAME.flight, that holds a stream of observations. schema.sql is the
 * format. What stands here is true of every recording:
 *
 *  - What is committed survives kill -9 and a full disk, and a commit is at most a second behind.
 *  - It is read while it is written, by any number of readers.
 *  - One recorder writes it: a second is refused (a lock on the file, gone with its process).
 *  - Opened again for recording it goes on where it stopped, with a `gap` between.
 *  - Notes may be added by anyone, also while it is being recorded.
 */
#pragma once

#include "base/err.h"
#include "obs/stream.h"

struct recorder;
struct recording;

/* What a continued recording has so far; all zero for a new one. */
struct recording_state {
    uint64_t began_wall_us;
    uint64_t last_seq, last_flow, last_us;
};

/*
 * Opens the file for recording, and makes it when it is not there. began_wall_us is when a new one
 * begins. ret_state says where a continued one stands. The writing is done by a thread of its own:
 * recorder_put copies the observation into a bounded queue and returns; when the queue is full it
 * waits for the writer.
 */
int recorder_open(const char *path, uint64_t began_wall_us, struct recorder **ret_recorder,
                  struct recording_state *ret_state, struct err *err);
void recorder_put(void *recorder, const struct obs *o); /* a sink for stream_add_sink */

/*
 * 0, or the negative errno of what stopped the writing (disk full, I/O error), with the sentence.
 * It tries again by itself; `lost` counts observations that could not be kept, and once it works
 * again a `gap` is written. Traffic goes on in any case.
 */
int recorder_trouble(const struct recorder *r, uint64_t *ret_lost, struct err *err);

/* Commits what was put, closes, and leaves one file. */
int recorder_close(struct recorder *r, struct err *err);

/* For reading. */
int recording_open(const char *path, struct recording **ret_recording, struct err *err);
void recording_close(struct recording *r);
bool recording_is(const char *path); /* the file begins as a recording does */
uint64_t recording_began_wall_us(const struct recording *r);

/*
 * Hands the observations with seq > after to `put`, in order, notes merged in by their time; stops
 * early when put returns false. Text is borrowed for the call. A damaged row is skipped and
 * counted.
 */
int recording_replay(struct recording *r, uint64_t after,
                     bool (*put)(void *ctx, const struct obs *o), void *ctx, uint64_t *ret_damaged,
                     struct err *err);

/* A person's words, at a time since the recording began. */
int recording_note(const char *path, uint64_t at_us, struct str text, struct err *err);
