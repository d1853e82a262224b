/* SPDX-License-Identifier: GPL-3.0-or-later */
/* imported: what a test sees of an import: text in, observations out, one a line. */
#pragma once

#include "base/buf.h"
#include "obs/obs.h"
#include "sources/imports/import.h"

/* "1.500 flow-opened #2 @1 client=192.0.2.1 host=… …": seconds, kind, flow, device, fields. */
void describe(struct buf *out, const struct obs *o);

/* Imports these bytes as a file, and describes all that came out. A failure's sentence otherwise.
 */
int import_text(struct str text, struct import_report *ret_report, struct buf *out);

/* A file with these bytes; remove and free it. */
char *file_with(struct str text);
