/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/tunnel.h"

#include "base/xalloc.h"
#include "sources/proxy/handshake.h"
#include "sources/proxy/private.h"
#include "sources/proxy/socks.h"
#include "sources/proxy/throttle.h"
#include "sources/proxy/upstream.h"

#include <stdlib.h>

/* A direction in which less than this comes in a turn is copied again. */
enum { SPLICE_BYTES_MIN = 16 << 10 };

struct direction {
    struct side *from, *to;
    struct pipe *pipe; /* while bytes are in it */
    bool much;         /* whole reads come: splice */
};

struct tunnel {
    bool open;                   /* the server is connected and the device has been told */
    bool is_old;                 /* it has lived long enough to be worth watching the server for */
    enum flow_why why;           /* who ended first; what follows from that does not count */
    struct handshake *handshake; /* NULL: over */
    struct ask *ask; /* an upstream proxy for the way; NULL: there is none, or it is given */
    struct direction ways[WAYS];
};

void tunnel_destroy(struct client *c)
{
    struct tunnel *t = c->tunnel;

    if (!t)
        return;
    handshake_destroy(t->handshake);
    ask_destroy(t->ask);
    for (int way = 0; way < WAYS; way++)
        pipes_give_back(&c->worker->pipes, t->ways[way].pipe);
    free(t);
    c->tunnel = NULL;
}

/* Copying */

static void count(struct client *c, enum way way, size_t n)
{
    c->moved_us = loop_now_us(c->worker->loop);
    flow_moved(&c->flow, way == WAY_UP ? n : 0, way == WAY_DOWN ? n : 0);
    throttle_moved(c->throttle, way, n);
}

static bool is_read_in_passing(const struct tunnel *t, enum way way)
{
    const struct handshake *h = t->handshake;

    return h && !(way == WAY_UP ? handshake_up_is_over(h) : handshake_down_is_over(h));
}

static void read_in_passing(struct tunnel *t, enum way way, struct str bytes)
{
    if (way == WAY_UP)
        handshake_read_up(t->handshake, bytes);
    else
        handshake_read_down(t->handshake, bytes);
    if (handshake_up_is_over(t->handshake) && handshake_down_is_over(t->handshake)) {
        handshake_destroy(t->handshake);
        t->handshake = NULL;
    }
}

static void pass(struct client *c, enum way way, struct str bytes)
{
    struct tunnel *t = c->tunnel;

    count(c, way, bytes.n);
    if (is_read_in_passing(t, way))
        read_in_passing(t, way, bytes);
    side_send(t->ways[way].to, bytes);
}

static size_t copy(struct client *c, enum way way)
{
    char *bytes = c->worker->scratch;
    size_t n = throttle_allows(c->throttle, way, READ_BYTES);

    n = side_read(c->tunnel->ways[way].from, bytes, n);
    if (n)
        pass(c, way, str_from(bytes, n));
    return n;
}

/* Splicing */

static bool may_splice(struct client *c, enum way way)
{
    struct direction *d = &c->tunnel->ways[way];

    if (!d->much || c->throttle || is_read_in_passing(c->tunnel, way))
        return false;
    if (!d->pipe)
        d->pipe = pipes_take(&c->worker->pipes);
    return d->pipe;
}

static size_t splice_on(struct client *c, enum way way)
{
    struct direction *d = &c->tunnel->ways[way];
    size_t n = side_splice_in(d->from, d->pipe);

    if (n)
        count(c, way, n);
    side_splice_out(d->to, d->pipe);
    return n;
}

/* Between two turns an empty pipe is of more use to others. */
static void give_pipe_back(struct client *c, struct direction *d)
{
    if (d->pipe && !d->pipe->bytes) {
        pipes_give_back(&c->worker->pipes, d->pipe);
        d->pipe = NULL;
    }
}

/* Relaying */

/* Something that was read before still waits to be sent. */
static bool is_full(const struct direction *d)
{
    return d->to->out.n || (d->pipe && d->pipe->bytes);
}

