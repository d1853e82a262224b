/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * channel: one TCP connection in the loop, in the clear or, from some byte on, under TLS. Both ends
 * of a rehearsal stand on it: the device and the servers.
 *
 * What is put goes out as the socket takes it. Filler is bytes that nobody looks at (a body):
 * counted, not stored.
 *
 * A channel ends once: `ended` says so, and by then it is closed. It ends when both sides have
 * finished, or when it breaks. A TLS failure is answered as OpenSSL wants (an alert), and ends when
 * the peer has closed too, so that whoever is between sees the alert and not a reset.
 */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"

#include <openssl/ssl.h>

struct channel_events {
    void (*opened)(void *ctx);  /* an outgoing connection stands */
    void (*secured)(void *ctx); /* the TLS handshake is done */
    void (*received)(void *ctx, struct str bytes);
    void (*drained)(void *ctx);                  /* all that was put has been sent */
    void (*ended)(void *ctx, const char *error); /* NULL: in order. Valid during the call */
};

struct channel {
    struct loop *loop;
    struct loop_fd watch;                /* fd -1: closed */
    const struct channel_events *events; /* a member may be NULL */
    void *ctx;

    SSL *ssl; /* NULL: in the clear */
    struct buf out;
    uint64_t filler;
    uint64_t bytes_in, bytes_out; /* on the socket, so TLS and all */

    bool connecting, shaking;
    bool wants_write; /* TLS cannot go on until the socket takes bytes */
    bool finishing;   /* nothing will be put any more */
    bool finished;    /* our end is closed */
    bool heard_all;   /* the peer's end is closed */
    bool deaf;        /* TLS is over: what still comes is not looked at */
    char error[160];  /* what will be told when it ends; empty: in order */
};

/* Takes a connected or connecting socket, also when it fails; then nothing was begun. */
int channel_open(struct channel *c, struct loop *loop, int take_fd, bool connecting,
                 const struct channel_events *events, void *ctx);

/* From the next byte on it is TLS; takes the SSL, whose state says which end this is. */
void channel_secure(struct channel *c, SSL *take_ssl);

void channel_put(struct channel *c, struct str bytes); /* never while filler is on its way */
void channel_fill(struct channel *c, uint64_t bytes);
bool channel_idle(const struct channel *c); /* nothing waits to be sent */

void channel_ignore(struct channel *c); /* says no more, and does not look at what still comes */
void channel_finish(struct channel *c); /* our end closes when all is sent */
void channel_close(struct channel *c); /* at once; `ended` is not called. Closed: nothing happens */
void channel_reset(struct channel *c); /* the same, with a TCP reset */
