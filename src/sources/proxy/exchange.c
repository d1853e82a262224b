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
#include "sources/proxy/private.h"
#include "sources/proxy/throttle.h"
#include "sources/proxy/tunnel.h"
#include "sources/proxy/upstream.h"

#include <stdlib.h>
#include <string.h>

struct exchange {
    struct client *client;
    bool head_only;     /* HEAD: the response has no body */
    bool old_device;    /* HTTP/1.0: no interim responses, no chunks, no second request */
    bool persistent;    /* the device will send another request */
    bool upgrades;      /* the device asked for another protocol */
    char *upstream_for; /* the host, when it is an upstream proxy that is asked; or NULL */
    char *place;        /* where the server's connection leads */
    bool reused;        /* it is that of the exchange before, and nothing has come from it yet */
    bool server_stays;  /* and can be that of the one after */
    struct buf request; /* the head to send, for as long as it may have to be sent (again) */
    struct http1_body up, down;
    bool up_done, down_done;
    bool answered;   /* the response's head is whole, and final */
    bool head_waits; /* it is in the worker's head, to be sent together with what follows */
    struct buf head; /* what there is of one that is not whole */
    size_t head_scanned;
    uint64_t asked_us;      /* when the request was sent */
    struct loop_timer gone; /* asks whether the device is still there, once */
    bool gone_asked;
};

void exchange_destroy(struct exchange *x)
{
    if (!x)
        return;
    loop_del_timer(x->client->worker->loop, &x->gone);
    free(x->place);
    free(x->upstream_for);
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
    throttle_moved(c->throttle, WAY_UP, *ret_taken);
    c->moved_us = loop_now_us(c->worker->loop);
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
    char *bytes = c->worker->scratch;
    size_t n, taken;
    int turn = 0;

    side_flush(&c->server);
    if (x->up_done || !side_is_open(&c->server)) {
        client_read_ahead(c);
        return PUMPED;
    }
    if (pump_up_ahead(c) == PUMP_OVER)
        return PUMP_OVER;
    while (turn++ < READS_A_TURN && !x->up_done && !c->server.out.n && !c->server.error &&
           (n = side_read(&c->device, bytes, throttle_allows(c->throttle, WAY_UP, READ_BYTES)))) {
        if (pass_up(c, bytes, n, &taken) == PUMP_OVER)
            return PUMP_OVER;
        buf_put(&c->in, bytes + taken, n - taken); /* the next request */
    }
    return PUMPED;
}

/* The response */

/* The head is whole and final. It is sent together with what there is of the body: pass_down. */
static void take_final(struct client *c, const struct http1_head *head)
{
    struct exchange *x = c->exchange;
    struct buf *out = &c->worker->head;

    http1_body_init(&x->down, head);
    x->down.unframed = x->old_device && head->framing == HTTP1_CHUNKED;
    x->persistent = x->persistent && x->up_done && head->framing != HTTP1_UNTIL_CLOSE;
    x->server_stays = x->persistent && head->persistent && !x->upgrades;
    x->answered = x->head_waits = true;

    buf_clear(out);
    forward_response(out, head, (struct response_form){!x->persistent, x->down.unframed});
    flow_put(&c->flow,
             &(struct obs){.kind = OBS_HTTP_RESPONSE,
                           .status = head->status,
                           .content_type = http1_field(head, STR("Content-Type")),
                           .length = head->length,
                           .ms = (loop_now_us(c->worker->loop) - x->asked_us + 500) / 1000,
                           .by = BY_SERVER});
}

static void pass_interim(struct client *c, const struct http1_head *head)
{
    struct buf *out = &c->worker->head;

    if (c->exchange->old_device)
        return;
    buf_clear(out);
    forward_response(out, head, (struct response_form){0});
    side_send(&c->device, buf_str(out));
}

static struct str waiting_head(struct client *c)
{
    struct exchange *x = c->exchange;
    bool waits = x->head_waits;

    x->head_waits = false;
    return waits ? buf_str(&c->worker->head) : STR("");
}

