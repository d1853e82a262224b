/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/client.h"

#include "base/xalloc.h"
#include "sources/proxy/exchange.h"
#include "sources/proxy/forward.h"
#include "sources/proxy/policy.h"
#include "sources/proxy/tunnel.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The end */

void client_destroy(struct client *c, enum flow_why why, bool reset)
{
    struct proxy *p = c->proxy;

    flow_close(&c->flow, why);
    dial_cancel(c->dial);
    exchange_destroy(c->exchange);
    tunnel_destroy(c->tunnel);
    side_close(&c->device, reset);
    side_close(&c->server, reset);
    buf_finish(&c->in);
    loop_del_timer(p->loop, &c->timer);

    *(c->previous ? &c->previous->next : &p->clients) = c->next;
    if (c->next)
        c->next->previous = c->previous;
    p->client_count--;
    loop_defer(p->loop, free, c); /* callbacks of this round may still hold it */
    proxy_accept_more(p);
}

void client_linger(struct client *c, enum flow_why why)
{
    flow_close(&c->flow, why);
    dial_cancel(c->dial);
    c->dial = NULL;
    exchange_destroy(c->exchange);
    c->exchange = NULL;
    side_close(&c->server, false);
    buf_finish(&c->in);
    side_end(&c->device);
    if (c->device.error || (c->device.ended && c->device.end_sent)) {
        client_destroy(c, WHY_NONE, false);
        return;
    }
    c->state = CLIENT_LINGERS;
    c->lingered = 0;
    loop_set_timer(c->proxy->loop, &c->timer, loop_now_us(c->proxy->loop) + LINGER_US);
    side_want(&c->device, true);
}

static void linger_on(struct client *c)
{
    size_t n;

    side_flush(&c->device);
    while ((n = side_read(&c->device, c->proxy->scratch, READ_BYTES)))
        if ((c->lingered += n) > LINGER_BYTES)
            break;
    if (c->device.error || c->lingered > LINGER_BYTES || (c->device.ended && c->device.end_sent))
        client_destroy(c, WHY_NONE, false);
    else
        side_want(&c->device, true);
}

void client_refuse(struct client *c, const struct refusal *refusal, bool head_only)
{
    struct buf answer;

    buf_init(&answer, 4096);
    answer_put(&answer, refusal, head_only);
    side_send(&c->device, buf_str(&answer));
    buf_finish(&answer);
    flow_put(&c->flow, (struct obs){.kind = OBS_HTTP_RESPONSE,
                                    .status = refusal->status,
                                    .content_type = answer_type(),
                                    .length = answer_body_bytes(refusal),
                                    .by = BY_PROXY});
    client_linger(c, refusal->why);
}

/* Reading ahead */

static size_t read_in(struct client *c, size_t max)
{
    size_t n = c->in.n < max ? max - c->in.n : 0;

    n = side_read(&c->device, c->proxy->scratch, n < READ_BYTES ? n : READ_BYTES);
    buf_put(&c->in, c->proxy->scratch, n);
    if (n)
        c->moved_us = loop_now_us(c->proxy->loop);
    return n;
}

bool client_wants_ahead(const struct client *c)
{
    return c->in.n < READ_AHEAD_BYTES;
}

void client_read_ahead(struct client *c)
{
    while (read_in(c, READ_AHEAD_BYTES))
        ;
}

/* Requests */

static void open_flow(struct client *c, struct str host, uint16_t port, enum flow_how how)
{
    struct proxy *p = c->proxy;
    char text[ADDRESS_TEXT], with_port[ADDRESS_TEXT];
    uint32_t device =
        devices_get(p->devices, p->stream, SOURCE_PROXY, address_text(&c->from, text), 0);
    struct buf lower;

    buf_init(&lower, HOST_MAX);
    host_put(&lower, host);
    flow_open(&c->flow, device, address_port_text(&c->from, with_port), buf_str(&lower), port, how);
    buf_finish(&lower);
}

/* What never became a request is a flow too: someone came, and this is why nothing came of it. */
static void refuse_head(struct client *c, const struct refusal *refusal)
{
    open_flow(c, (struct str){0}, 0, HOW_NONE);
    flow_moved(&c->flow, c->in.n, 0);
    client_refuse(c, refusal, false);
}

static unsigned refused_status(const struct proxy *p, struct str host)
{
    struct buf lower;
    unsigned status = 0;

    if (p->refuse) {
        buf_init(&lower, HOST_MAX);
        host_put(&lower, host);
        status = p->refuse(p->refuse_ctx, buf_str(&lower));
        buf_finish(&lower);
    }
    return status;
}

