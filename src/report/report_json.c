/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON (RFC 8259), as docs/explain.md says: one recording's document has `recording` and `devices`
 * at its top; several stand in `recordings`, each with the same two.
 */
#include "report/parts.h"

static void put_flows(struct json *j, const struct report_device *d)
{
    json_key(j, "flows");
    json_array(j);
    for (size_t i = 0; i < d->flow_count; i++) {
        json_object(j);
        put_flow_members(j, &d->flows[i]);
        json_end(j);
    }
    json_end(j);
}

static void put_device(struct json *j, const struct report_device *d, bool traffic)
{
    json_object(j);
    put_strip_members(j, d->strip);
    if (traffic)
        put_flows(j, d);
    json_end(j);
}

/* The two members that say everything of one recording. */
static void put_report(struct json *j, const struct report *r)
{
    json_key(j, "recording");
    json_object(j);
    put_recording_members(j, r);
    json_end(j);
    json_key(j, "devices");
    json_array(j);
    for (size_t i = 0; i < r->device_count; i++)
        put_device(j, &r->devices[i], r->traffic);
    json_end(j);
}

static void put_reports(struct json *j, const struct report *reports, size_t n)
{
    json_key(j, "recordings");
    json_array(j);
    for (size_t i = 0; i < n; i++) {
        json_object(j);
        put_report(j, &reports[i]);
        json_end(j);
    }
    json_end(j);
}

void report_json(struct buf *out, const struct report *reports, size_t n)
{
    struct json j;

    json_init(&j, out, true);
    json_object(&j);
    json_key(&j, "flightstrip");
    json_u64(&j, REPORT_SCHEMA);
    if (n == 1)
        put_report(&j, reports);
    else
        put_reports(&j, reports, n);
    json_end(&j);
    buf_put_byte(out, '\n');
}
