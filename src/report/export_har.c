/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HAR 1.2: an entry for each flow that asked for a host, in the order in which they ended. A tunnel
 * is an entry with the method CONNECT: what went through it was not read. Fields that begin with an
 * underscore are ours, as the format allows.
 */
#include "base/json.h"
#include "base/timefmt.h"
#include "base/url.h"
#include "base/xalloc.h"
#include "report/export.h"
#include "report/joined_flow.h"

#include <stdlib.h>

struct exporter {
    uint64_t began_wall_us;
    struct flow_joiner joiner;
    struct json json;
    struct buf text;
};

static void put_key_text(struct json *j, const char *key, struct str text)
{
    json_key(j, key);
    json_str(j, text);
}

static void put_key_number(struct json *j, const char *key, uint64_t number)
{
    json_key(j, key);
    json_u64(j, number);
}

static void put_key_unknown(struct json *j, const char *key)
{
    json_key(j, key);
    json_i64(j, -1);
}

static void put_key_ms(struct json *j, const char *key, uint64_t us)
{
    json_key(j, key);
    json_double(j, (double)us / 1000, 3);
}

static void put_empty_list(struct json *j, const char *key)
{
    json_key(j, key);
    json_array(j);
    json_end(j);
}

/* The headers that were observed: at most this one. */
static void put_headers(struct json *j, const char *name, struct str value)
{
    json_key(j, "headers");
    json_array(j);
    if (value.n) {
        json_object(j);
        put_key_text(j, "name", str_of(name));
        put_key_text(j, "value", value);
        json_end(j);
    }
    json_end(j);
}

static void put_body_bytes(struct json *j, uint64_t bytes)
{
    put_key_unknown(j, "headersSize");
    if (bytes)
        put_key_number(j, "bodySize", bytes);
    else
        put_key_unknown(j, "bodySize");
}

static bool is_tunnel(const struct joined_flow *f)
{
    return !f->method.n || str_eq(f->method, STR("CONNECT"));
}

/* A tunnel's URL is what a browser would have asked for through it: readers want one. */
static struct str url_of(struct exporter *e, const struct joined_flow *f)
{
    if (!is_tunnel(f))
        return f->url;
    buf_clear(&e->text);
    buf_put_str(&e->text, STR("https://"));
    authority_put(&e->text, f->host, (uint16_t)f->port);
    buf_put_byte(&e->text, '/');
    return buf_str(&e->text);
}

static void put_request(struct exporter *e, const struct joined_flow *f)
{
    struct json *j = &e->json;

    json_key(j, "request");
    json_object(j);
    put_key_text(j, "method", is_tunnel(f) ? STR("CONNECT") : f->method);
    put_key_text(j, "url", url_of(e, f));
    put_key_text(j, "httpVersion", STR("HTTP/1.1"));
    put_empty_list(j, "cookies");
    put_headers(j, "User-Agent", f->user_agent);
    put_empty_list(j, "queryString");
    put_body_bytes(j, f->request_bytes);
    json_end(j);
}

static void put_response(struct json *j, const struct joined_flow *f)
{
    json_key(j, "response");
    json_object(j);
    put_key_number(j, "status", f->status);
    put_key_text(j, "statusText", STR(""));
    put_key_text(j, "httpVersion", STR("HTTP/1.1"));
    put_empty_list(j, "cookies");
    put_headers(j, "Content-Type", f->content_type);
    json_key(j, "content");
    json_object(j);
    put_key_number(j, "size", f->response_bytes);
    put_key_text(j, "mimeType", f->content_type);
    json_end(j);
    put_key_text(j, "redirectURL", STR(""));
    put_body_bytes(j, f->response_bytes);
    put_key_number(j, "_transferSize", f->bytes_down);
    if (f->error.n)
        put_key_text(j, "_error", f->error);
    json_end(j);
}

/* The parts that add up to the entry's time; what was not observed is -1. */
static void put_timings(struct json *j, const struct joined_flow *f)
{
    uint64_t total_us = f->ended_us - f->opened_us;
    uint64_t receive_us = f->answered ? f->ended_us - f->answered_us : 0;
    uint64_t dns_us = f->resolve_ms * 1000, connect_us = f->connect_ms * 1000;

    /* Milliseconds are rounded and clocks differ: what does not fit is not said. */
    bool fits = dns_us <= total_us && connect_us <= total_us &&
                dns_us + connect_us + receive_us <= total_us;
    uint64_t known_us = fits ? dns_us + connect_us + receive_us : receive_us;

    put_key_ms(j, "time", total_us);
    json_key(j, "timings");
    json_object(j);
    put_key_unknown(j, "blocked");
    if (fits && f->resolved)
        put_key_ms(j, "dns", dns_us);
    else
        put_key_unknown(j, "dns");
    if (fits && f->connected)
        put_key_ms(j, "connect", connect_us);
    else
        put_key_unknown(j, "connect");
    put_key_ms(j, "send", 0);
    put_key_ms(j, "wait", total_us - known_us);
    put_key_ms(j, "receive", receive_us);
    put_key_unknown(j, "ssl");
    json_end(j);
}

static void put_entry(void *ctx, const struct joined_flow *f)
{
    struct exporter *e = ctx;
    struct json *j = &e->json;

    if (!f->host.n)
        return;
    json_object(j);
    buf_clear(&e->text);
    put_rfc3339(&e->text, e->began_wall_us + f->opened_us);
    put_key_text(j, "startedDateTime", buf_str(&e->text));
    put_timings(j, f);
    put_request(e, f);
    put_response(j, f);
    json_key(j, "cache");
    json_object(j);
    json_end(j);
    if (f->address.n)
        put_key_text(j, "serverIPAddress", f->address);
    if (is_tunnel(f))
        put_key_text(j, "comment", STR("a tunnel: what went through it was not read"));
    put_key_text(j, "_client", address_without_port(f->client));
    put_key_number(j, "_flow", f->flow);
    put_key_number(j, "_bytesUp", f->bytes_up);
    put_key_text(j, "_why", f->is_open ? STR("open") : str_of(obs_whys[f->why].name));
    json_end(j);
}

static void *create(struct buf *out, uint64_t began_wall_us)
{
    struct exporter *e = xalloc(sizeof *e);
    struct json *j = &e->json;

    e->began_wall_us = began_wall_us;
    buf_init(&e->text, BUF_UNBOUNDED);
    flow_joiner_init(&e->joiner, put_entry, e);
    json_init(j, out, false);
    json_object(j);
    json_key(j, "log");
    json_object(j);
    put_key_text(j, "version", STR("1.2"));
    json_key(j, "creator");
    json_object(j);
    put_key_text(j, "name", STR("flightstrip"));
    put_key_text(j, "version", STR(FLIGHTSTRIP_VERSION));
    json_end(j);
    json_key(j, "entries");
    json_array(j);
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
    json_end(&e->json); /* entries */
    json_end(&e->json); /* log */
    json_end(&e->json);
    buf_put_byte(e->json.out, '\n');
    buf_finish(&e->text);
    free(e);
}

const struct export_format export_har = {
    .name = "har",
    .says = "HTTP Archive 1.2, for browsers' tools and HAR viewers",
    .create = create,
    .put = put,
    .finish = finish,
};
