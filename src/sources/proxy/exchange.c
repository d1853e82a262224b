/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two directions that go on side by side: the request (up) and the response (down). Each callback
 * pumps what can be pumped and ends in settle(), the one place that decides what the exchange waits
 * for next and whether it is over.
 *
 * It is over when the response has been passed on whole. A response may come before the request
 * has ended (413, 401); the rest of the request is then not worth reading, and the connection ends.
 *
 * A device that has sent its FIN may have left, or may only have nothing more to say. Nobody can
 * see which from here, except by sending: so after a second without an answer it is sent a `100
 * Continue`, which every HTTP/1.1 client reads past (RFC 9110, section 15.2), and which a socket
 * that nobody has open any more answers with a reset.
 */
#include "sources/proxy/exchange.h"

#include "base/auto.h"
#include "base/xalloc.h"
#include "sources/proxy/forward.h"
#include "sources/proxy/tunnel.h"

#include <stdlib.h>

struct exchange {
    struct client *client;
    bool head_only;     /* HEAD: the response has no body */
    bool old_device;    /* HTTP/1.0: no interim responses, no chunks, no second request */
    bool persistent;    /* the device will send another request */
    bool upgrades;      /* the device asked for another protocol */
    struct buf request; /* the head to send, until connected */
    struct http1_body up, down;
    bool up_done, down_done;
    bool answered;   /* the response's head has been passed on */
    struct buf head; /* the response's, until it is whole */
    size_t head_scanned;
    uint64_t asked_us;
    struct loop_timer gone; /* asks whether the device is still there, once */
    bool gone_asked;
};

void exchange_destroy(struct exchange *x)
{
    if (!x)
        return;
    loop_del_timer(x->client->proxy->loop, &x->gone);
    buf_finish(&x->request);
    buf_finish(&x->head);
    free(x);
}

/* An end that is not the ordinary one. After the response has begun it can only break off. */
static void fail(struct client *c, unsigned status, enum flow_why why, const char *says)
{
    struct refusal refusal;

    if (c->exchange->answered) {
        client_destroy(c, why, true);
        return;
    }
    refusal_set(&refusal, status, why, "%s", says);
    client_refuse(c, &refusal, c->exchange->head_only);
}

static void fail_response(struct client *c, const char *why)
{
    char text[128];

    snprintf(text, sizeof text, "bad response: %s", why);
    fail(c, 502, WHY_BAD_RESPONSE, text);
}

static void device_left(struct client *c)
{
    client_destroy(c, c->device.error ? WHY_DEVICE_RESET : WHY_DEVICE_ABORTED, true);
}

/* The request */

enum pumped { PUMPED, PUMP_OVER }; /* OVER: the exchange ended on the way */

/* Passes on what belongs to the request; *ret_taken is how much of the bytes that was. */
static enum pumped pass_up(struct client *c, char *bytes, size_t n, size_t *ret_taken)
{
    struct exchange *x = c->exchange;
    size_t kept;
    enum parsed r = http1_body_take(&x->up, bytes, n, ret_taken, &kept);

    flow_moved(&c->flow, *ret_taken, 0);
    c->moved_us = loop_now_us(c->proxy->loop);
    if (r == PARSED_ODD) {
        fail(c, 400, WHY_BAD_REQUEST, "bad request: a malformed chunk");
        return PUMP_OVER;
    }
    side_send(&c->server, str_from(bytes, kept));
    x->up_done = r == PARSED_DONE;
    return PUMPED;
}

/* What was read ahead comes first. */
static enum pumped pump_up_ahead(struct client *c)
{
    size_t taken;

    if (!c->in.n)
        return PUMPED;
    if (pass_up(c, c->in.p, c->in.n, &taken) == PUMP_OVER)
        return PUMP_OVER;
    buf_eat(&c->in, taken);
    if (!c->in.n)
        buf_finish(&c->in);
    return PUMPED;
}

static enum pumped pump_up(struct client *c)
{
    struct exchange *x = c->exchange;
    char *bytes = c->proxy->scratch;
    size_t n, taken;

    side_flush(&c->server);
    if (x->up_done || !side_is_open(&c->server)) {
        client_read_ahead(c);
        return PUMPED;
    }
    if (pump_up_ahead(c) == PUMP_OVER)
        return PUMP_OVER;
    while (!x->up_done && !c->server.out.n && !c->server.error &&
           (n = side_read(&c->device, bytes, READ_BYTES))) {
        if (pass_up(c, bytes, n, &taken) == PUMP_OVER)
            return PUMP_OVER;
        buf_put(&c->in, bytes + taken, n - taken); /* the next request */
    }
    return PUMPED;
}

/* The response */

