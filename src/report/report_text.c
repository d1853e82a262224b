/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text for a terminal or a mail: the annotated list first, then where the time went, the traffic by
 * service, what was found, and the summary last, where a terminal stands when all is printed.
 */
#include "base/timefmt.h"
#include "base/utf8.h"
#include "report/parts.h"
#include "report/wrap.h"

#include <inttypes.h>
#include <string.h>

enum { FACT_COLUMN = 12, INDENT = 2, SERVICE_COLUMNS = 24, PHASE_COLUMNS = 33, READABLE = 100 };
enum { AT_COLUMNS = INDENT + 5 + 2 }; /* of a time like 02:16 and the space around it */

/* Long lines are hard to read, however wide the terminal is. */
unsigned text_width(const struct look *look)
{
    return look->width > READABLE ? READABLE : look->width;
}

static void end_line(struct buf *out)
{
    buf_put_byte(out, '\n');
}

static void put_heading(struct buf *out, const struct look *look, const char *heading)
{
    end_line(out);
    put_painted(out, look, PAINT_BOLD, str_of(heading));
    end_line(out);
}

/* --- the header --- */

static void put_fact(struct buf *out, const struct look *look, const char *name, struct str value)
{
    put_padding(out, 0, INDENT);
    put_painted(out, look, PAINT_DIM, str_of(name));
    put_padding(out, INDENT + (unsigned)strlen(name), FACT_COLUMN);
    put_wrapped(out, value, FACT_COLUMN, FACT_COLUMN, text_width(look));
    end_line(out);
}

static void put_report_header(struct buf *out, const struct report *r)
{
    put_painted(out, &r->look, PAINT_BOLD, r->name);
    buf_put_str(out, STR("  "));
    utf8_put_safe(out, r->kind);
    buf_put_str(out, STR(", from "));
    put_wall_time(out, r->began_wall_us);
    buf_put_str(out, STR(", "));
    put_duration(out, r->duration_us);
    end_line(out);
    if (!r->device_count)
        buf_put_str(out, STR("\nNo device was seen.\n"));
}

static void put_scenario(struct buf *value, const struct strip *s)
{
    if (s->scenario_confidence == CONFIDENCE_NONE && !s->scenario_title.n) {
        buf_put_str(value, STR("unknown"));
        return;
    }
    buf_put_str(value, s->scenario_title.n ? s->scenario_title : s->scenario);
    if (s->scenario_confidence == CONFIDENCE_INFERRED)
        buf_put_str(value, STR(" (inferred)"));
}

static void put_outcome(struct buf *value, const struct strip *s)
{
    put_words(value, s->outcome.n ? s->outcome : STR("unknown"));
    if (s->outcome_why.n) {
        buf_put_str(value, STR(": "));
        buf_put_str(value, s->outcome_why);
    }
}

static void put_traffic(struct buf *value, const struct strip *s)
{
    buf_printf(value, "%" PRIu64 " %s, ", s->flows, s->flows == 1 ? "flow" : "flows");
    put_bytes(value, s->bytes_down);
    buf_put_str(value, STR(" down, "));
    put_bytes(value, s->bytes_up);
    buf_put_str(value, STR(" up"));
}

static void put_device_header(struct buf *out, const struct look *look, const struct strip *s)
{
    static const struct {
        const char *name;
        void (*put)(struct buf *value, const struct strip *s);
    } facts[] = {{"scenario", put_scenario}, {"outcome", put_outcome}, {"traffic", put_traffic}};
    struct buf value;

    end_line(out);
    put_painted(out, look, PAINT_BOLD, s->name.n ? s->name : s->id);
    if (s->address.n && !str_eq(s->address, s->name)) {
        buf_put_str(out, STR("  "));
        put_painted(out, look, PAINT_DIM, s->address);
    }
    end_line(out);
    buf_init(&value, BUF_UNBOUNDED);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        buf_clear(&value);
        facts[i].put(&value, s);
        put_fact(out, look, facts[i].name, buf_str(&value));
    }
    buf_finish(&value);
}

/* --- the list --- */

unsigned put_at(struct buf *out, const struct look *look, uint64_t at_us)
{
    struct buf at;

    buf_init(&at, 32);
    put_strip_time(&at, at_us);

    unsigned column = INDENT + (unsigned)at.n + 2;
    put_padding(out, 0, INDENT);
    put_painted(out, look, PAINT_TIME, buf_str(&at));
    buf_put_str(out, STR("  "));
    buf_finish(&at);
    return column;
}

