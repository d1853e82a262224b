/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/tunnel.h"

#include "base/xalloc.h"
#include "wire/ja4.h"
#include "wire/tls.h"

#include <stdlib.h>

/* One call moves at most this many reads a direction, then it is others' turn. */
enum { READS_A_TURN = 4 };

struct tunnel {
    struct client *client;
    bool open;         /* the server is connected and the device has been told */
    enum flow_why why; /* who ended first; what follows from that does not count */
    struct tls_stream up, down;
    uint64_t tls_up_bytes; /* of the device's stream that the reader of TLS has seen */
};

void tunnel_destroy(struct tunnel *t)
{
    if (!t)
        return;
    tls_stream_finish(&t->up);
    tls_stream_finish(&t->down);
    free(t);
}

/* The handshake, in passing */

static void observe_client_hello(struct client *c, struct str body, uint64_t stream_bytes)
{
    struct tls_client_hello hello;
    struct buf alpn, versions;
    char ja4[JA4_TEXT];

    if (tls_read_client_hello(body, &hello) != PARSED_DONE)
        return;
    buf_init(&alpn, TLS_HELLO_MAX);
    buf_init(&versions, 1024);
    tls_put_alpn(&alpn, hello.alpn);
    tls_put_versions(&versions, &hello);
    ja4_of(&hello, 't', ja4);
    flow_put(&c->flow, (struct obs){.kind = OBS_TLS_HELLO,
                                    .sni = hello.sni,
                                    .alpn = buf_str(&alpn),
                                    .tls_versions = buf_str(&versions),
                                    .ja4 = str_of(ja4),
                                    .ech = hello.ech,
                                    .length = stream_bytes});
    buf_finish(&alpn);
    buf_finish(&versions);
}

static void observe_server_hello(struct client *c, struct str body)
{
    struct tls_server_hello hello;
    struct buf alpn, version, cipher;

    if (tls_read_server_hello(body, &hello) != PARSED_DONE)
        return;
    buf_init(&alpn, TLS_HELLO_MAX);
    buf_init(&version, 64);
    buf_init(&cipher, 64);
    tls_put_alpn(&alpn, hello.alpn);
    tls_put_version(&version, hello.version);
    tls_put_cipher(&cipher, hello.cipher);
    flow_put(&c->flow, (struct obs){.kind = OBS_TLS_ANSWER,
                                    .tls_versions = buf_str(&version),
                                    .cipher = buf_str(&cipher),
                                    .alpn = buf_str(&alpn)});
    buf_finish(&alpn);
    buf_finish(&version);
    buf_finish(&cipher);
}

static void observe_alert(struct client *c, uint8_t description, enum obs_by by)
{
    if (!description) /* close_notify refuses nothing */
        return;
    flow_put(&c->flow, (struct obs){.kind = OBS_TLS_ALERT,
                                    .alert = description,
                                    .by = by,
                                    .error = str_of(tls_alert_says(description))});
}

static void read_tls_up(struct client *c, struct str bytes)
{
    struct tunnel *t = c->tunnel;
    size_t n = bytes.n;
    struct str body;

    for (;;) {
        enum tls_item item = tls_stream_next(&t->up, &bytes, &body);

        if (item == TLS_CLIENT_HELLO)
            observe_client_hello(c, body, t->tls_up_bytes + n - bytes.n);
        else if (item == TLS_ALERT)
            observe_alert(c, (uint8_t)body.p[1], BY_DEVICE);
        else if (item != TLS_SERVER_HELLO)
            break;
    }
    t->tls_up_bytes += n;
}

static void read_tls_down(struct client *c, struct str bytes)
{
    struct str body;

    for (;;) {
        enum tls_item item = tls_stream_next(&c->tunnel->down, &bytes, &body);

        if (item == TLS_SERVER_HELLO)
            observe_server_hello(c, body);
        else if (item == TLS_ALERT)
            observe_alert(c, (uint8_t)body.p[1], BY_SERVER);
        else if (item != TLS_CLIENT_HELLO)
            break;
    }
}

/* Relaying */

static void pass_up(struct client *c, struct str bytes)
{
    flow_moved(&c->flow, bytes.n, 0);
    if (!c->tunnel->up.ended)
        read_tls_up(c, bytes);
    side_send(&c->server, bytes);
}

static void pass_down(struct client *c, struct str bytes)
{
    flow_moved(&c->flow, 0, bytes.n);
    if (!c->tunnel->down.ended)
        read_tls_down(c, bytes);
    side_send(&c->device, bytes);
}

