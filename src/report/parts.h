/* SPDX-License-Identifier: GPL-3.0-or-later */
/* parts: what more than one writer of strips needs. */
#pragma once

#include "base/json.h"
#include "report/report.h"

/* The members of a JSON object each, as report_json and report_ndjson both have them. */
void put_recording_members(struct json *j, const struct report *r);
void put_device_members(struct json *j, const struct strip *s);
void put_phase_members(struct json *j, const struct strip_phase *p);
void put_moment_members(struct json *j, const struct strip_moment *m);
void put_service_members(struct json *j, const struct strip_service *s);
void put_finding_members(struct json *j, const struct strip_finding *f);
void put_coverage_members(struct json *j, const struct strip_coverage *c);
/* All of a device: its members, and lists of all that is above but its flows. */
void put_strip_members(struct json *j, const struct strip *s);
void put_flow_members(struct json *j, const struct report_flow *f);

/* "2026-11-23 18:39:00 UTC". */
void put_wall_time(struct buf *out, uint64_t wall_us);

/* What a flow was, on one line: "login.live.com:443, 4.1 kB up, 12 kB down in 3 s". */
void put_flow_line(struct buf *out, const struct report_flow *f);

/* An id as words: "in progress" for "in-progress". */
void put_words(struct buf *out, struct str id);

/* The moment that sums the run up, which text shows at its end; NULL when there is none. */
const struct strip_moment *summary_of(const struct strip *s);

/*
 * Pieces of report_text, which the live view prints as they come. `device` stands before the title
 * when several devices share a list; else it is empty.
 */
void put_moment_text(struct buf *out, const struct look *look, struct str device,
                     const struct strip_moment *m);
void put_finding_text(struct buf *out, const struct look *look, struct str device,
                      const struct strip_finding *f);
/* A device's part of the report, with the list of moments or (when they were printed) without. */
void put_device_text(struct buf *out, const struct look *look, const struct report_device *d,
                     bool with_list);

/* "  02:16  ": a line of the list begins so. Returns the column after it. */
unsigned put_at(struct buf *out, const struct look *look, uint64_t at_us);
/* How wide text is made: the terminal's width, but no wider than one reads with ease. */
unsigned text_width(const struct look *look);
