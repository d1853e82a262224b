/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Squid's native access log: a line for each flow that ended, when it ended, for the many tools
 * that read such logs. A flow that is still open has no line, as in Squid's own; nor has one that
 * asked for no host, unless it was a request that made no sense.
 */
#include "base/url.h"
#include "base/xalloc.h"
#include "report/export.h"
#include "report/joined_flow.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    /* "HTTP/1.1 200 Connection established" and the empty line: Squid counts it as tunnel bytes. */
    ESTABLISHED_BYTES = 39,
};

struct exporter {
    struct buf *out;
    uint64_t began_wall_us;
    struct flow_joiner joiner;
};

/* How Squid says why a flow ended otherwise than well. A status of 0: what was observed. */
static const struct ending {
    enum flow_why why;
    const char *code;
    unsigned status;
    const char *hierarchy; /* NULL: HIER_DIRECT when the address is known */
} endings[] = {
    {WHY_AUTHENTICATION, "TCP_DENIED", 407, "HIER_NONE"},
    {WHY_BLOCKED, "TCP_DENIED", 403, "HIER_NONE"},
    {WHY_REFUSED, "TCP_DENIED", 403, "HIER_NONE"},
    {WHY_NAME_FAILED, "NONE_NONE", 503, "HIER_NONE"},
    {WHY_CONNECT_FAILED, "NONE_NONE", 503, NULL},
    {WHY_UPSTREAM_FAILED, "TCP_MISS", 503, "FIRSTUP_PARENT"},
    {WHY_BAD_REQUEST, "NONE_NONE", 400, "HIER_NONE"},
    {WHY_DEVICE_ABORTED, "TCP_MISS_ABORTED", 0, NULL},
    {WHY_TIMEOUT, "TCP_MISS_TIMEDOUT", 0, NULL},
};

static struct ending ending_of(const struct joined_flow *f)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (endings[i].why == f->why)
            return endings[i];
    return (struct ending){.code = f->how == HOW_CONNECT ? "TCP_TUNNEL" : "TCP_MISS"};
}

/* A word of the line: what would end it or hide in it becomes "%XX", as Squid writes it. */
static void put_word(struct buf *out, struct str s)
{
    if (!s.n)
        buf_put_byte(out, '-');
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = (uint8_t)s.p[i];

        if (c <= ' ' || c >= 0x7f)
            buf_printf(out, "%%%02X", c);
        else
            buf_put_byte(out, c);
    }
}

/* "text/html; charset=utf-8" is logged as "text/html". */
static struct str media_type(struct str content_type)
{
    return str_trim(str_cut(&content_type, ';'));
}

static void put_target(struct buf *out, const struct joined_flow *f)
{
    if (!f->host.n)
        buf_put_str(out, STR("- error:invalid-request"));
    else if (f->how == HOW_CONNECT || !f->url.n) {
        buf_put_str(out, STR("CONNECT "));
        authority_put(out, f->host, (uint16_t)f->port);
    } else {
        put_word(out, f->method);
        buf_put_byte(out, ' ');
        put_word(out, f->url);
    }
}

static void put_line(void *ctx, const struct joined_flow *f)
{
    struct exporter *e = ctx;
    struct buf *out = e->out;
    struct ending ending = ending_of(f);
    uint64_t ended_ms = (e->began_wall_us + f->ended_us) / 1000;
    uint64_t opened_ms = (e->began_wall_us + f->opened_us) / 1000;
    bool is_said = !ending.status || f->by == BY_UPSTREAM;
    unsigned status = is_said ? (unsigned)f->status : ending.status;
    bool is_tunnel = f->how == HOW_CONNECT && status == 200;
    struct str address = f->address.n ? f->address : f->resolved_address;
    bool is_direct = !ending.hierarchy && address.n;

    if (f->is_open || (!f->host.n && f->why != WHY_BAD_REQUEST))
        return;
    buf_printf(out, "%" PRIu64 ".%03u %6" PRIu64 " ", ended_ms / 1000, (unsigned)(ended_ms % 1000),
               ended_ms - opened_ms);
    put_word(out, address_without_port(f->client));
    buf_printf(out, " %s/%03u %" PRIu64 " ", ending.code, status,
               f->bytes_down + (is_tunnel ? ESTABLISHED_BYTES : 0));
    put_target(out, f);
    buf_printf(out, " - %s/",
               is_direct          ? "HIER_DIRECT"
               : ending.hierarchy ? ending.hierarchy
                                  : "HIER_NONE");
    put_word(out, is_direct ? address : (struct str){0});
    buf_put_byte(out, ' ');
    put_word(out, is_tunnel ? STR("") : media_type(f->content_type));
    buf_put_byte(out, '\n');
}

static void *create(struct buf *out, uint64_t began_wall_us)
{
    struct exporter *e = xalloc(sizeof *e);

    *e = (struct exporter){.out = out, .began_wall_us = began_wall_us};
    flow_joiner_init(&e->joiner, put_line, e);
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
    free(e);
}

const struct export_format export_squid = {
    .name = "squid",
    .says = "a Squid access log, for tools that read those",
    .create = create,
    .put = put,
    .finish = finish,
};
