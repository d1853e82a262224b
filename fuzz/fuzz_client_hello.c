/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One direction of a TLS connection. The first byte says into what pieces it is cut; what is seen
 * must not depend on that.
 */
#include "wire/ja4.h"

#include <assert.h>

/* What was seen, as text. */
static void put_item(struct buf *out, enum tls_item item, struct str body)
{
    struct tls_client_hello client;
    struct tls_server_hello server;
    char ja4[JA4_TEXT];

    buf_printf(out, "%d", item);
    if (item == TLS_CLIENT_HELLO && tls_read_client_hello(body, &client) == PARSED_DONE) {
        buf_put_str(out, client.sni);
        tls_put_alpn(out, client.alpn);
        tls_put_versions(out, &client);
        ja4_of(&client, 't', ja4);
        buf_put_str(out, str_of(ja4));
    } else if (item == TLS_SERVER_HELLO && tls_read_server_hello(body, &server) == PARSED_DONE) {
        tls_put_version(out, server.version);
        tls_put_cipher(out, server.cipher);
        tls_put_alpn(out, server.alpn);
    } else if (item == TLS_ALERT) {
        buf_put_str(out, str_of(tls_alert_says((uint8_t)body.p[1])));
    }
}

static void read_all(struct buf *out, struct str all, size_t piece)
{
    struct tls_stream s;
    enum tls_item item = TLS_MORE;

    tls_stream_init(&s);
    while (all.n && item != TLS_ENDED) {
        struct str bytes = str_head(all, piece), body;

        all = str_skip(all, piece);
        while ((item = tls_stream_next(&s, &bytes, &body)) != TLS_MORE) {
            put_item(out, item, body);
            if (item == TLS_ENDED)
                break;
        }
    }
    tls_stream_finish(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = str_skip(str_from(data, size), 1);
    struct buf whole, pieces;

    if (!all.n)
        return 0;
    buf_init(&whole, BUF_UNBOUNDED);
    buf_init(&pieces, BUF_UNBOUNDED);
    read_all(&whole, all, all.n);
    read_all(&pieces, all, 1u + data[0]);
    assert(str_eq(buf_str(&whole), buf_str(&pieces)));
    buf_finish(&whole);
    buf_finish(&pieces);
    return 0;
}