static enum pumped pass_down(struct client *c, char *bytes, size_t n)
{
    struct exchange *x = c->exchange;
    size_t taken, kept;
    enum parsed r = http1_body_take(&x->down, bytes, n, &taken, &kept);

    flow_moved(&c->flow, 0, taken);
    side_send_both(&c->device, waiting_head(c), str_from(bytes, kept));
    x->down_done = r == PARSED_DONE;
    if (taken < n) /* what the server sends beyond that is nobody's */
        x->server_stays = false;
    if (r != PARSED_ODD)
        return PUMPED;
    fail_response(c, "a malformed chunk");
    return PUMP_OVER;
}

/* 101: the rest of the connection is the other protocol's. */
static enum pumped switch_protocol(struct client *c, const struct http1_head *head, struct str rest)
{
    struct exchange *x = c->exchange;

    if (!x->upgrades || !head->upgrade || !x->up_done) {
        fail_response(c, "a switch of protocols that was not asked for");
        return PUMP_OVER;
    }
    take_final(c, head);
    side_send(&c->device, waiting_head(c));
    exchange_destroy(STEAL(&c->exchange));
    tunnel_start(c, rest);
    return PUMP_OVER;
}

/* An upstream proxy that wants credentials wants them of us: the device has none for it. */
static enum pumped refuse_for_upstream(struct client *c, const struct http1_head *head)
{
    struct refusal refusal;

    flow_put(&c->flow, &(struct obs){.kind = OBS_HTTP_RESPONSE,
                                     .status = head->status,
                                     .content_type = http1_field(head, STR("Content-Type")),
                                     .by = BY_UPSTREAM});
    upstream_refused(&refusal, head->status, str_of(c->exchange->upstream_for));
    client_refuse(c, &refusal, c->exchange->head_only);
    return PUMP_OVER;
}

/* One whole head, and what has come behind it. */
static enum pumped take_head(struct client *c, struct str bytes, struct str rest)
{
    struct exchange *x = c->exchange;
    struct str method = x->head_only ? STR("HEAD") : STR("");
    struct http1_head head;
    const char *why;

    if (http1_read_response(bytes, method, &head, &why) == PARSED_ODD ||
        (why = forward_objects(&head))) {
        fail_response(c, why);
        return PUMP_OVER;
    }
    flow_moved(&c->flow, 0, bytes.n);
    if (head.status == 101)
        return switch_protocol(c, &head, rest);
    if (head.status == 407 && x->upstream_for)
        return refuse_for_upstream(c, &head);
    if (head.status < 200)
        pass_interim(c, &head);
    else
        take_final(c, &head);
    return PUMPED;
}

static enum pumped read_heads_of(struct client *c, char *bytes, size_t n)
{
    struct exchange *x = c->exchange;
    const char *why;

    while (!x->answered) {
        struct str all = str_from(bytes, n);
        size_t head_bytes;

        switch (http1_find_end(all, &x->head_scanned, &why)) {
        case PARSED_DONE:
            head_bytes = x->head_scanned;
            x->head_scanned = 0;
            if (take_head(c, str_head(all, head_bytes), str_skip(all, head_bytes)) == PUMP_OVER)
                return PUMP_OVER;
            bytes += head_bytes;
            n -= head_bytes;
            break;
        case PARSED_ODD:
            fail_response(c, why);
            return PUMP_OVER;
        case PARSED_MORE:
            buf_put(&x->head, bytes, n);
            if (n <= HTTP1_HEAD_MAX)
                return PUMPED;
            fail_response(c, "its head is too long");
            return PUMP_OVER;
        }
    }
    return pass_down(c, bytes, n);
}

/* Where the search stands is kept only when it has found nothing: who reads finds it again. */
static bool has_whole_head(struct exchange *x)
{
    size_t scanned = x->head_scanned;
    const char *why;

    if (http1_find_end(buf_str(&x->head), &scanned, &why) != PARSED_MORE ||
        x->head.n > HTTP1_HEAD_MAX)
        return true;
    x->head_scanned = scanned;
    return false;
}

