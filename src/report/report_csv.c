/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CSV (RFC 4180): one line for each moment, for a spreadsheet. */
#include "base/timefmt.h"
#include "report/csv.h"
#include "report/report.h"

#include <inttypes.h>

struct row {
    const struct report *report;
    const struct strip *strip;
    const struct strip_moment *moment;
};

static void put_recording(struct buf *cell, const struct row *r)
{
    buf_put_str(cell, r->report->name);
}

static void put_device(struct buf *cell, const struct row *r)
{
    buf_put_str(cell, r->strip->id);
}

static void put_name(struct buf *cell, const struct row *r)
{
    buf_put_str(cell, r->strip->name);
}

static void put_time(struct buf *cell, const struct row *r)
{
    put_rfc3339(cell, r->report->began_wall_us + r->moment->at_us);
}

static void put_at_ms(struct buf *cell, const struct row *r)
{
    buf_printf(cell, "%" PRIu64, r->moment->at_us / 1000);
}

static void put_at(struct buf *cell, const struct row *r)
{
    put_strip_time(cell, r->moment->at_us);
}

static void put_id(struct buf *cell, const struct row *r)
{
    buf_put_str(cell, r->moment->id);
}

static void put_title(struct buf *cell, const struct row *r)
{
    buf_put_str(cell, r->moment->title);
}

static void put_says(struct buf *cell, const struct row *r)
{
    buf_put_str(cell, r->moment->says);
}

static void put_phase(struct buf *cell, const struct row *r)
{
    buf_put_str(cell, r->moment->phase);
}

static void put_confidence(struct buf *cell, const struct row *r)
{
    buf_put_str(cell, str_of(confidence_name(r->moment->confidence)));
}

static void put_evidence(struct buf *cell, const struct row *r)
{
    buf_printf(cell, "%" PRIu64, r->moment->evidence.count);
}

static const struct column {
    const char *name;
    void (*put)(struct buf *cell, const struct row *r);
} columns[] = {
    {"recording", put_recording},
    {"device", put_device},
    {"name", put_name},
    {"time", put_time},
    {"at", put_at},
    {"at_ms", put_at_ms},
    {"id", put_id},
    {"title", put_title},
    {"says", put_says},
    {"phase", put_phase},
    {"confidence", put_confidence},
    {"evidence", put_evidence},
};

enum { COLUMNS = sizeof columns / sizeof *columns };

static void put_row(struct buf *out, const struct row *r)
{
    struct buf cell;

    buf_init(&cell, BUF_UNBOUNDED);
    for (size_t i = 0; i < COLUMNS; i++) {
        buf_clear(&cell);
        columns[i].put(&cell, r);
        buf_put_str(out, i ? STR(",") : STR(""));
        put_csv_cell(out, buf_str(&cell));
    }
    buf_put_str(out, STR("\r\n"));
    buf_finish(&cell);
}

void report_csv(struct buf *out, const struct report *reports, size_t n)
{
    for (size_t i = 0; i < COLUMNS; i++)
        buf_printf(out, "%s%s", i ? "," : "", columns[i].name);
    buf_put_str(out, STR("\r\n"));
    for (const struct report *r = reports; r < reports + n; r++)
        for (size_t d = 0; d < r->device_count; d++)
            for (size_t m = 0; m < r->devices[d].strip->moment_count; m++)
                put_row(out,
                        &(struct row){r, r->devices[d].strip, &r->devices[d].strip->moments[m]});
}
