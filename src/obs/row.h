/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * row: observations as they wait in memory on their way to another thread, one behind the other in
 * a buf: a fixed head, and the fields as the codec writes them.
 */
#pragma once

#include "obs/codec.h"

struct obs_row {
    uint64_t seq, at_us, flow;
    uint32_t device, fields_bytes;
    uint16_t kind, source;
};

/* No row is longer: so much room above its ceiling lets a buf end with a whole one. */
enum { OBS_ROW_MAX = sizeof(struct obs_row) + OBS_KIND_FIELDS_MAX * (OBS_TEXT_MAX + 16) };

void obs_row_put(struct buf *rows, const struct obs *o);

/* The head at the front of *rows, which stays there; false when there is none. */
bool obs_row_peek(struct str rows, struct obs_row *ret_row);
/* Cuts off the row that was peeked, and gives its fields. */
struct str obs_row_cut(struct str *rows, const struct obs_row *row);
/* The whole observation; its text is borrowed from the fields. */
void obs_row_read(const struct obs_row *row, struct str fields, struct obs *ret_obs);