static bool is_served(struct client *c, struct str host, bool head_only)
{
    unsigned status = refused_status(c->proxy, host);
    struct refusal refusal;
    char text[ADDRESS_TEXT];

    if (!policy_serves(&c->from)) {
        address_text(&c->from, text);
        refusal_set(&refusal, 403, WHY_REFUSED, "%s is not served: its address is not private",
                    text);
    } else if (status == 407) {
        refusal_set(&refusal, status, WHY_AUTHENTICATION, "this proxy wants credentials");
    } else if (status) {
        refusal_set(&refusal, status, WHY_BLOCKED, STR_FMT " is blocked",
                    STR_ARG(str_head(host, HOST_MAX)));
    } else {
        return true;
    }
    client_refuse(c, &refusal, head_only);
    return false;
}

static void observe_request(struct client *c, const struct http1_head *head, struct str host,
                            struct str url)
{
    struct buf lower;

    buf_init(&lower, HOST_MAX);
    host_put(&lower, host);
    flow_put(&c->flow, (struct obs){.kind = OBS_HTTP_REQUEST,
                                    .method = head->method,
                                    .url = url,
                                    .host = buf_str(&lower),
                                    .user_agent = http1_field(head, STR("User-Agent")),
                                    .length = head->length});
    buf_finish(&lower);
}

static void observe_connect(struct client *c, const struct http1_head *head, struct str host,
                            uint16_t port)
{
    struct buf url;

    buf_init(&url, HOST_MAX + ADDRESS_TEXT);
    authority_put(&url, host, port);
    observe_request(c, head, host, buf_str(&url));
    buf_finish(&url);
}

static void observe_plain(struct client *c, const struct http1_head *head, const struct url *url)
{
    struct buf text;

    buf_init(&text, 2 * HTTP1_HEAD_MAX);
    url_put_redacted(&text, head->target);
    observe_request(c, head, url->host, buf_str(&text));
    buf_finish(&text);
}

static void begin_connect(struct client *c, const struct http1_head *head, size_t head_bytes)
{
    struct refusal refusal;
    struct str host;
    char copy[HOST_MAX + 1];
    uint16_t port;

    if (!authority_parse(head->target, 0, &host, &port) || !port) {
        refusal_set(&refusal, 400, WHY_BAD_REQUEST, "CONNECT wants HOST:PORT");
        refuse_head(c, &refusal);
        return;
    }
    if (head->framing != HTTP1_NO_BODY) {
        refusal_set(&refusal, 400, WHY_BAD_REQUEST, "CONNECT with a body");
        refuse_head(c, &refusal);
        return;
    }
    open_flow(c, host, port, HOW_CONNECT);
    observe_connect(c, head, host, port);
    if (!is_served(c, host, false))
        return;
    snprintf(copy, sizeof copy, STR_FMT, STR_ARG(host));
    buf_eat(&c->in, head_bytes);
    tunnel_dial(c, str_of(copy), port);
}

static void begin_exchange(struct client *c, const struct http1_head *head, size_t head_bytes)
{
    struct refusal refusal;
    struct url url;
    const char *why;

    if (!url_parse(head->target, &url)) {
        refusal_set(&refusal, 400, WHY_BAD_REQUEST,
                    "this is a proxy: it wants an absolute URL or CONNECT");
        refuse_head(c, &refusal);
        return;
    }
    open_flow(c, url.host, url.port, HOW_ABSOLUTE);
    observe_plain(c, head, &url);
    why = forward_objects(head);
    if (why) {
        flow_moved(&c->flow, head_bytes, 0);
        refusal_set(&refusal, 400, WHY_BAD_REQUEST, "%s", why);
        client_refuse(c, &refusal, false);
    } else if (!str_ieq(url.scheme, STR("http"))) {
        refusal_set(&refusal, 501, WHY_REFUSED, STR_FMT " is not served but through CONNECT",
                    STR_ARG(str_head(url.scheme, 32)));
        client_refuse(c, &refusal, str_eq(head->method, STR("HEAD")));
    } else if (is_served(c, url.host, str_eq(head->method, STR("HEAD")))) {
        exchange_start(c, head, head_bytes, &url);
    }
}

static void begin_request(struct client *c, size_t head_bytes)
{
    struct http1_head head;
    struct refusal refusal;
    const char *why;

    if (http1_read_request(str_head(buf_str(&c->in), head_bytes), &head, &why) == PARSED_ODD) {
        refusal_set(&refusal, 400, WHY_BAD_REQUEST, "bad request: %s", why);
        refuse_head(c, &refusal);
    } else if (str_eq(head.method, STR("CONNECT"))) {
        begin_connect(c, &head, head_bytes);
    } else {
        begin_exchange(c, &head, head_bytes);
    }
}

/* A device may send empty lines before a request (RFC 9112, section 2.2). */
static void skip_empty_lines(struct client *c)
{
    size_t n = 0;

    while (c->in.n >= n + 2 && memcmp(c->in.p + n, "\r\n", 2) == 0)
        n += 2;
    buf_eat(&c->in, n);
}