/* The head is whole and final. */
static void pass_head(struct client *c, const struct http1_head *head)
{
    struct exchange *x = c->exchange;
    struct buf out;

    http1_body_init(&x->down, head);
    x->down.unframed = x->old_device && head->framing == HTTP1_CHUNKED;
    x->persistent = x->persistent && x->up_done && head->framing != HTTP1_UNTIL_CLOSE;
    x->answered = true;

    buf_init(&out, 2 * HTTP1_HEAD_MAX);
    forward_response(&out, head, (struct response_form){!x->persistent, x->down.unframed});
    side_send(&c->device, buf_str(&out));
    buf_finish(&out);

    flow_put(&c->flow, (struct obs){.kind = OBS_HTTP_RESPONSE,
                                    .status = head->status,
                                    .content_type = http1_field(head, STR("Content-Type")),
                                    .length = head->length,
                                    .ms = (loop_now_us(c->proxy->loop) - x->asked_us + 500) / 1000,
                                    .by = BY_SERVER});
}

static void pass_interim(struct client *c, const struct http1_head *head)
{
    struct buf out;

    if (c->exchange->old_device)
        return;
    buf_init(&out, 2 * HTTP1_HEAD_MAX);
    forward_response(&out, head, (struct response_form){0});
    side_send(&c->device, buf_str(&out));
    buf_finish(&out);
}

static enum pumped pass_down(struct client *c, char *bytes, size_t n)
{
    struct exchange *x = c->exchange;
    size_t taken, kept;
    enum parsed r = http1_body_take(&x->down, bytes, n, &taken, &kept);

    flow_moved(&c->flow, 0, taken);
    side_send(&c->device, str_from(bytes, kept));
    x->down_done = r == PARSED_DONE; /* what the server sends beyond that is nobody's */
    if (r != PARSED_ODD)
        return PUMPED;
    fail_response(c, "a malformed chunk");
    return PUMP_OVER;
}

/* 101: the rest of the connection is the other protocol's. */
static enum pumped switch_protocol(struct client *c, const struct http1_head *head, size_t bytes)
{
    struct exchange *x = c->exchange;
    struct buf rest = x->head;

    if (!x->upgrades || !head->upgrade || !x->up_done) {
        fail_response(c, "a switch of protocols that was not asked for");
        return PUMP_OVER;
    }
    pass_head(c, head);
    flow_moved(&c->flow, 0, bytes);
    buf_init(&x->head, 0); /* its bytes are ours now */
    exchange_destroy(STEAL(&c->exchange));
    tunnel_start(c, str_skip(buf_str(&rest), bytes));
    buf_finish(&rest);
    return PUMP_OVER;
}

/* Takes one whole head off the front of x->head. */
static enum pumped take_head(struct client *c, size_t bytes)
{
    struct exchange *x = c->exchange;
    struct str method = x->head_only ? STR("HEAD") : STR("");
    struct http1_head head;
    const char *why;

    if (http1_read_response(str_head(buf_str(&x->head), bytes), method, &head, &why) ==
        PARSED_ODD) {
        fail_response(c, why);
        return PUMP_OVER;
    }
    if (head.status == 101)
        return switch_protocol(c, &head, bytes);
    if (head.status < 200)
        pass_interim(c, &head);
    else
        pass_head(c, &head);
    flow_moved(&c->flow, 0, bytes);
    buf_eat(&x->head, bytes);
    x->head_scanned = 0;
    return PUMPED;
}

static enum pumped read_heads(struct client *c, struct str bytes)
{
    struct exchange *x = c->exchange;
    const char *why;

    buf_put_str(&x->head, bytes);
    while (!x->answered) {
        switch (http1_find_end(buf_str(&x->head), &x->head_scanned, &why)) {
        case PARSED_DONE:
            if (take_head(c, x->head_scanned) == PUMP_OVER)
                return PUMP_OVER;
            break;
        case PARSED_ODD:
            fail_response(c, why);
            return PUMP_OVER;
        case PARSED_MORE:
            if (x->head.n <= HTTP1_HEAD_MAX)
                return PUMPED;
            fail_response(c, "its head is too long");
            return PUMP_OVER;
        }
    }

    struct buf rest = x->head;
    buf_init(&x->head, 0);
    enum pumped r = pass_down(c, rest.p, rest.n);
    buf_finish(&rest);
    return r;
}

static enum pumped server_ended(struct client *c)
{
    struct exchange *x = c->exchange;
    bool reset = c->server.error;

    if (x->answered && x->down.framing == HTTP1_UNTIL_CLOSE && !reset) {
        x->down_done = true;
        return PUMPED;
    }
    fail(c, 502, reset ? WHY_SERVER_RESET : WHY_SERVER_CLOSED,
         reset ? "the server reset the connection" : "the server closed the connection");
    return PUMP_OVER;
}

static enum pumped pump_down(struct client *c)
{
    struct exchange *x = c->exchange;
    char *bytes = c->proxy->scratch;
    size_t n;