static void put_evidence(struct buf *out, const struct look *look, uint64_t count)
{
    paint_on(out, look, PAINT_DIM);
    buf_printf(out, "  [%" PRIu64 "]", count);
    paint_off(out, look, PAINT_DIM);
}

static void put_says(struct buf *out, const struct look *look, struct str says, unsigned column)
{
    if (!says.n)
        return;
    put_padding(out, 0, column);
    put_wrapped(out, says, column, column, text_width(look));
    end_line(out);
}

/* The device's name, where there are several. Returns the column after it. */
static unsigned put_prefix(struct buf *out, const struct look *look, struct str device,
                           unsigned column)
{
    if (!device.n)
        return column;
    put_painted(out, look, PAINT_GOOD, device);
    buf_put_str(out, STR(": "));
    return column + text_columns(device) + 2;
}

void put_moment_text(struct buf *out, const struct look *look, struct str device,
                     const struct strip_moment *m)
{
    unsigned column = put_at(out, look, m->at_us);
    unsigned title = put_prefix(out, look, device, column);

    paint_on(out, look, PAINT_BOLD);
    put_wrapped(out, m->title, title, column, text_width(look));
    paint_off(out, look, PAINT_BOLD);
    if (m->confidence == CONFIDENCE_INFERRED)
        put_painted(out, look, PAINT_CAUTION, STR("  (inferred)"));
    if (m->evidence.count)
        put_evidence(out, look, m->evidence.count);
    end_line(out);
    put_says(out, look, m->says, column);
}

static void put_flow(struct buf *out, const struct look *look, const struct report_flow *f)
{
    struct buf line;
    unsigned column = put_at(out, look, f->opened_us);

    buf_init(&line, BUF_UNBOUNDED);
    put_flow_line(&line, f);
    paint_on(out, look, f->error.n ? PAINT_BAD : PAINT_DIM);
    buf_put_str(out, STR("· "));
    put_wrapped(out, buf_str(&line), column + 2, column + 2, text_width(look));
    paint_off(out, look, f->error.n ? PAINT_BAD : PAINT_DIM);
    end_line(out);
    buf_finish(&line);
}

static void put_list(struct buf *out, const struct look *look, const struct report_device *d)
{
    const struct strip *s = d->strip;
    const struct strip_moment *summary = summary_of(s);
    size_t flow = 0;

    end_line(out);
    for (const struct strip_moment *m = s->moments; m < s->moments + s->moment_count; m++) {
        for (; flow < d->flow_count && d->flows[flow].opened_us < m->at_us; flow++)
            put_flow(out, look, &d->flows[flow]);
        if (m != summary)
            put_moment_text(out, look, (struct str){0}, m);
    }
    for (; flow < d->flow_count; flow++)
        put_flow(out, look, &d->flows[flow]);
}

/* --- phases, services, findings, coverage --- */

static void put_phase(struct buf *out, const struct look *look, const struct strip_phase *p)
{
    unsigned column = put_at(out, look, p->start_us);
    struct buf title;

    buf_init(&title, BUF_UNBOUNDED);
    /* A time of more than an hour is wider, and the durations stand below each other anyway. */
    unsigned end = AT_COLUMNS + PHASE_COLUMNS;
    put_fitted(&title, p->title.n ? p->title : p->id, end - column - 1);
    buf_put_str(out, buf_str(&title));
    put_padding(out, column + text_columns(buf_str(&title)), end);
    put_duration(out, p->end_us - p->start_us);
    if (p->open)
        buf_put_str(out, STR(", not ended"));
    if (p->confidence == CONFIDENCE_INFERRED)
        put_painted(out, look, PAINT_CAUTION, STR("  (inferred)"));
    end_line(out);
    buf_finish(&title);
}

static void put_phases(struct buf *out, const struct look *look, const struct strip *s)
{
    if (!s->phase_count)
        return;
    put_heading(out, look, "Where the time went");
    for (size_t i = 0; i < s->phase_count; i++)
        put_phase(out, look, &s->phases[i]);
    buf_printf(out, "%*s%-*s", AT_COLUMNS, "", PHASE_COLUMNS, "nothing explains");
    put_duration(out, s->unattributed_us);
    end_line(out);
}

static void put_right(struct buf *out, void (*put)(struct buf *, uint64_t), uint64_t value,
                      unsigned columns)
{
    struct buf cell;

    buf_init(&cell, 64);
    put(&cell, value);
    put_padding(out, (unsigned)cell.n, columns);
    buf_put_str(out, buf_str(&cell));
    buf_finish(&cell);
}