/*
 * Mostly a head comes in one piece, and then it is read where it is. Otherwise it is gathered, and
 * moved for reading once it is whole or too long: a server may send it byte by byte.
 */
static enum pumped read_heads(struct client *c, char *bytes, size_t n)
{
    struct exchange *x = c->exchange;
    struct buf gathered;
    enum pumped r;

    if (!x->head.n)
        return read_heads_of(c, bytes, n);
    buf_put(&x->head, bytes, n);
    if (!has_whole_head(x))
        return PUMPED;
    gathered = x->head;
    buf_init(&x->head, gathered.max);
    r = read_heads_of(c, gathered.p, gathered.n);
    buf_finish(&gathered);
    return r;
}

static void dial(struct client *c, uint64_t delay_us);

/* The server closed just when it was asked: that says nothing of the request. */
static bool ask_again(struct client *c)
{
    struct exchange *x = c->exchange;

    if (!x->reused)
        return false;
    x->reused = false;
    client_drop_server(c);
    dial(c, 0);
    return true;
}

static enum pumped server_ended(struct client *c)
{
    struct exchange *x = c->exchange;
    bool reset = c->server.error;

    if (ask_again(c))
        return PUMPED;
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
    char *bytes = c->worker->scratch;
    size_t n;
    int turn = 0;

    side_flush(&c->device);
    if (!side_is_open(&c->server))
        return PUMPED;
    while (turn++ < READS_A_TURN && !x->down_done && !c->device.out.n && !c->device.error &&
           (n = side_read(&c->server, bytes, throttle_allows(c->throttle, WAY_DOWN, READ_BYTES)))) {
        enum pumped r;

        c->moved_us = loop_now_us(c->worker->loop);
        throttle_moved(c->throttle, WAY_DOWN, n);
        x->reused = false;
        r = x->answered ? pass_down(c, bytes, n) : read_heads(c, bytes, n);
        if (r == PUMP_OVER)
            return PUMP_OVER;
    }
    if (!x->down_done && (c->server.ended || c->server.error) && !c->server.readable &&
        !c->device.out.n)
        return server_ended(c);
    return PUMPED;
}

/* Both together */

static void keep_server(struct client *c)
{
    struct exchange *x = c->exchange;

    c->server_place = STEAL(&x->place);
    c->server_is_upstream = x->upstream_for;
}

static void finish(struct client *c)
{
    struct exchange *x = c->exchange;
    bool goes_on = x->persistent && !c->device.error && !c->worker->draining;

    flow_close(&c->flow, WHY_FINISHED);
    if (!goes_on) {
        client_linger(c, WHY_FINISHED);
        return;
    }
    if (x->server_stays && !c->server.ended && !c->server.error)
        keep_server(c);
    else
        client_drop_server(c);
    client_read_next(c);
}

static void wait_for_more(struct client *c)
{
    struct exchange *x = c->exchange;
    bool up_goes_on = !x->up_done && side_is_open(&c->server);
    bool reads_up =
        up_goes_on ? !c->server.out.n && !c->server.error && !throttle_waits(c->throttle, WAY_UP)
                   : client_wants_ahead(c);

    side_want(&c->device, reads_up, false);
    side_want(&c->server, !c->device.out.n && !throttle_waits(c->throttle, WAY_DOWN), false);
    if (c->device.ended && !x->answered && !x->old_device && !x->gone_asked && !x->gone.slot)
        loop_set_timer(c->worker->loop, &x->gone, loop_now_us(c->worker->loop) + GONE_US);
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
    if (c->dial) /* it has a deadline of its own, and perhaps was told to wait */
        c->moved_us = loop_now_us(c->worker->loop);
    if (loop_now_us(c->worker->loop) < c->moved_us + EXCHANGE_IDLE_US)
        client_watch_idle(c, EXCHANGE_IDLE_US);
    else if (c->exchange->answered)
        fail(c, 504, WHY_IDLE, "nothing moved for too long");
    else
        fail(c, 504, WHY_TIMEOUT, "the server did not answer in time");
}

/* Beginning */

