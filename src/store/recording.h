/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recording: one SQLite file, NAME.flight, that holds a stream of observations. schema.sql is the
 * format. What stands here is true of every recording:
 *
 *  - What is committed survives kill -9 and a full disk, and a commit is at most a second behind.
 *  - It is read while it is written, by any number of readers.
 *  - One recorder writes it: a second is refused (a lock on the file, gone with its process).
 *  - Opened again for recording it goes on where it stopped, with a `gap` between.
 *  - Notes may be added by anyone, also while it is being recorded (notes.h).
 *
 * While it is recorded, and after a recorder was killed, its newest part is in NAME.flight-wal
 * beside it: the two belong together. Whoever opens it finds both, and there is nothing to repair.
 */
#pragma once

#include "base/err.h"
#include "obs/stream.h"

struct recorder;
struct recording;

/* What a continued recording has so far; all zero but began_wall_us for a new one. */
struct recording_state {
    uint64_t began_wall_us;
    uint64_t last_seq, last_flow, last_us;
};

/*
 * Opens the file for recording, and makes it when it is not there. began_wall_us is when a new one
 * begins. ret_state says where it stands. The writing is done by a thread of its own.
 */
int recorder_open(const char *path, uint64_t began_wall_us, struct recorder **ret_recorder,
                  struct recording_state *ret_state, struct err *err);

/*
 * Lets the stream go on where the recording stopped, and puts a `gap` from there to now into it;
 * does nothing for a new recording. The stream's clock has been resumed, and its sinks are there.
 */
void recording_state_resume(const struct recording_state *state, struct stream *stream);

/*
 * Copies the observation into a bounded queue and returns: a sink for stream_add_sink. A seq is
 * always more than the one before. When the queue is full it waits for the writer, but never when
 * the writer is in trouble, and never longer than a second: then the observation is lost, and
 * counted. Where observations were lost the recording gets one `gap`, in the place of the first.
 */
void recorder_put(void *recorder, const struct obs *o);

/* The seq up to which everything put (and not lost) is in the file. */
uint64_t recorder_committed(struct recorder *r);

/*
 * Waits, a few seconds at most, until what was put is in the file: for whoever puts, before it
 * reads the file. An error says what the writer is in trouble with.
 */
int recorder_flush(struct recorder *r, struct err *err);

/*
 * How long a put and a flush wait for a disk that is merely slow, instead of a second and a few: a
 * test's machine may be slower than any that a person waits for.
 */
void recorder_set_patience(struct recorder *r, unsigned ms);

/*
 * 0, or the negative errno of what stops the writing now (disk full, I/O error), with the sentence.
 * It tries again by itself, several times a second. ret_lost: observations lost so far.
 */
int recorder_trouble(struct recorder *r, uint64_t *ret_lost, struct err *err);

/*
 * Commits what was put, closes, and leaves one file. Whatever it returns, the recorder is gone and
 * the file is whole; an error says what is missing from it. NULL is fine.
 */
int recorder_close(struct recorder *r, struct err *err);

/* For reading. */
int recording_open(const char *path, struct recording **ret_recording, struct err *err);
void recording_close(struct recording *r); /* NULL is fine */
bool recording_is(const char *path);       /* the file begins as a recording does */
uint64_t recording_began_wall_us(const struct recording *r);
struct str recording_program(const struct recording *r); /* version that wrote to it last */
uint64_t recording_knowledge(const struct recording *r); /* digest; 0: none was noted */

/* The seq of a note is this and more: past every observation's, and exact in JSON's numbers. */
#define RECORDING_NOTE_SEQ (1ull << 52)

/*
 * Hands the observations with seq > after to `put`, in order; stops early when put returns false.
 * Text is borrowed for the call. A damaged row is skipped and counted.
 *
 * Notes are merged in by their time, as OBS_NOTE of SOURCE_PERSON: after the observations of the
 * same moment and before those of a later one; when `after` is not 0, those from that observation's
 * moment on. So whoever follows a recording that grows may be handed a note twice; its seq is the
 * same both times.
 *
 * The file may be written meanwhile: what is committed before the end is reached is handed out.
 * `put` may take its time: a recorder never waits for a reader.
 */
int recording_replay(struct recording *r, uint64_t after,
                     bool (*put)(void *ctx, const struct obs *o), void *ctx, uint64_t *ret_damaged,
                     struct err *err);

/* Those of these seqs that there are, in the order asked for; stops when put returns false. */
int recording_look_up(struct recording *r, const uint64_t *seqs, size_t n,
                      bool (*put)(void *ctx, const struct obs *o), void *ctx, struct err *err);

/* Those of one flow, in order. They are looked for between two seqs, row by row. */
struct recording_flow {
    uint64_t number, first_seq, last_seq;
};
int recording_look_up_flow(struct recording *r, const struct recording_flow *flow,
                           bool (*put)(void *ctx, const struct obs *o), void *ctx, struct err *err);

/*
 * All of it as one file, as it is now, that has no name any more. (The recording itself must not be
 * opened for that: closing it would take SQLite's locks away, see lock.h.)
 */
int recording_copy(struct recording *r, int *ret_fd, struct err *err);

/* Writes down which knowledge explains it: knowledge_digest(). */
int recording_set_knowledge(const char *path, uint64_t digest, struct err *err);