    side_flush(&c->device);
    if (!side_is_open(&c->server))
        return PUMPED;
    while (!x->down_done && !c->device.out.n && !c->device.error &&
           (n = side_read(&c->server, bytes, READ_BYTES))) {
        enum pumped r;

        c->moved_us = loop_now_us(c->proxy->loop);
        r = x->answered ? pass_down(c, bytes, n) : read_heads(c, str_from(bytes, n));
        if (r == PUMP_OVER)
            return PUMP_OVER;
    }
    if (!x->down_done && (c->server.ended || c->server.error) && !c->device.out.n)
        return server_ended(c);
    return PUMPED;
}

/* Both together */

static void finish(struct client *c)
{
    struct exchange *x = c->exchange;

    flow_close(&c->flow, WHY_FINISHED);
    if (x->persistent && !c->device.error)
        client_read_next(c);
    else
        client_linger(c, WHY_FINISHED);
}

static void wait_for_more(struct client *c)
{
    struct exchange *x = c->exchange;
    bool up_goes_on = !x->up_done && side_is_open(&c->server);
    bool reads_up = up_goes_on ? !c->server.out.n && !c->server.error : client_wants_ahead(c);

    side_want(&c->device, reads_up);
    side_want(&c->server, !c->device.out.n);
    if (c->device.ended && !x->answered && !x->old_device && !x->gone_asked && !x->gone.slot)
        loop_set_timer(c->proxy->loop, &x->gone, loop_now_us(c->proxy->loop) + GONE_US);
}

static void settle(struct client *c)
{
    struct exchange *x = c->exchange;
    bool cut_short = c->device.ended && !x->up_done && !c->in.n;

    if (c->device.error || cut_short)
        device_left(c);
    else if (x->down_done && !c->device.out.n)
        finish(c);
    else
        wait_for_more(c);
}

static void pump(struct client *c)
{
    if (pump_up(c) == PUMPED && pump_down(c) == PUMPED)
        settle(c);
}

void exchange_device_ready(struct client *c, unsigned events)
{
    (void)events;
    pump(c);
}

void exchange_server_ready(struct client *c, unsigned events)
{
    (void)events;
    pump(c);
}

static void ask_whether_gone(void *ctx)
{
    struct client *c = ctx;

    c->exchange->gone_asked = true;
    if (c->exchange->answered || c->device.out.n)
        return;
    side_send(&c->device, STR("HTTP/1.1 100 Continue\r\n\r\n"));
    settle(c);
}

void exchange_idle(struct client *c)
{
    if (loop_now_us(c->proxy->loop) < c->moved_us + EXCHANGE_IDLE_US)
        client_watch_idle(c, EXCHANGE_IDLE_US);
    else if (c->exchange->answered)
        fail(c, 504, WHY_IDLE, "nothing moved for too long");
    else
        fail(c, 504, WHY_TIMEOUT, "the server did not answer in time");
}

static void dialled(void *ctx, int fd, const struct refusal *refusal)
{
    struct client *c = ctx;
    struct exchange *x = c->exchange;

    c->dial = NULL;
    if (fd < 0) {
        client_refuse(c, refusal, x->head_only);
        return;
    }
    if (side_take_fd(&c->server, fd) < 0) {
        fail(c, 503, WHY_TOO_MANY, "the proxy has no room for another connection");
        return;
    }
    c->moved_us = loop_now_us(c->proxy->loop);
    side_send(&c->server, buf_str(&x->request));
    buf_finish(&x->request);
    pump(c);
}

void exchange_start(struct client *c, const struct http1_head *head, size_t head_bytes,
                    const struct url *url)
{
    struct proxy *p = c->proxy;
    struct exchange *x = xalloc(sizeof *x);

    *x = (struct exchange){
        .client = c,
        .head_only = str_eq(head->method, STR("HEAD")),
        .old_device = head->minor == 0,
        .persistent = head->persistent,
        .upgrades = forward_upgrades(head),
        .asked_us = loop_now_us(p->loop),
        .gone = {.fire = ask_whether_gone, .ctx = c},
    };
    http1_body_init(&x->up, head);
    x->up_done = head->framing == HTTP1_NO_BODY;
    buf_init(&x->request, 3 * HTTP1_HEAD_MAX);
    buf_init(&x->head, HTTP1_HEAD_MAX + READ_BYTES);
    forward_request(&x->request, head, url);
    c->exchange = x;
    c->state = CLIENT_EXCHANGES;
    c->moved_us = loop_now_us(p->loop);
    client_watch_idle(c, EXCHANGE_IDLE_US);
    c->dial = dial_start(p, &c->flow, url->host, url->port, dialled, c);

    flow_moved(&c->flow, head_bytes, 0);
    buf_eat(&c->in, head_bytes); /* from here on head and url point nowhere */
    if (!c->in.n)
        buf_finish(&c->in);
    client_read_ahead(c);
    settle(c);
}
