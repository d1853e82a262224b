/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz/proxy_says.h"

enum { CHUNK_BYTES = 1000 };

struct saying {
    char name;
    struct str head; /* the text, or what stands before the bulk */
    size_t bulk;     /* so many more bytes that are all sorts of bytes */
};

/* clang-format off */

static const struct saying of_devices[] = {
    /* Requests */
    {'g', STR("GET http://a.test/x?y=z HTTP/1.1\r\nHost: a.test\r\n\r\n"), 0},
    {'G', STR("GET http://a.test/ HTTP/1.0\r\n\r\n"), 0},
    {'h', STR("HEAD http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n"), 0},
    {'E', STR("GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"), 0},
    {'p', STR("POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello"), 0},
    {'P', STR("POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100000\r\n\r\n"), 0},
    {'c', STR("POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\n"
              "Transfer-Encoding: chunked\r\n\r\n"), 0},
    {'k', STR("3e8\r\n"), CHUNK_BYTES},
    {'n', STR("\r\n"), 0},
    {'z', STR("0\r\nTrailer: t\r\n\r\n"), 0},
    {'e', STR("POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n"
              "Expect: 100-continue\r\n\r\n"), 0},
    {'u', STR("GET http://a.test/chat HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\n"
              "Upgrade: websocket\r\n\r\n"), 0},
    {'d', STR("GET http://blocked.test/ HTTP/1.1\r\nHost: blocked.test\r\n\r\n"), 0},
    {'o', STR("GET /proxy.pac HTTP/1.1\r\nHost: 10.0.0.1:3128\r\n\r\n"), 0},
    {'i', STR("GET http://[2606:2800:1::1]:8080/ HTTP/1.1\r\n"
              "Host: [2606:2800:1::1]:8080\r\n\r\n"), 0},
    /* Tunnels */
    {'C', STR("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n"), 0},
    {'D', STR("CONNECT blocked.test:443 HTTP/1.1\r\nHost: blocked.test:443\r\n\r\n"), 0},
    {'I', STR("CONNECT 93.184.216.34:443 HTTP/1.1\r\n\r\n"), 0},
    {'L', STR("CONNECT 127.0.0.1:22 HTTP/1.1\r\n\r\n"), 0},
    {'O', STR("CONNECT 10.0.0.1:3128 HTTP/1.1\r\n\r\n"), 0},
    {'4', STR("\x04\x01\x01\xbb\x5d\xb8\xd8\x22me\x00"), 0}, /* SOCKS 4: CONNECT */
    {'5', STR("\x05\x01\x00"), 0},
    {'6', STR("\x05\x01\x00\x03\x06" "a.test\x01\xbb"), 0},
    {'7', STR("\x05\x01\x00\x01\x5d\xb8\xd8\x22\x01\xbb"), 0},
    {'8', STR("\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00"), 0}, /* BIND */
    /* RFC 8446, section 4.1.2, for tls.test */
    {'T', STR("\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03"
              "0123456789abcdef0123456789abcdef\x00\x00\x02\x13\x01\x01\x00\x00\x11"
              "\x00\x00\x00\x0d\x00\x0b\x00\x00\x08tls.test"), 0},
    {'A', STR("\x15\x03\x03\x00\x02\x02\x30"), 0}, /* an alert: unknown_ca */
    {'1', STR("ping"), 0},
    {'2', {0}, 5},
    {'3', {0}, 5000},
    {'b', {0}, 64 << 10},
    {'B', {0}, 256 << 10},
    /* What is not right */
    {'s', STR("POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n"
              "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 0},
    {'t', STR("POST http://a.test/ HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n"
              "GET "), 0},
    {'f', STR("GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n folded\r\n\r\n"), 0},
    {'m', STR("zz\r\n"), 0}, /* for a chunk's size */
};

static const struct saying of_servers[] = {
    {'1', STR("HTTP/1.1 100 Continue\r\n\r\n"), 0},
    {'2', STR("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), 0},
    {'3', STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), 0},
    {'4', STR("HTTP/1.1 204 No Content\r\n\r\n"), 0},
    {'5', STR("HTTP/1.1 200 OK\r\n\r\nuntil the end"), 0},
    {'6', STR("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
              "Upgrade: websocket\r\n\r\n"), 0},
    {'7', STR("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"), 0},
    {'8', STR("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), 0},
    {'9', STR("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"), 0},
    {'c', STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), 0},
    {'k', STR("3e8\r\n"), CHUNK_BYTES},
    {'n', STR("\r\n"), 0},
    {'z', STR("0\r\n\r\n"), 0},
    {'m', STR("zz\r\n"), 0},
    {'g', STR("nothing of HTTP\r\n\r\n"), 0},
    /* RFC 8446, section 4.1.3 */
    {'T', STR("\x16\x03\x03\x00\x2c\x02\x00\x00\x28\x03\x03"
              "0123456789abcdef0123456789abcdef\x00\x13\x01\x00\x00\x00"), 0},
    {'A', STR("\x15\x03\x03\x00\x02\x02\x28"), 0}, /* an alert: handshake_failure */
    {'p', STR("pong"), 0},
    {'t', {0}, 5000},
    {'b', {0}, 64 << 10},
    {'B', {0}, 256 << 10},
};

/* clang-format on */

/* No part of it is like another that is near, so whatever is lost, doubled or moved shows. */
static void put_bulk(struct buf *out, size_t n)
{
    static uint8_t period[65521]; /* a prime: no buffer is as long */

    for (size_t i = 0; !period[1] && i < sizeof period; i++)
        period[i] = (uint8_t)((uint32_t)i * UINT32_C(2654435761) >> 24);
    for (size_t part; n && !out->full; n -= part) {
        size_t at = out->n % sizeof period;

        part = n < sizeof period - at ? n : sizeof period - at;
        buf_put(out, period + at, part);
    }
}

static void say(struct buf *out, const struct saying *sayings, size_t n, char name)
{
    for (size_t i = 0; i < n; i++)
        if (sayings[i].name == name) {
            buf_put_str(out, sayings[i].head);
            put_bulk(out, sayings[i].bulk);
            return;
        }
}

void device_says(struct buf *out, char name)
{
    say(out, of_devices, sizeof of_devices / sizeof *of_devices, name);
}

void server_says(struct buf *out, char name)
{
    say(out, of_servers, sizeof of_servers / sizeof *of_servers, name);
}
