/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/handshake.h"

#include "base/xalloc.h"
#include "wire/ja4.h"
#include "wire/tls.h"

#include <stdlib.h>

struct handshake {
    struct flow *flow;
    struct tls_stream up, down;
    uint64_t up_bytes; /* of the device's stream, read so far */
};

struct handshake *handshake_create(struct flow *flow)
{
    struct handshake *h = xalloc(sizeof *h);

    h->flow = flow;
    tls_stream_init(&h->up);
    tls_stream_init(&h->down);
    return h;
}

void handshake_destroy(struct handshake *h)
{
    if (!h)
        return;
    tls_stream_finish(&h->up);
    tls_stream_finish(&h->down);
    free(h);
}

bool handshake_up_is_over(const struct handshake *h)
{
    return h->up.ended;
}

bool handshake_down_is_over(const struct handshake *h)
{
    return h->down.ended;
}

static void observe_client_hello(struct handshake *h, struct str body, uint64_t stream_bytes)
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
    flow_put(h->flow, &(struct obs){.kind = OBS_TLS_HELLO,
                                    .sni = hello.sni,
                                    .alpn = buf_str(&alpn),
                                    .tls_versions = buf_str(&versions),
                                    .ja4 = str_of(ja4),
                                    .ech = hello.ech,
                                    .length = stream_bytes});
    buf_finish(&alpn);
    buf_finish(&versions);
}

static void observe_server_hello(struct handshake *h, struct str body)
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
    flow_put(h->flow, &(struct obs){.kind = OBS_TLS_ANSWER,
                                    .tls_versions = buf_str(&version),
                                    .cipher = buf_str(&cipher),
                                    .alpn = buf_str(&alpn)});
    buf_finish(&alpn);
    buf_finish(&version);
    buf_finish(&cipher);
}

static void observe_alert(struct handshake *h, uint8_t description, enum obs_by by)
{
    if (!description) /* close_notify refuses nothing */
        return;
    flow_put(h->flow, &(struct obs){.kind = OBS_TLS_ALERT,
                                    .alert = description,
                                    .by = by,
                                    .error = str_of(tls_alert_says(description))});
}

void handshake_read_up(struct handshake *h, struct str bytes)
{
    size_t n = bytes.n;
    struct str body;

    for (;;) {
        enum tls_item item = tls_stream_next(&h->up, &bytes, &body);

        if (item == TLS_CLIENT_HELLO)
            observe_client_hello(h, body, h->up_bytes + n - bytes.n);
        else if (item == TLS_ALERT)
            observe_alert(h, (uint8_t)body.p[1], BY_DEVICE);
        else if (item != TLS_SERVER_HELLO)
            break;
    }
    h->up_bytes += n;
}

void handshake_read_down(struct handshake *h, struct str bytes)
{
    struct str body;

    for (;;) {
        enum tls_item item = tls_stream_next(&h->down, &bytes, &body);

        if (item == TLS_SERVER_HELLO)
            observe_server_hello(h, body);
        else if (item == TLS_ALERT)
            observe_alert(h, (uint8_t)body.p[1], BY_SERVER);
        else if (item != TLS_CLIENT_HELLO)
            break;
    }
}
