/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NDJSON: a header line, and then each observation as it is, one a line (obs_put_json). Nothing is
 * lost in it, so it can be imported again as the same recording.
 */
#include "base/json.h"
#include "base/timefmt.h"
#include "base/xalloc.h"
#include "obs/codec.h"
#include "report/export.h"

#include <stdlib.h>

enum { FORMAT_VERSION = 1 };

/* To the microsecond, so that the times of the observations are exact too. */
static void put_began(struct buf *out, uint64_t wall_us)
{
    put_rfc3339(out, wall_us);
    out->n--; /* the Z */
    buf_printf(out, "%03uZ", (unsigned)(wall_us % 1000));
}

static void *create(struct buf *out, uint64_t began_wall_us)
{
    struct buf **exporter = xalloc(sizeof *exporter);
    struct buf began;
    struct json j;

    *exporter = out;
    buf_init(&began, 64);
    put_began(&began, began_wall_us);
    json_init(&j, out, false);
    json_object(&j);
    json_key(&j, "flightstrip");
    json_u64(&j, FORMAT_VERSION);
    json_key(&j, "recording");
    json_object(&j);
    json_key(&j, "began");
    json_str(&j, buf_str(&began));
    json_end(&j);
    json_end(&j);
    buf_put_byte(out, '\n');
    buf_finish(&began);
    return exporter;
}

static void put(void *exporter, const struct obs *o)
{
    struct buf *out = *(struct buf **)exporter;
    struct json j;

    json_init(&j, out, false);
    obs_put_json(&j, o);
    buf_put_byte(out, '\n');
}

const struct export_format export_ndjson = {
    .name = "ndjson",
    .says = "every observation, one a line, as JSON",
    .create = create,
    .put = put,
    .finish = free,
};