static void put_service(struct buf *out, const struct look *look, const struct strip_service *s)
{
    struct buf name;

    buf_init(&name, BUF_UNBOUNDED);
    put_fitted(&name, s->id, SERVICE_COLUMNS);
    put_padding(out, 0, INDENT);
    buf_put_str(out, buf_str(&name));
    put_padding(out, text_columns(buf_str(&name)), SERVICE_COLUMNS);
    buf_finish(&name);
    buf_printf(out, "%6" PRIu64, s->flows);
    paint_on(out, look, s->failed ? PAINT_BAD : PAINT_PLAIN);
    buf_printf(out, "%7" PRIu64, s->failed);
    paint_off(out, look, s->failed ? PAINT_BAD : PAINT_PLAIN);
    put_right(out, put_bytes, s->bytes_down, 11);
    put_right(out, put_bytes, s->bytes_up, 11);
    put_right(out, put_strip_time, s->first_us, 9);
    put_right(out, put_strip_time, s->last_us, 9);
    end_line(out);
}

static void put_services(struct buf *out, const struct look *look, const struct strip *s)
{
    if (!s->service_count)
        return;
    put_heading(out, look, "Traffic by service");
    paint_on(out, look, PAINT_DIM);
    buf_printf(out, "  %-*s%6s%7s%11s%11s%9s%9s", SERVICE_COLUMNS, "", "flows", "failed", "down",
               "up", "first", "last");
    paint_off(out, look, PAINT_DIM);
    end_line(out);
    for (size_t i = 0; i < s->service_count; i++)
        put_service(out, look, &s->services[i]);
}

void put_finding_text(struct buf *out, const struct look *look, struct str device,
                      const struct strip_finding *f)
{
    static const enum paint paints[] = {PAINT_PLAIN, PAINT_CAUTION, PAINT_BAD};
    unsigned column = put_at(out, look, f->at_us);
    struct str severity = str_of(severity_name(f->severity));

    unsigned title = put_prefix(out, look, device, column) + (unsigned)severity.n + 2;

    put_painted(out, look, paints[f->severity], severity);
    buf_put_str(out, STR(": "));
    paint_on(out, look, PAINT_BOLD);
    put_wrapped(out, f->title, title, column, text_width(look));
    paint_off(out, look, PAINT_BOLD);
    if (f->confidence == CONFIDENCE_INFERRED)
        put_painted(out, look, PAINT_CAUTION, STR("  (inferred)"));
    put_evidence(out, look, f->evidence.count);
    end_line(out);
    put_says(out, look, f->says, column);
    if (!f->remedy.n)
        return;
    put_padding(out, 0, column);
    buf_put_str(out, STR("→ "));
    put_wrapped(out, f->remedy, column + 2, column + 2, text_width(look));
    end_line(out);
}

static void put_findings(struct buf *out, const struct look *look, const struct strip *s)
{
    if (!s->finding_count)
        return;
    put_heading(out, look, "Findings");
    for (size_t i = 0; i < s->finding_count; i++)
        put_finding_text(out, look, (struct str){0}, &s->findings[i]);
}

static void put_gaps(struct buf *out, const struct look *look, const struct strip *s)
{
    bool any = false;

    for (size_t i = 0; i < s->coverage_count; i++) {
        const struct strip_coverage *c = &s->coverage[i];

        if (!c->gap)
            continue;
        if (!any)
            put_heading(out, look, "Not recorded");
        any = true;
        put_at(out, look, c->start_us);
        utf8_put_safe(out, c->source);
        buf_put_str(out, STR(", for "));
        put_duration(out, c->end_us - c->start_us);
        end_line(out);
    }
}

void put_device_text(struct buf *out, const struct look *look, const struct report_device *d,
                     bool with_list)
{
    const struct strip *s = d->strip;
    const struct strip_moment *summary = summary_of(s);

    put_device_header(out, look, s);
    if (with_list)
        put_list(out, look, d);
    put_phases(out, look, s);
    put_services(out, look, s);
    put_findings(out, look, s);
    put_gaps(out, look, s);
    if (!summary)
        return;
    put_heading(out, look, "Summary");
    put_says(out, look, summary->says, INDENT);
}

void report_text(struct buf *out, const struct report *reports, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            end_line(out);
        put_report_header(out, &reports[i]);
        for (size_t d = 0; d < reports[i].device_count; d++)
            put_device_text(out, &reports[i].look, &reports[i].devices[d], true);
    }
}
