/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sorter: any number of observations, put into the order of their time in bounded memory.
 *
 * They are gathered in a batch. A full batch is sorted and written, as a run, to a temporary file
 * that has no name and is gone with the process; at the end the runs are merged. Observations of
 * the same time come out in the order in which they were put in.
 */
#pragma once

#include "base/err.h"
#include "obs/obs.h"

enum { SORTER_BATCH_BYTES = 16 << 20 };

struct sorter;

struct sorter *sorter_create(size_t batch_bytes);
void sorter_destroy(struct sorter *s);

/* Keeps a copy; at_us is what is sorted by, and seq is not kept. Fails when the disk does. */
int sorter_put(struct sorter *s, const struct obs *o, struct err *err);

/* Hands all of them to `put`. Text is borrowed for the call. Nothing may be put in after it. */
int sorter_emit(struct sorter *s, void (*put)(void *ctx, const struct obs *o), void *ctx,
                struct err *err);

/* How many runs were written so far. */
size_t sorter_spilled(const struct sorter *s);