static void ended_by(struct tunnel *t, const struct side *side, enum flow_why closed,
                     enum flow_why reset)
{
    if (!t->why && (side->ended || side->error))
        t->why = side->error ? reset : closed;
}

/* One direction: what `from` has sent, on to `to`; and its end too. */
static void relay(struct client *c, struct side *from, struct side *to,
                  void (*pass)(struct client *c, struct str bytes))
{
    size_t n;

    side_flush(to);
    for (int turn = 0; turn < READS_A_TURN && !to->out.n && !to->error; turn++) {
        n = side_read(from, c->proxy->scratch, READ_BYTES);
        if (!n)
            break;
        c->moved_us = loop_now_us(c->proxy->loop);
        pass(c, str_from(c->proxy->scratch, n));
    }
    if (from->ended && !to->end_due)
        side_end(to);
}

static bool both_ended(const struct client *c)
{
    return c->device.end_sent && c->server.end_sent;
}

static void pump(struct client *c)
{
    struct tunnel *t = c->tunnel;

    relay(c, &c->device, &c->server, pass_up);
    ended_by(t, &c->device, WHY_DEVICE_CLOSED, WHY_DEVICE_RESET);
    relay(c, &c->server, &c->device, pass_down);
    ended_by(t, &c->server, WHY_SERVER_CLOSED, WHY_SERVER_RESET);
    ended_by(t, &c->device, WHY_DEVICE_CLOSED, WHY_DEVICE_RESET);

    if (c->device.error || c->server.error) {
        client_destroy(c, t->why, true);
        return;
    }
    if (both_ended(c)) {
        client_destroy(c, t->why, false);
        return;
    }
    side_want(&c->device, !c->server.out.n);
    side_want(&c->server, !c->device.out.n);
    if (t->why)
        client_watch_idle(c, HALF_CLOSED_US);
}

/* While dialling: the device may already send, or leave. */
static void wait_for_server(struct client *c)
{
    client_read_ahead(c);
    if (c->device.error || (c->device.ended && !c->in.n)) {
        client_destroy(c, c->device.error ? WHY_DEVICE_RESET : WHY_DEVICE_ABORTED, true);
        return;
    }
    side_want(&c->device, client_wants_ahead(c));
}

void tunnel_device_ready(struct client *c, unsigned events)
{
    (void)events;
    if (c->tunnel->open)
        pump(c);
    else
        wait_for_server(c);
}

void tunnel_server_ready(struct client *c, unsigned events)
{
    (void)events;
    pump(c);
}

void tunnel_idle(struct client *c)
{
    uint64_t limit_us = c->tunnel->why ? HALF_CLOSED_US : TUNNEL_IDLE_US;

    if (!c->tunnel->open || loop_now_us(c->proxy->loop) < c->moved_us + limit_us)
        client_watch_idle(c, limit_us);
    else
        client_destroy(c, c->tunnel->why ? c->tunnel->why : WHY_IDLE, false);
}

/* Beginning */

static void prepare(struct client *c)
{
    struct tunnel *t = xalloc(sizeof *t);

    t->client = c;
    tls_stream_init(&t->up);
    tls_stream_init(&t->down);
    c->tunnel = t;
    c->state = CLIENT_TUNNELS;
    c->moved_us = loop_now_us(c->proxy->loop);
    client_watch_idle(c, TUNNEL_IDLE_US);
}

static void open_up(struct client *c, struct str first)
{
    c->tunnel->open = true;
    if (c->in.n)
        pass_up(c, buf_str(&c->in));
    buf_finish(&c->in);
    if (first.n)
        pass_down(c, first);
    pump(c);
}

void tunnel_start(struct client *c, struct str first)
{
    prepare(c);
    open_up(c, first);
}

static void dialled(void *ctx, int fd, const struct refusal *refusal)
{
    struct client *c = ctx;
    struct refusal no_room;

    c->dial = NULL;
    if (fd >= 0 && side_take_fd(&c->server, fd) < 0) {
        refusal_set(&no_room, 503, WHY_TOO_MANY, "the proxy has no room for another connection");
        refusal = &no_room;
    }
    if (refusal) {
        client_refuse(c, refusal, false);
        return;
    }
    c->moved_us = loop_now_us(c->proxy->loop);
    side_send(&c->device, STR("HTTP/1.1 200 Connection established\r\n\r\n"));
    open_up(c, (struct str){0});
}

void tunnel_dial(struct client *c, struct str host, uint16_t port)
{
    prepare(c);
    c->dial = dial_start(c->proxy, &c->flow, host, port, dialled, c);
    wait_for_server(c);
}
