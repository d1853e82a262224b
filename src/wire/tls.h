/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tls: what a TLS handshake says in the clear (RFC 8446, RFC 5246): the ClientHello, the answer to
 * it, and alerts that are not encrypted. Everything is borrowed from the bytes it was read from.
 */
#pragma once

#include "base/buf.h"
#include "wire/parsed.h"

/*
 * One direction of a connection, from its first byte on: records in, handshake messages out. A
 * message may be split over records, and a record over pieces. Only the hellos are gathered, other
 * messages are passed over. It ends where encryption begins or where the bytes are not TLS.
 */
struct tls_stream {
    struct buf message;     /* what is there of the hello or alert that is coming in */
    uint8_t record_head[5]; /* what is there of a record's head */
    uint8_t record_head_n;
    uint8_t record_type;
    uint16_t record_left;
    uint32_t passed_over; /* bytes left of a message that is not gathered */
    bool ended;
};

enum { TLS_HELLO_MAX = 64 << 10 };

enum tls_item {
    TLS_MORE,         /* *bytes is used up */
    TLS_CLIENT_HELLO, /* its body is in *ret_body, until the next call */
    TLS_SERVER_HELLO,
    TLS_ALERT, /* level and description, two bytes */
    TLS_ENDED, /* nothing in the clear comes any more, or it is not TLS */
};

void tls_stream_init(struct tls_stream *s);
void tls_stream_finish(struct tls_stream *s);
/* Takes bytes off the front of *bytes until something is there. */
enum tls_item tls_stream_next(struct tls_stream *s, struct str *bytes, struct str *ret_body);

struct tls_client_hello {
    uint16_t legacy_version;
    struct str sni;        /* the host_name (RFC 6066), as sent */
    struct str ciphers;    /* two bytes each */
    struct str extensions; /* (type, length, data)… */
    struct str versions;   /* supported_versions, two bytes each; empty: the legacy one */
    struct str alpn;       /* names, each after its length (RFC 7301) */
    struct str signatures; /* signature_algorithms, two bytes each */
    bool ech;              /* carries encrypted_client_hello (RFC 9849) */
};

struct tls_server_hello {
    uint16_t version;
    uint16_t cipher;
    struct str alpn; /* as above; TLS 1.3 sends it encrypted */
};

/* The body of a handshake message: DONE or ODD. */
enum parsed tls_read_client_hello(struct str body, struct tls_client_hello *ret_hello);
enum parsed tls_read_server_hello(struct str body, struct tls_server_hello *ret_hello);

/* Reserved values that clients mix in to keep servers tolerant (RFC 8701): 0x0a0a, 0x1a1a, … */
bool tls_is_grease(uint16_t value);

/* Words for observations. Lists are separated by commas. */
void tls_put_versions(struct buf *out, const struct tls_client_hello *hello); /* best first */
void tls_put_version(struct buf *out, uint16_t version);                      /* "1.3", "1.2" */
void tls_put_alpn(struct buf *out, struct str alpn);
void tls_put_cipher(struct buf *out, uint16_t cipher); /* the registered name, or 0x1234 */
const char *tls_alert_says(uint8_t description);
