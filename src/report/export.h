/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * export: a stream of observations as a file that other programs read. One format a file; each
 * appends to a buf, which its owner may empty after each call, so any size goes through.
 */
#pragma once

#include "base/buf.h"
#include "obs/obs.h"

struct export_format {
    const char *name; /* as --as has it */
    const char *says; /* what it is, in a few words */
    /* began_wall_us: when the recording began. `out` stays the caller's. */
    void *(*create)(struct buf *out, uint64_t began_wall_us);
    void (*put)(void *exporter, const struct obs *o); /* a sink for stream_add_sink */
    /* The stream has ended: writes what is left and destroys the exporter. */
    void (*finish)(void *exporter);
};

extern const struct export_format export_har, export_csv, export_ndjson, export_squid;
