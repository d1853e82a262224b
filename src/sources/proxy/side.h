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
#include "sources/proxy/pipes.h"

#include <sys/types.h>

struct side {
    struct loop *loop;
    struct loop_fd watch; /* fd -1: no socket */
    struct buf out;
    void (*ready)(void *ctx, unsigned events);
    void *ctx;
    int error;     /* the errno that ended it, or 0; one that nobody met is told by `ready` */
    bool readable; /* the loop has said so, and no read has come back short since */
    bool ended;    /* the peer has sent its last byte */
    bool end_due;  /* ours is to be sent after `out` */
    bool end_sent;
    bool parked; /* the watch is out of the loop */
};

void side_init(struct side *s, struct loop *loop, void (*ready)(void *ctx, unsigned events),
               void *ctx);

/*
 * The socket is closed by side_close, or at once when this fails. Bytes are wanted from the start.
 * A device's socket has its options from the listener that it came from.
 */
int side_take(struct side *s, int fd);
/* Small writes do not wait for the answer to those before (Nagle). */
void side_send_at_once(int fd);
/*
 * A peer that loses power says nothing: after a minute of silence, and then four unanswered probes,
 * the kernel ends the connection.
 */
void side_watch_peer(int fd);
bool side_is_open(const struct side *s);
/*
 * All of it has left this machine, and a reset does not overtake it. From the first call on there
 * is room to send only when that is so.
 */
bool side_has_sent(const struct side *s);

/*
 * Bytes read; 0 when there are none now or ever: see `ended` and `error`. What came before a reset
 * can still be read after a write has failed on it.
 */
size_t side_read(struct side *s, char *bytes, size_t n);
/* Sends, or keeps for later. After an error bytes are dropped: see `error`. */
void side_send(struct side *s, struct str bytes);
void side_send_both(struct side *s, struct str first, struct str second); /* in one piece */
void side_flush(struct side *s);
/* From the socket into the empty pipe, and out of it as far as there is room; the same rules. */
size_t side_splice_in(struct side *s, struct pipe *pipe);
void side_splice_out(struct side *s, struct pipe *pipe);
/* Our FIN, after all that was sent. */
void side_end(struct side *s);

/* Waits for room to send what is there, or when `writing`, and for bytes when `reading`. */
void side_want(struct side *s, bool reading, bool writing);
/* Reset: the peer shall see that this was no orderly end. */
void side_close(struct side *s, bool reset);