static void flush(struct direction *d)
{
    side_flush(d->to);
    if (d->pipe && d->pipe->bytes && !d->to->out.n)
        side_splice_out(d->to, d->pipe);
}

/* What `from` has sent, on to `to`. */
static void relay(struct client *c, enum way way)
{
    struct direction *d = &c->tunnel->ways[way];
    size_t moved = 0;

    flush(d);
    for (int turn = 0; turn < READS_A_TURN && !is_full(d) && !d->to->error; turn++) {
        bool splices = may_splice(c, way);
        size_t n = splices ? splice_on(c, way) : copy(c, way);

        if (!n)
            break;
        moved += n;
        d->much = splices || n == READ_BYTES;
    }
    if (!d->from->readable && !is_full(d))
        d->much = d->much && moved >= SPLICE_BYTES_MIN;
    give_pipe_back(c, d);
}

/* The end of what `from` has sent too, when the other direction goes on. */
static void pass_end(struct direction *d)
{
    if (d->from->ended && !d->from->error && !d->to->ended && !d->to->end_due &&
        !(d->pipe && d->pipe->bytes))
        side_end(d->to);
}

static bool is_over(const struct client *c)
{
    const struct tunnel *t = c->tunnel;

    return c->device.ended && c->server.ended && !c->server.error && !is_full(&t->ways[WAY_UP]) &&
           !is_full(&t->ways[WAY_DOWN]);
}

/* The server has failed, and all that came from it before is on its way to the device. */
static bool has_all(const struct client *c)
{
    return c->server.error && !c->server.readable && !is_full(&c->tunnel->ways[WAY_DOWN]);
}

/* Which the reset must not overtake. */
static bool is_broken(const struct client *c)
{
    return c->device.error || (has_all(c) && side_has_sent(&c->device));
}

static void ended_by(struct tunnel *t, const struct side *side, enum flow_why closed,
                     enum flow_why reset)
{
    if (!t->why && (side->ended || side->error))
        t->why = side->error ? reset : closed;
}

static bool wants_bytes(const struct client *c, enum way way)
{
    const struct direction *d = &c->tunnel->ways[way];

    return !is_full(d) && !d->to->error && !throttle_waits(c->throttle, way);
}

static bool wants_room(const struct direction *d)
{
    return d->pipe && d->pipe->bytes && !d->to->error;
}

static void wait_for_more(struct client *c)
{
    struct tunnel *t = c->tunnel;

    side_want(&c->device, wants_bytes(c, WAY_UP), wants_room(&t->ways[WAY_DOWN]) || has_all(c));
    side_want(&c->server, wants_bytes(c, WAY_DOWN), wants_room(&t->ways[WAY_UP]));
    if (t->why) /* one that is not old yet gets so first */
        client_watch_idle(c, t->is_old ? HALF_CLOSED_US : TUNNEL_OLD_US);
}

static void pump(struct client *c)
{
    struct tunnel *t = c->tunnel;

    relay(c, WAY_UP);
    ended_by(t, &c->device, WHY_DEVICE_CLOSED, WHY_DEVICE_RESET);
    relay(c, WAY_DOWN);
    ended_by(t, &c->server, WHY_SERVER_CLOSED, WHY_SERVER_RESET);
    ended_by(t, &c->device, WHY_DEVICE_CLOSED, WHY_DEVICE_RESET);

    if (is_broken(c)) {
        client_destroy(c, t->why, true);
    } else if (is_over(c)) {
        client_destroy(c, t->why, false);
    } else {
        pass_end(&t->ways[WAY_UP]);
        pass_end(&t->ways[WAY_DOWN]);
        wait_for_more(c);
    }
}

/* While the way is being made: the device may already send, or leave. */
static void wait_for_server(struct client *c)
{
    client_read_ahead(c);
    if (c->device.error || (c->device.ended && !c->in.n)) {
        client_destroy(c, c->device.error ? WHY_DEVICE_RESET : WHY_DEVICE_ABORTED, true);
        return;
    }
    side_want(&c->device, client_wants_ahead(c), false);
}

