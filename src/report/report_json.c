/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON (RFC 8259), as docs/explain.md says: one recording's document has `recording` and `devices`
 * at its top; several stand in `recordings`, each with the same two.
 */
#include "report/parts.h"

#define LIST(j, key, n, list, put)                                                                 \
    do {                                                                                           \
        json_key(j, key);                                                                          \
        json_array(j);                                                                             \
        for (size_t i_ = 0; i_ < (n); i_++) {                                                      \
            json_object(j);                                                                        \
            put(j, &(list)[i_]);                                                                   \
            json_end(j);                                                                           \
        }                                                                                          \
        json_end(j);                                                                               \
    } while (0)

static void put_device(struct json *j, const struct report_device *d, bool traffic)
{
    const struct strip *s = d->strip;

    json_object(j);
    put_device_members(j, s);
    LIST(j, "phases", s->phase_count, s->phases, put_phase_members);
    LIST(j, "moments", s->moment_count, s->moments, put_moment_members);
    LIST(j, "services", s->service_count, s->services, put_service_members);
    LIST(j, "findings", s->finding_count, s->findings, put_finding_members);
    LIST(j, "coverage", s->coverage_count, s->coverage, put_coverage_members);
    if (traffic)
        LIST(j, "flows", d->flow_count, d->flows, put_flow_members);
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
