/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NDJSON: one object a line, each with its `type`; the other members are those of report_json. What
 * belongs to a device names it; the lines of a recording follow its own.
 */
#include "report/parts.h"

static void begin_line(struct json *j, struct buf *out, const char *type)
{
    json_init(j, out, false);
    json_object(j);
    json_key(j, "type");
    json_cstr(j, type);
}

static void end_line(struct json *j, struct buf *out)
{
    json_end(j);
    buf_put_byte(out, '\n');
}

static void begin_device_line(struct json *j, struct buf *out, const char *type,
                              const struct strip *s)
{
    begin_line(j, out, type);
    json_key(j, "device");
    json_str(j, s->id);
}

#define LINES(out, type, s, n, list, put)                                                          \
    for (size_t i_ = 0; i_ < (n); i_++) {                                                          \
        struct json j_;                                                                            \
        begin_device_line(&j_, out, type, s);                                                      \
        put(&j_, &(list)[i_]);                                                                     \
        end_line(&j_, out);                                                                        \
    }

static void put_device(struct buf *out, const struct report_device *d)
{
    const struct strip *s = d->strip;
    struct json j;

    begin_line(&j, out, "device");
    put_device_members(&j, s);
    end_line(&j, out);
    LINES(out, "phase", s, s->phase_count, s->phases, put_phase_members);
    LINES(out, "moment", s, s->moment_count, s->moments, put_moment_members);
    LINES(out, "service", s, s->service_count, s->services, put_service_members);
    LINES(out, "finding", s, s->finding_count, s->findings, put_finding_members);
    LINES(out, "coverage", s, s->coverage_count, s->coverage, put_coverage_members);
    LINES(out, "flow", s, d->flow_count, d->flows, put_flow_members);
}

void report_ndjson(struct buf *out, const struct report *reports, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct json j;

        begin_line(&j, out, "recording");
        json_key(&j, "flightstrip");
        json_u64(&j, REPORT_SCHEMA);
        put_recording_members(&j, &reports[i]);
        end_line(&j, out);
        for (size_t d = 0; d < reports[i].device_count; d++)
            put_device(out, &reports[i].devices[d]);
    }
}