void tunnel_device_ready(struct client *c, unsigned events)
{
    (void)events;
    if (c->tunnel->open)
        pump(c);
    else
        wait_for_server(c);
}

/* Beginning */

static void open_up(struct client *c, struct str first)
{
    c->tunnel->open = true;
    if (c->in.n)
        pass(c, WAY_UP, buf_str(&c->in));
    buf_finish(&c->in);
    if (first.n)
        pass(c, WAY_DOWN, first);
    pump(c);
}

static void tell_device(struct client *c)
{
    if (c->socks)
        socks_grant(c);
    else
        side_send(&c->device, STR("HTTP/1.1 200 Connection established\r\n\r\n"));
}

/* The upstream proxy has been asked; its answer is coming. */
static void ask_on(struct client *c)
{
    struct ask *ask = c->tunnel->ask;
    struct refusal refusal;
    struct str rest;

    switch (ask_read(ask, c, &rest, &refusal)) {
    case PARSED_MORE:
        side_want(&c->server, true, false);
        break;
    case PARSED_ODD:
        client_refuse(c, &refusal, false);
        break;
    case PARSED_DONE:
        c->tunnel->ask = NULL;
        tell_device(c);
        open_up(c, rest);
        ask_destroy(ask);
        break;
    }
}

void tunnel_server_ready(struct client *c, unsigned events)
{
    (void)events;
    if (c->tunnel->ask)
        ask_on(c);
    else
        pump(c);
}

static void upstream_is_late(struct client *c)
{
    struct refusal refusal;

    ask_is_late(c->tunnel->ask, &refusal);
    client_refuse(c, &refusal, false);
}

void tunnel_idle(struct client *c)
{
    struct tunnel *t = c->tunnel;
    uint64_t limit_us = t->ask ? UPSTREAM_US : t->why ? HALF_CLOSED_US : TUNNEL_IDLE_US;

    if (c->dial) { /* it has a deadline of its own, and perhaps was told to wait */
        c->moved_us = loop_now_us(c->worker->loop);
        client_watch_idle(c, TUNNEL_OLD_US);
        return;
    }
    if (t->open && !t->is_old) {
        t->is_old = true;
        side_watch_peer(c->server.watch.fd);
    }
    if (loop_now_us(c->worker->loop) < c->moved_us + limit_us)
        client_watch_idle(c, limit_us);
    else if (t->ask)
        upstream_is_late(c);
    else
        client_destroy(c, t->why ? t->why : WHY_IDLE, false);
}

static void prepare(struct client *c)
{
    struct tunnel *t = xalloc(sizeof *t);

    t->handshake = handshake_create(&c->flow);
    t->ways[WAY_UP] = (struct direction){.from = &c->device, .to = &c->server};
    t->ways[WAY_DOWN] = (struct direction){.from = &c->server, .to = &c->device};
    c->tunnel = t;
    c->state = CLIENT_TUNNELS;
    c->moved_us = loop_now_us(c->worker->loop);
    client_watch_idle(c, TUNNEL_OLD_US);
}

void tunnel_start(struct client *c, struct str first)
{
    prepare(c);
    open_up(c, first);
}

static void dialled(void *ctx, int fd, const struct refusal *refusal)
{
    struct client *c = ctx;

    c->dial = NULL;
    if (!client_take_server(c, fd, refusal, false))
        return;
    if (c->tunnel->ask) {
        ask_send(c->tunnel->ask, c);
        client_watch_idle(c, UPSTREAM_US);
        return;
    }
    tell_device(c);
    open_up(c, (struct str){0});
}

void tunnel_dial(struct client *c, struct str host, uint16_t port,
                 const struct admission *admission)
{
    struct dial_target target = admission_target(admission, host, port);

    client_drop_server(c); /* that of the exchange before */
    prepare(c);
    client_throttle(c, admission->bytes_a_second);
    if (admission->upstream)
        c->tunnel->ask = ask_create(host, port, admission->upstream);
    c->dial = dial_start(c->worker, &c->flow, target, dialled, c);
    wait_for_server(c);
}
