/* SPDX-License-Identifier: GPL-3.0-or-later */
/* name_server: a small name server on loopback, in the test's own loop (RFC 1035). */
#pragma once

#include "loop/loop.h"

enum { TYPE_A = 1, TYPE_AAAA = 28 };
enum { NO_ERROR = 0, NXDOMAIN = 3, MUTE = 255 /* no answer at all */ };

/* One record; of what is not listed there is no data. */
struct name_record {
    const char *name;
    unsigned type;
    unsigned code;
    const char *address; /* 4 or 16 bytes; NULL: none */
};

struct name_server {
    struct loop *loop;
    struct loop_fd watch;
    const struct name_record *zone;
    size_t zone_count;
    char address[32];   /* "127.0.0.1:PORT" */
    unsigned questions; /* that came */
};

void name_server_init(struct name_server *s, struct loop *loop, const struct name_record *zone,
                      size_t zone_count);
void name_server_finish(struct name_server *s);
