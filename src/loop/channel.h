/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * channel: a channel of c-ares, whose sockets the loop watches. It asks the name servers that it
 * finds when it is made, as long as it lives. Its deadlines are noticed when it is told to look.
 */
#pragma once

#include "base/err.h"
#include "loop/addresses.h"
#include "loop/loop.h"

#include <ares.h>

struct channel;

struct name_servers {
    const char *conf;   /* those of this file (resolv.conf(5)) */
    uint16_t port;      /* of theirs: the file cannot say */
    const char *server; /* this one instead, as "ADDR" or "ADDR:PORT"; NULL: theirs */
};

int channel_create(struct loop *loop, const struct name_servers *servers,
                   struct channel **ret_channel, struct err *err);
/* Open questions end with ARES_EDESTRUCTION. Not from within `done`. NULL is fine. */
void channel_destroy(struct channel *c);

/* `done` is called once, perhaps before this returns, and frees the list. */
void channel_ask(struct channel *c, const char *host, enum family family,
                 ares_addrinfo_callback done, void *ctx);
bool channel_is_idle(const struct channel *c); /* no question is open */
void channel_look_at_deadlines(struct channel *c);