static void ask(struct client *c)
{
    c->exchange->asked_us = loop_now_us(c->worker->loop);
    side_send(&c->server, buf_str(&c->exchange->request));
}

static void dialled(void *ctx, int fd, const struct refusal *refusal)
{
    struct client *c = ctx;
    struct exchange *x = c->exchange;

    c->dial = NULL;
    if (!client_take_server(c, fd, refusal, x->head_only))
        return;
    ask(c);
    buf_finish(&x->request);
    pump(c);
}

static void dial(struct client *c, uint64_t delay_us)
{
    struct exchange *x = c->exchange;
    struct dial_target target = {.meant = x->upstream_for, .delay_us = delay_us};

    authority_parse(str_of(x->place), 0, &target.host, &target.port);
    c->dial = dial_start(c->worker, &c->flow, target, dialled, c);
}

static bool may_be_asked_twice(const struct http1_head *head)
{
    static const struct str methods[] = {STR("GET"), STR("HEAD"), STR("OPTIONS"), STR("TRACE")};

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (str_eq(methods[i], head->method))
            return head->framing == HTTP1_NO_BODY && !head->upgrade;
    return false;
}

/* The connection of the exchange before, when it leads to the same place. */
static bool reuse_server(struct client *c, const struct http1_head *head,
                         const struct admission *admission)
{
    struct exchange *x = c->exchange;

    if (!side_is_open(&c->server) || !c->server_place || strcmp(c->server_place, x->place) != 0 ||
        c->server_is_upstream != !!x->upstream_for || admission->delay_us ||
        !may_be_asked_twice(head))
        return false;
    free(STEAL(&c->server_place));
    x->reused = true;
    ask(c);
    return true;
}

/* "HOST:PORT", of the server or of the proxy before it. */
static char *place_of(struct client *c, const struct url *url, const struct admission *admission)
{
    struct dial_target target = admission_target(admission, url->host, url->port);
    struct buf *place = &c->worker->head;

    buf_clear(place);
    authority_put(place, target.host, target.port);
    return str_dup(buf_str(place));
}

/* Written where there is room already, so that it is kept in one piece of the right size. */
static void write_request(struct client *c, struct exchange *x, const struct http1_head *head,
                          const struct url *url, const struct upstream *upstream)
{
    struct buf *request = &c->worker->head;

    buf_clear(request);
    forward_request(request, head, url, upstream);
    buf_init(&x->request, request->n);
    buf_put_str(&x->request, buf_str(request));
}

static struct exchange *new_exchange(struct client *c, const struct http1_head *head,
                                     const struct url *url, const struct admission *admission)
{
    struct exchange *x = xalloc(sizeof *x);

    *x = (struct exchange){
        .client = c,
        .head_only = str_eq(head->method, STR("HEAD")),
        .old_device = head->minor == 0,
        .persistent = head->persistent,
        .upgrades = forward_upgrades(head),
        .upstream_for = admission->upstream ? str_dup(url->host) : NULL,
        .place = place_of(c, url, admission),
        .gone = {.fire = ask_whether_gone, .ctx = c},
    };
    http1_body_init(&x->up, head);
    x->up_done = head->framing == HTTP1_NO_BODY;
    buf_init(&x->head, HTTP1_HEAD_MAX + READ_BYTES);
    write_request(c, x, head, url, admission->upstream);
    return x;
}

void exchange_start(struct client *c, const struct http1_head *head, size_t head_bytes,
                    const struct url *url, const struct admission *admission)
{
    c->exchange = new_exchange(c, head, url, admission);
    c->state = CLIENT_EXCHANGES;
    c->moved_us = loop_now_us(c->worker->loop);
    client_throttle(c, admission->bytes_a_second);
    client_watch_idle(c, EXCHANGE_IDLE_US);
    if (!reuse_server(c, head, admission)) {
        client_drop_server(c);
        dial(c, admission->delay_us);
    }
    flow_moved(&c->flow, head_bytes, 0);
    buf_eat(&c->in, head_bytes); /* from here on head and url point nowhere */
    if (!c->in.n)
        buf_finish(&c->in);
    client_read_ahead(c);
    settle(c);
}
