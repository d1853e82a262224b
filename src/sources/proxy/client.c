/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/client.h"

#include "base/xalloc.h"
#include "sources/proxy/exchange.h"
#include "sources/proxy/private.h"
#include "sources/proxy/request.h"
#include "sources/proxy/socks.h"
#include "sources/proxy/throttle.h"
#include "sources/proxy/tunnel.h"
#include "sources/proxy/worker.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct loop *loop_of(const struct client *c)
{
    return c->worker->loop;
}

/* The end */

void client_drop_server(struct client *c)
{
    side_close(&c->server, false);
    free(c->server_place);
    c->server_place = NULL;
}

/* What belongs to one flow alone. */
static void end_flow(struct client *c, enum flow_why why)
{
    flow_close(&c->flow, why);
    dial_cancel(c->dial);
    c->dial = NULL;
    exchange_destroy(c->exchange);
    c->exchange = NULL;
    tunnel_destroy(c);
    throttle_destroy(c->throttle);
    c->throttle = NULL;
}

void client_destroy(struct client *c, enum flow_why why, bool reset)
{
    end_flow(c, why);
    side_close(&c->device, reset);
    side_close(&c->server, reset);
    client_drop_server(c);
    socks_destroy(c->socks);
    buf_finish(&c->in);
    loop_del_timer(loop_of(c), &c->timer);
    loop_defer(loop_of(c), free, c); /* callbacks of this round may still hold it */
    worker_remove(c->worker, c);
}

/* It has begun to say what it wants. */
static bool is_under_way(const struct client *c)
{
    return c->in.n || c->socks;
}

static enum flow_how how_it_speaks(const struct client *c)
{
    return c->socks ? HOW_SOCKS : HOW_NONE;
}

/*
 * The device has left, or has to, before its request was whole. One that only greeted asked for
 * nothing, as a browser does that has no use any more for a connection it made in advance.
 */
static void end_reading(struct client *c, enum flow_why why, bool reset)
{
    if (c->in.n) {
        client_open_flow(c, (struct str){0}, 0, how_it_speaks(c));
        flow_moved(&c->flow, c->in.n, 0);
    }
    client_destroy(c, why, reset);
}

void client_shut_down(struct client *c)
{
    if (c->state == CLIENT_READS)
        end_reading(c, WHY_SHUTDOWN, false);
    else
        client_destroy(c, WHY_SHUTDOWN, false);
}

void client_make_room(struct client *c)
{
    if (c->state == CLIENT_READS)
        end_reading(c, WHY_TOO_MANY, false);
    else
        client_destroy(c, WHY_NONE, false);
}

void client_linger(struct client *c, enum flow_why why)
{
    end_flow(c, why);
    client_drop_server(c);
    buf_finish(&c->in);
    side_end(&c->device);
    if (c->device.error || (c->device.ended && c->device.end_sent)) {
        client_destroy(c, WHY_NONE, false);
        return;
    }
    if (c->is_busy)
        worker_is_idle(c->worker, c);
    c->state = CLIENT_LINGERS;
    c->lingered = 0;
    loop_set_timer(loop_of(c), &c->timer, loop_now_us(loop_of(c)) + LINGER_US);
    side_want(&c->device, true, false);
}

static void linger_on(struct client *c)
{
    size_t n;

    side_flush(&c->device);
    while ((n = side_read(&c->device, c->worker->scratch, READ_BYTES)))
        if ((c->lingered += n) > LINGER_BYTES)
            break;
    if (c->device.error || c->lingered > LINGER_BYTES || (c->device.ended && c->device.end_sent))
        client_destroy(c, WHY_NONE, false);
    else
        side_want(&c->device, true, false);
}

/* Refusing */

static void refuse_in_http(struct client *c, const struct refusal *refusal, bool head_only)
{
    struct buf *answer = &c->worker->head;

    buf_clear(answer);
    answer_put(answer, refusal, head_only);
    side_send(&c->device, buf_str(answer));
    flow_put(&c->flow, &(struct obs){.kind = OBS_HTTP_RESPONSE,
                                     .status = refusal->status,
                                     .content_type = answer_type(),
                                     .length = answer_body_bytes(refusal),
                                     .by = BY_PROXY});
}

