/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * side: one end of what the proxy relays: a socket, and what still has to be sent on it.
 *
 * What could not be sent at once waits in `out`, and whoever relays reads no more for this side
 * until it is empty; so it stays under a fixed size, and has memory only while something waits.
 */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"

#include <sys/types.h>

struct side {
    struct loop *loop;
    struct loop_fd watch; /* fd -1: no socket */
    struct buf out;
    bool ended;   /* the peer has sent its last byte */
    bool end_due; /* ours is to be sent after `out` */
    bool end_sent;
    bool parked; /* the watch is out of the loop */
    int error;   /* the errno that ended the socket, or 0 */
    void (*ready)(void *ctx, unsigned events);
    void *ctx;
};

void side_init(struct side *s, struct loop *loop, void (*ready)(void *ctx, unsigned events),
               void *ctx);
/* The socket is closed by side_close, or at once when this fails. No events are wanted yet. */
int side_take_fd(struct side *s, int fd);
bool side_is_open(const struct side *s);

/*
 * Bytes read; 0 when there are none now or ever: see `ended` and `error`. What came before a reset
 * can still be read after a write has failed on it.
 */
size_t side_read(struct side *s, char *bytes, size_t n);
/* Sends, or keeps for later. After an error bytes are dropped: see `error`. */
void side_send(struct side *s, struct str bytes);
void side_flush(struct side *s);
/* Our FIN, after all that was sent. */
void side_end(struct side *s);

/* Waits for room to send what is there, and for bytes when `reading`. */
void side_want(struct side *s, bool reading);
/* Reset: the peer shall see that this was no orderly end. */
void side_close(struct side *s, bool reset);
