/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * message: an HTTP/1 message as it is read off a channel: its head is kept, its body counted. A
 * body has a length or is not there: both ends of a rehearsal send no other.
 */
#pragma once

#include "base/buf.h"
#include "wire/http1.h"

struct message {
    struct buf bytes; /* the head's */
    size_t looked;
    bool has_head;
    struct http1_head head; /* once has_head */
    uint64_t body_left;
};

void message_init(struct message *m);
void message_finish(struct message *m);
void message_clear(struct message *m); /* for the next one */

/*
 * Takes what belongs to the message off the front of *bytes. DONE: it is complete, and stays until
 * it is cleared. request_method: of the request that a response answers; NULL reads a request.
 */
enum parsed message_read(struct message *m, struct str *bytes, const char *request_method);
