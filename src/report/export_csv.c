/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * CSV (RFC 4180): a line of names, and then one line for each flow, in the order in which they
 * ended.
 */
#include "base/timefmt.h"
#include "base/xalloc.h"
#include "report/csv.h"
#include "report/export.h"
#include "report/joined_flow.h"

#include <inttypes.h>
#include <stdlib.h>

struct exporter {
    struct buf *out;
    uint64_t began_wall_us;
    struct flow_joiner joiner;
    struct buf cell;
};

/* The columns: a name, and what writes the cell. */
static void put_started(struct buf *cell, const struct exporter *e, const struct joined_flow *f)
{
    put_rfc3339(cell, e->began_wall_us + f->opened_us);
}

static void put_count(struct buf *cell, uint64_t count)
{
    buf_printf(cell, "%" PRIu64, count);
}

static void put_duration_ms(struct buf *cell, const struct exporter *e, const struct joined_flow *f)
{
    (void)e;
    put_count(cell, (f->ended_us - f->opened_us) / 1000);
}

static void put_why(struct buf *cell, const struct exporter *e, const struct joined_flow *f)
{
    (void)e;
    buf_put_str(cell, f->is_open ? STR("open") : str_of(obs_whys[f->why].name));
}

static void put_how(struct buf *cell, const struct exporter *e, const struct joined_flow *f)
{
    (void)e;
    buf_put_str(cell, str_of(obs_hows[f->how].name));
}

#define TEXT(member)                                                                               \
    static void put_##member(struct buf *cell, const struct exporter *e,                           \
                             const struct joined_flow *f)                                          \
    {                                                                                              \
        (void)e;                                                                                   \
        buf_put_str(cell, f->member);                                                              \
    }
#define NUMBER(member)                                                                             \
    static void put_##member(struct buf *cell, const struct exporter *e,                           \
                             const struct joined_flow *f)                                          \
    {                                                                                              \
        (void)e;                                                                                   \
        if (f->member)                                                                             \
            put_count(cell, f->member);                                                            \
    }

NUMBER(flow)
NUMBER(device)
TEXT(client)
TEXT(method)
TEXT(host)
NUMBER(port)
TEXT(url)
NUMBER(status)
TEXT(content_type)
TEXT(address)
TEXT(sni)
TEXT(error)
TEXT(user_agent)

static void put_bytes_up(struct buf *cell, const struct exporter *e, const struct joined_flow *f)
{
    (void)e;
    put_count(cell, f->bytes_up);
}

static void put_bytes_down(struct buf *cell, const struct exporter *e, const struct joined_flow *f)
{
    (void)e;
    put_count(cell, f->bytes_down);
}

static const struct column {
    const char *name;
    void (*put)(struct buf *cell, const struct exporter *e, const struct joined_flow *f);
} columns[] = {
    {"started", put_started},
    {"duration_ms", put_duration_ms},
    {"flow", put_flow},
    {"device", put_device},
    {"client", put_client},
    {"how", put_how},
    {"method", put_method},
    {"host", put_host},
    {"port", put_port},
    {"url", put_url},
    {"status", put_status},
    {"content_type", put_content_type},
    {"address", put_address},
    {"sni", put_sni},
    {"bytes_up", put_bytes_up},
    {"bytes_down", put_bytes_down},
    {"why", put_why},
    {"error", put_error},
    {"user_agent", put_user_agent},
};

static void put_flow_line(void *ctx, const struct joined_flow *f)
{
    struct exporter *e = ctx;

    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        buf_clear(&e->cell);
        columns[i].put(&e->cell, e, f);
        buf_put_str(e->out, i ? STR(",") : STR(""));
        put_csv_cell(e->out, buf_str(&e->cell));
    }
    buf_put_str(e->out, STR("\r\n"));
}

static void *create(struct buf *out, uint64_t began_wall_us)
{
    struct exporter *e = xalloc(sizeof *e);

    *e = (struct exporter){.out = out, .began_wall_us = began_wall_us};
    buf_init(&e->cell, BUF_UNBOUNDED);
    flow_joiner_init(&e->joiner, put_flow_line, e);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        buf_printf(out, "%s%s", i ? "," : "", columns[i].name);
    buf_put_str(out, STR("\r\n"));
    return e;
}

static void put(void *exporter, const struct obs *o)
{
    struct exporter *e = exporter;

    flow_joiner_put(&e->joiner, o);
}

static void finish(void *exporter)
{
    struct exporter *e = exporter;

    flow_joiner_finish(&e->joiner);
    buf_finish(&e->cell);
    free(e);
}

const struct export_format export_csv = {
    .name = "csv",
    .says = "one line for each flow, for a spreadsheet",
    .create = create,
    .put = put,
    .finish = finish,
};