void client_refuse(struct client *c, const struct refusal *refusal, bool head_only)
{
    if (c->socks)
        socks_refuse(c, refusal);
    else
        refuse_in_http(c, refusal, head_only);
    client_linger(c, refusal->why);
}

void client_refuse_head(struct client *c, const struct refusal *refusal)
{
    client_open_flow(c, (struct str){0}, 0, how_it_speaks(c));
    flow_moved(&c->flow, c->in.n, 0);
    client_refuse(c, refusal, false);
}

/* Reading ahead */

static size_t read_in(struct client *c, size_t max)
{
    size_t n = c->in.n < max ? max - c->in.n : 0;

    n = side_read(&c->device, c->worker->scratch, n < READ_BYTES ? n : READ_BYTES);
    buf_put(&c->in, c->worker->scratch, n);
    if (n && c->state != CLIENT_READS) /* or a trickle would shield all that are idle for longer */
        c->moved_us = loop_now_us(loop_of(c));
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

/* Flows */

const struct sockaddr_storage *client_address(const struct client *c)
{
    return (const void *)&c->from;
}

/* Behind NAT it is the port that tells devices apart. */
static uint32_t find_device(const struct client *c)
{
    char text[ADDRESS_TEXT];
    struct str key = address_text(client_address(c), text);

    if (c->port->device.n) {
        snprintf(text, sizeof text, "*:%u", c->port->number);
        key = str_of(text);
    }
    return devices_get(c->worker->proxy->devices, key);
}

void client_open_flow(struct client *c, struct str host, uint16_t port, enum flow_how how)
{
    char client[ADDRESS_TEXT], lower[HOST_MAX];

    if (!c->device_id)
        c->device_id = find_device(c);
    flow_open(&c->flow, c->device_id, address_port_text(client_address(c), client),
              host_lower(host, lower), port, how);
    if (!c->is_busy)
        worker_is_busy(c->worker, c);
}

static void device_ready(void *ctx, unsigned events);

static void throttle_fired(void *ctx)
{
    device_ready(ctx, 0);
}

bool client_take_server(struct client *c, int fd, const struct refusal *refusal, bool head_only)
{
    struct refusal no_room;

    if (!refusal) {
        side_send_at_once(fd);
        if (side_take(&c->server, fd) == 0) {
            c->moved_us = loop_now_us(loop_of(c));
            return true;
        }
        refusal_set(&no_room, 503, WHY_TOO_MANY, "the proxy has no room for another connection");
        refusal = &no_room;
    }
    client_refuse(c, refusal, head_only);
    return false;
}

void client_throttle(struct client *c, uint64_t bytes_a_second)
{
    if (bytes_a_second)
        c->throttle = throttle_create(loop_of(c), bytes_a_second, throttle_fired, c);
}

/* Reading a head */

static size_t head_max(const struct client *c)
{
    bool served = rules_serve(c->worker->rules, client_address(c));

    return served ? HTTP1_HEAD_MAX : STRANGER_HEAD_MAX;
}

/* A device may send empty lines before a request (RFC 9112, section 2.2). */
static void skip_empty_lines(struct client *c)
{
    size_t n = 0;

    while (c->in.n >= n + 2 && memcmp(c->in.p + n, "\r\n", 2) == 0)
        n += 2;
    buf_eat(&c->in, n);
}

static bool look_for_socks(struct client *c)
{
    if (!c->socks && !c->is_http && socks_begins(c->in.p[0]))
        c->socks = socks_create();
    return c->socks;
}

/* True: the head is whole, or something else came of it. */
static bool look_for_head(struct client *c)
{
    struct refusal refusal;
    const char *why;

    skip_empty_lines(c);
    if (!c->in.n || str_eq(buf_str(&c->in), STR("\r")))
        return false;
    if (look_for_socks(c))
        return socks_read(c);
    switch (http1_find_end(buf_str(&c->in), &c->in_scanned, &why)) {
    case PARSED_DONE:
        request_begin(c, c->in_scanned);
        return true;
    case PARSED_ODD:
        refusal_set(&refusal, 400, WHY_BAD_REQUEST, "bad request: %s", why);
        client_refuse_head(c, &refusal);
        return true;
    case PARSED_MORE:
        break;
    }
    if (c->in.n < head_max(c))
        return false;
    refusal_set(&refusal, 431, WHY_TOO_MANY, "the request's head is longer than %zu bytes",
                head_max(c));
    client_refuse_head(c, &refusal);
    return true;
}

static void wait_for_head(struct client *c)
{
    if (!c->in.n)
        buf_finish(&c->in); /* nothing is kept while nothing comes */
    if (is_under_way(c) && !c->head_begun) {
        c->head_begun = true;
        loop_set_timer(loop_of(c), &c->timer, loop_now_us(loop_of(c)) + HEAD_US);
    }
    side_flush(&c->device);
    side_want(&c->device, true, false);
}

static void read_head(struct client *c)
{
    do
        if (look_for_head(c))
            return;
    while (read_in(c, head_max(c)));

    if (c->device.error)
        end_reading(c, WHY_DEVICE_RESET, true);
    else if (c->device.ended)
        end_reading(c, WHY_DEVICE_ABORTED, false);
    else
        wait_for_head(c);
}

/* What comes from a server to which nothing was said is its end, or nothing that can be used. */
static void server_left(struct client *c)
{
    client_drop_server(c);
}

void client_read_next(struct client *c)
{
    bool keeps = side_is_open(&c->server);

    assert(!c->flow.id);
    end_flow(c, WHY_NONE);
    worker_is_idle(c->worker, c);
    c->is_http = true;
    c->state = CLIENT_READS;
    c->in_scanned = 0;
    c->head_begun = false;
    if (keeps)
        side_want(&c->server, true, false);
    loop_set_timer(loop_of(c), &c->timer,
                   loop_now_us(loop_of(c)) + (keeps ? SERVER_KEPT_US : KEEP_ALIVE_US));
    read_head(c);
}

/* Events */

static void device_ready(void *ctx, unsigned events)
{
    struct client *c = ctx;

    switch ((enum client_state)c->state) {
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
    else if (c->state == CLIENT_TUNNELS)
        tunnel_server_ready(c, events);
    else
        server_left(c);
}

static void head_is_late(struct client *c)
{
    struct refusal refusal;

    refusal_set(&refusal, 408, WHY_TIMEOUT, "the request's head did not come in time");
    client_refuse_head(c, &refusal);
}

/* No request for a while: first the server's connection goes, then the client's. */
static void reading_is_idle(struct client *c)
{
    if (c->head_begun && is_under_way(c)) { /* and not an empty line alone */
        head_is_late(c);
    } else if (side_is_open(&c->server)) {
        client_drop_server(c);
        client_watch_idle(c, KEEP_ALIVE_US);
    } else {
        client_destroy(c, WHY_NONE, false);
    }
}

static void timer_fired(void *ctx)
{
    struct client *c = ctx;

    switch ((enum client_state)c->state) {
    case CLIENT_READS:
        reading_is_idle(c);
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
    loop_set_timer(loop_of(c), &c->timer, c->moved_us + idle_us);
}

/* Beginning */

static void take_address(struct client *c, const struct sockaddr_storage *from)
{
    struct sockaddr_storage plain = *from;

    address_unmap(&plain);
    memcpy(&c->from, &plain, sizeof c->from);
}

void client_create(struct worker *w, const struct port *port, int fd,
                   const struct sockaddr_storage *from)
{
    struct client *c = xalloc(sizeof *c);

    c->worker = w;
    c->port = port;
    take_address(c, from);
    c->moved_us = loop_now_us(w->loop);
    c->timer = (struct loop_timer){.fire = timer_fired, .ctx = c};
    side_init(&c->device, w->loop, device_ready, c);
    side_init(&c->server, w->loop, server_ready, c);
    buf_init(&c->in, HTTP1_HEAD_MAX + READ_BYTES);
    flow_init(&c->flow, w);
    if (side_take(&c->device, fd) < 0) {
        free(c);
        return;
    }
    worker_add(w, c);
    loop_set_timer(w->loop, &c->timer, loop_now_us(w->loop) + KEEP_ALIVE_US);
}
