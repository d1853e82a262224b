/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Markdown (CommonMark, with GitHub's tables), ready to be posted in a blog or a ticket. */
#include "base/timefmt.h"
#include "base/utf8.h"
#include "report/parts.h"

#include <inttypes.h>

static bool is_markup(char c)
{
    static const struct str marks = STR("\\`*_[]<>|~&#");

    return str_find(marks, c) < marks.n;
}

/* Markup at the beginning of a line: lists, underlined headings. */
static bool begins_markup(char c)
{
    return c == '-' || c == '+' || c == '=';
}

/*
 * Text as text: what would be markup is escaped, also in a table's cell. An address keeps its look,
 * but does not become a link; a line end becomes a space.
 */
static void put_text(struct buf *out, struct str s)
{
    struct buf safe;
    bool begins = true;

    buf_init(&safe, BUF_UNBOUNDED);
    for (struct str line; str_line(&s, &line);) {
        if (!begins)
            buf_put_byte(&safe, ' ');
        utf8_put_safe(&safe, str_trim(line));
        begins = false;
    }
    for (size_t i = 0; i < safe.n; i++) {
        struct str rest = str_skip(buf_str(&safe), i);
        bool link = str_starts(rest, STR("://")) || str_starts(rest, STR("@"));
        bool www = i >= 3 && str_istarts(str_skip(buf_str(&safe), i - 3), STR("www."));

        if (is_markup(rest.p[0]) || link || www || (!i && begins_markup(rest.p[0])))
            buf_put_byte(out, '\\');
        buf_put_byte(out, (uint8_t)rest.p[0]);
    }
    buf_finish(&safe);
}

static void put_inferred(struct buf *out, enum confidence c)
{
    if (c == CONFIDENCE_INFERRED)
        buf_put_str(out, STR(" *(inferred)*"));
}

static void put_header(struct buf *out, const struct report *r, const struct strip *s)
{
    buf_put_str(out, STR("# "));
    put_text(out, s->name.n ? s->name : s->id);
    buf_put_str(out, STR("\n\n"));
    put_text(out, r->name);
    buf_put_str(out, STR(", from "));
    put_wall_time(out, r->began_wall_us);
    buf_put_str(out, STR("\n\n| | |\n|---|---|\n| Scenario | "));
    put_text(out, s->scenario_title.n ? s->scenario_title : s->scenario);
    put_inferred(out, s->scenario_confidence);
    buf_put_str(out, STR(" |\n| Outcome | **"));
    put_words(out, s->outcome.n ? s->outcome : STR("unknown"));
    buf_put_str(out, STR("** "));
    put_text(out, s->outcome_why);
    buf_put_str(out, STR(" |\n| Duration | "));
    put_duration(out, s->end_us - s->start_us);
    buf_printf(out, " |\n| Traffic | %" PRIu64 " %s, ", s->flows, s->flows == 1 ? "flow" : "flows");
    put_bytes(out, s->bytes_down);
    buf_put_str(out, STR(" down, "));
    put_bytes(out, s->bytes_up);
    buf_put_str(out, STR(" up |\n"));
}

static void put_flow(struct buf *out, const struct report_flow *f)
{
    struct buf line;

    buf_init(&line, BUF_UNBOUNDED);
    put_flow_line(&line, f);
    buf_put_str(out, STR("  - "));
    put_strip_time(out, f->opened_us);
    buf_put_byte(out, ' ');
    put_text(out, buf_str(&line));
    buf_put_byte(out, '\n');
    buf_finish(&line);
}

static void put_moment(struct buf *out, const struct strip_moment *m)
{
    buf_put_str(out, STR("- **"));
    put_strip_time(out, m->at_us);
    buf_put_str(out, STR("** **"));
    put_text(out, m->title);
    buf_put_str(out, STR("**"));
    put_inferred(out, m->confidence);
    buf_put_str(out, m->says.n ? STR(": ") : STR(""));
    put_text(out, m->says);
    buf_put_byte(out, '\n');
}

static void put_moments(struct buf *out, const struct report_device *d)
{
    const struct strip *s = d->strip;
    const struct strip_moment *summary = summary_of(s);
    size_t flow = 0;

    buf_put_str(out, STR("\n## What happened\n\n"));
    for (const struct strip_moment *m = s->moments; m < s->moments + s->moment_count; m++) {
        for (; flow < d->flow_count && d->flows[flow].opened_us < m->at_us; flow++)
            put_flow(out, &d->flows[flow]);
        if (m != summary)
            put_moment(out, m);
    }
    for (; flow < d->flow_count; flow++)
        put_flow(out, &d->flows[flow]);
}

static void put_phases(struct buf *out, const struct strip *s)
{
    if (!s->phase_count)
        return;
    buf_put_str(out, STR("\n## Where the time went\n\n| From | Phase | Took |\n|---:|---|---:|\n"));
    for (const struct strip_phase *p = s->phases; p < s->phases + s->phase_count; p++) {
        buf_put_str(out, STR("| "));
        put_strip_time(out, p->start_us);
        buf_put_str(out, STR(" | "));
        put_text(out, p->title.n ? p->title : p->id);
        put_inferred(out, p->confidence);
        buf_put_str(out, STR(" | "));
        put_duration(out, p->end_us - p->start_us);
        buf_put_str(out, p->open ? STR(", not ended |\n") : STR(" |\n"));
    }
    buf_put_str(out, STR("| | nothing explains | "));
    put_duration(out, s->unattributed_us);
    buf_put_str(out, STR(" |\n"));
}

static void put_findings(struct buf *out, const struct strip *s)
{
    if (!s->finding_count)
        return;
    buf_put_str(out, STR("\n## Findings\n\n"));
    for (const struct strip_finding *f = s->findings; f < s->findings + s->finding_count; f++) {
        buf_printf(out, "- **%s**, ", severity_name(f->severity));
        put_strip_time(out, f->at_us);
        buf_put_str(out, STR(": **"));
        put_text(out, f->title);
        buf_put_str(out, STR("**"));
        put_inferred(out, f->confidence);
        buf_put_str(out, f->says.n ? STR(": ") : STR(""));
        put_text(out, f->says);
        if (f->remedy.n) {
            buf_put_str(out, STR("\n  *What to do:* "));
            put_text(out, f->remedy);
        }
        buf_put_byte(out, '\n');
    }
}

static void put_services(struct buf *out, const struct strip *s)
{
    if (!s->service_count)
        return;
    buf_put_str(out,
                STR("\n## Traffic by service\n\n| Service | Flows | Failed | Down | Up | First "
                    "| Last |\n|---|---:|---:|---:|---:|---:|---:|\n"));
    for (const struct strip_service *v = s->services; v < s->services + s->service_count; v++) {
        buf_put_str(out, STR("| "));
        put_text(out, v->id);
        buf_printf(out, " | %" PRIu64 " | %" PRIu64 " | ", v->flows, v->failed);
        put_bytes(out, v->bytes_down);
        buf_put_str(out, STR(" | "));
        put_bytes(out, v->bytes_up);
        buf_put_str(out, STR(" | "));
        put_strip_time(out, v->first_us);
        buf_put_str(out, STR(" | "));
        put_strip_time(out, v->last_us);
        buf_put_str(out, STR(" |\n"));
    }
}

static void put_device(struct buf *out, const struct report *r, const struct report_device *d)
{
    const struct strip_moment *summary = summary_of(d->strip);

    put_header(out, r, d->strip);
    put_moments(out, d);
    put_phases(out, d->strip);
    put_findings(out, d->strip);
    put_services(out, d->strip);
    if (!summary)
        return;
    buf_put_str(out, STR("\n## Summary\n\n"));
    put_text(out, summary->says);
    buf_put_byte(out, '\n');
}

void report_markdown(struct buf *out, const struct report *reports, size_t n)
{
    bool first = true;

    for (const struct report *r = reports; r < reports + n; r++)
        for (size_t d = 0; d < r->device_count; d++) {
            buf_put_str(out, first ? STR("") : STR("\n"));
            put_device(out, r, &r->devices[d]);
            first = false;
        }
}
