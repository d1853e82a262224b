/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report: strips, as something to read, post or process. One format a file; report_formats lists
 * them. Whatever came from traffic is made safe for the format: it can neither move a cursor, nor
 * become markup, nor a formula.
 */
#pragma once

#include "base/buf.h"
#include "explain/strip.h"
#include "report/look.h"

/* One flow, for those who want to see the traffic between the moments. */
struct report_flow {
    uint64_t flow, opened_us, ended_us;
    bool is_open; /* it had not ended when the recording did */
    struct str host;
    uint64_t port;
    struct str service;     /* "" when nothing is known of the host */
    struct str method, url; /* of plain HTTP */
    uint64_t status;        /* 0: not seen */
    uint64_t bytes_up, bytes_down;
    struct str why;   /* why it ended: a name of obs/whys.def */
    struct str error; /* what did not work, in words */
    struct str rules; /* of the recorder, that changed it */
};

struct report_device {
    const struct strip *strip;
    const struct report_flow *flows; /* in order of time */
    size_t flow_count;
};

/* What is reported of one recording or imported file. */
struct report {
    struct str name;        /* of its file, without the folder */
    struct str kind;        /* "recording", "Squid access log", … */
    uint64_t began_wall_us; /* microseconds since 1970 */
    uint64_t duration_us;
    const struct report_device *devices;
    size_t device_count;
    bool traffic;     /* the flows are to be shown */
    struct look look; /* of text */
};

typedef void report_writer(struct buf *out, const struct report *reports, size_t n);

report_writer report_text, report_markdown, report_json, report_ndjson, report_csv;

/* docs/explain.md and docs/explain.schema.json describe what report_json writes. */
enum { REPORT_SCHEMA = 1 };
