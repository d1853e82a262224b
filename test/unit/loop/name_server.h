/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * name_server: a small name server on loopback, in the test's own loop (RFC 1035). It answers as
 * late and as wrongly as its zone says.
 */
#pragma once

#include "loop/loop.h"

enum { TYPE_A = 1, TYPE_AAAA = 28 };

enum {
    NO_ERROR = 0,
    SERVFAIL = 2,
    NXDOMAIN = 3,
    REFUSED = 5,
    MUTE = 256, /* no answer at all; from here on nothing that a name server should do */
    WRONG_NUMBER,
    WRONG_QUESTION,
    WRONG_OWNER, /* the address of another name */
    WRONG_TYPE,  /* a record of the other family */
    TRUNCATED,   /* and nobody there to be asked over TCP */
    CUT,         /* the message ends within the record */
    POINTER_LOOP,
    CNAME_LOOP,
    NOISE,
};

/* One record; of what is not listed there is no data. */
struct name_record {
    const char *name;
    unsigned type;
    unsigned code;
    const char *address; /* 4 or 16 bytes; NULL: none */
    unsigned after_ms;   /* the loop's clock; the last record of a question counts */
};

struct name_server {
    struct loop *loop;
    struct loop_fd watch;
    const struct name_record *zone; /* may be exchanged */
    size_t zone_count;
    bool mute_beyond; /* no answer to what is not listed */
    struct late_answer *late;
    char address[32]; /* "127.0.0.1:PORT" */
    uint16_t port;
    unsigned questions; /* that came */
};

void name_server_init(struct name_server *s, struct loop *loop, const struct name_record *zone,
                      size_t zone_count);
/* At another address than 127.0.0.1, such as 127.0.0.2, and at this port. */
void name_server_init_at(struct name_server *s, struct loop *loop, const char *address,
                         uint16_t port, const struct name_record *zone, size_t zone_count);
void name_server_finish(struct name_server *s);
