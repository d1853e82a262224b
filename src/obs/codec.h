/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * codec: an observation's fields as bytes, as a recording keeps them, and as JSON.
 *
 * Bytes: the kind's fields in the order of kinds.def; a number or word is a LEB128 varint, a text
 * is its length as a varint and its bytes. Fields at the end that are empty are left out. So an
 * older program's rows decode with the newer fields empty, and a newer program's extra fields are
 * skipped. The seq, time, source, device, flow and kind are not in these bytes: the recording has
 * columns.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "obs/obs.h"

/* Appends the fields. No text may be longer than OBS_TEXT_MAX; longer is cut there. */
enum { OBS_TEXT_MAX = 64 << 10 };
void obs_encode_fields(const struct obs *o, struct buf *out);

/*
 * Reads the fields of o->kind, which is set already. Text is borrowed from `bytes`. False when the
 * bytes are not such fields; what was read until then stays.
 */
bool obs_decode_fields(struct str bytes, struct obs *o);

/*
 * One JSON object: {"seq":…,"at_us":…,"kind":"…","source":"…","device":…,"flow":…, fields…}.
 * Device and flow are left out when 0, fields when empty.
 */
void obs_put_json(struct json *j, const struct obs *o);