/* The device has left, or cannot go on, before its head was whole. */
static void end_reading(struct client *c)
{
    enum flow_why why = c->device.error ? WHY_DEVICE_RESET : WHY_DEVICE_ABORTED;

    if (c->in.n) {
        open_flow(c, (struct str){0}, 0, HOW_NONE);
        flow_moved(&c->flow, c->in.n, 0);
    }
    client_destroy(c, why, c->device.error);
}

/* True: the head is whole, or something else came of it. */
static bool look_for_head(struct client *c)
{
    struct refusal refusal;
    const char *why;

    skip_empty_lines(c);
    if (!c->in.n || str_eq(buf_str(&c->in), STR("\r")))
        return false;
    switch (http1_find_end(buf_str(&c->in), &c->in_scanned, &why)) {
    case PARSED_DONE:
        begin_request(c, c->in_scanned);
        return true;
    case PARSED_ODD:
        refusal_set(&refusal, 400, WHY_BAD_REQUEST, "bad request: %s", why);
        refuse_head(c, &refusal);
        return true;
    case PARSED_MORE:
        break;
    }
    if (c->in.n < HTTP1_HEAD_MAX)
        return false;
    refusal_set(&refusal, 431, WHY_TOO_MANY, "the request's head is longer than %u bytes",
                (unsigned)HTTP1_HEAD_MAX);
    refuse_head(c, &refusal);
    return true;
}

static void read_head(struct client *c)
{
    do
        if (look_for_head(c))
            return;
    while (read_in(c, HTTP1_HEAD_MAX));

    if (c->device.ended || c->device.error) {
        end_reading(c);
        return;
    }
    if (!c->in.n) {
        buf_finish(&c->in); /* nothing is kept while nothing comes */
    } else if (!c->head_begun) {
        c->head_begun = true;
        loop_set_timer(c->proxy->loop, &c->timer, loop_now_us(c->proxy->loop) + HEAD_US);
    }
    side_flush(&c->device);
    side_want(&c->device, true);
}

void client_read_next(struct client *c)
{
    assert(!c->flow.id);
    exchange_destroy(c->exchange);
    c->exchange = NULL;
    side_close(&c->server, false);
    c->state = CLIENT_READS;
    c->in_scanned = 0;
    c->head_begun = false;
    loop_set_timer(c->proxy->loop, &c->timer, loop_now_us(c->proxy->loop) + KEEP_ALIVE_US);
    read_head(c);
}

/* Events */

static void device_ready(void *ctx, unsigned events)
{
    struct client *c = ctx;

    switch (c->state) {
    case CLIENT_READS:
        read_head(c);
        break;
    case CLIENT_EXCHANGES:
        exchange_device_ready(c, events);
        break;
    case CLIENT_TUNNELS:
        tunnel_device_ready(c, events);
        break;
    case CLIENT_LINGERS:
        linger_on(c);
        break;
    }
}

static void server_ready(void *ctx, unsigned events)
{
    struct client *c = ctx;

    if (c->state == CLIENT_EXCHANGES)
        exchange_server_ready(c, events);
    else
        tunnel_server_ready(c, events);
}

static void head_is_late(struct client *c)
{
    struct refusal refusal;

    if (!c->in.n) {
        client_destroy(c, WHY_NONE, false);
        return;
    }
    refusal_set(&refusal, 408, WHY_TIMEOUT, "the request's head did not come in time");
    refuse_head(c, &refusal);
}

static void timer_fired(void *ctx)
{
    struct client *c = ctx;

    switch (c->state) {
    case CLIENT_READS:
        head_is_late(c);
        break;
    case CLIENT_EXCHANGES:
        exchange_idle(c);
        break;
    case CLIENT_TUNNELS:
        tunnel_idle(c);
        break;
    case CLIENT_LINGERS:
        client_destroy(c, WHY_NONE, false);
        break;
    }
}

void client_watch_idle(struct client *c, uint64_t idle_us)
{
    loop_set_timer(c->proxy->loop, &c->timer, c->moved_us + idle_us);
}

void client_create(struct proxy *p, int fd, const struct sockaddr_storage *from)
{
    struct client *c = xalloc(sizeof *c);

    c->proxy = p;
    c->from = *from;
    address_unmap(&c->from);
    c->moved_us = loop_now_us(p->loop);
    c->timer = (struct loop_timer){.fire = timer_fired, .ctx = c};
    side_init(&c->device, p->loop, device_ready, c);
    side_init(&c->server, p->loop, server_ready, c);
    buf_init(&c->in, HTTP1_HEAD_MAX + READ_BYTES);
    flow_init(&c->flow, p->loop, p->stream);
    if (side_take_fd(&c->device, fd) < 0) {
        free(c);
        return;
    }
    c->next = p->clients;
    if (c->next)
        c->next->previous = c;
    p->clients = c;
    p->client_count++;
    loop_set_timer(p->loop, &c->timer, loop_now_us(p->loop) + KEEP_ALIVE_US);
    side_want(&c->device, true);
}
