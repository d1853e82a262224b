/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the proxy's files share: its struct, and every ceiling and time in it. */
#pragma once

#include "base/arena.h"
#include "loop/resolver.h"
#include "sources/proxy/connect_to.h"
#include "sources/proxy/proxy.h"

enum {
    CLIENTS_MAX = 16384,         /* connections from devices; more wait in the kernel's queue */
    READ_BYTES = 64 << 10,       /* one read, and the most that waits to be sent in a direction */
    READ_AHEAD_BYTES = 16 << 10, /* taken from a device whose exchange or dial is under way */
    LINGER_BYTES = 1 << 20,      /* thrown away from a device after our last word */
};

#define SECONDS(n) ((n)*UINT64_C(1000000))

/* All on the loop's clock. */
#define HEAD_US SECONDS(30)              /* for a whole request head, however slowly it comes */
#define KEEP_ALIVE_US SECONDS(120)       /* between two requests */
#define DIAL_US SECONDS(20)              /* for connecting, over all addresses */
#define NEXT_ADDRESS_US (SECONDS(1) / 4) /* RFC 8305, section 5 */
#define EXCHANGE_IDLE_US SECONDS(300)    /* nothing moves in an HTTP exchange */
#define TUNNEL_IDLE_US SECONDS(2 * 3600) /* RFC 5382, section 5, would have 2 h 4 min */
#define HALF_CLOSED_US SECONDS(15 * 60)  /* nothing moves in a tunnel that one side has left */
#define LINGER_US SECONDS(2)
#define GONE_US SECONDS(1) /* from a device's FIN to the question whether it is still there */
#define ACCEPT_PAUSE_US SECONDS(1) /* when there are no descriptors left */

struct client;

struct proxy {
    struct loop *loop;
    struct stream *stream;
    struct devices *devices;
    struct resolver *resolver;
    struct arena *arena;
    struct connect_to *connect_to;
    size_t connect_to_count;
    void (*dial)(void *ctx, struct sockaddr_storage *address);
    void *dial_ctx;
    unsigned (*refuse)(void *ctx, struct str host);
    void *refuse_ctx;

    struct loop_fd listener;
    struct loop_timer accept_again;
    bool accepting;
    uint16_t port;
    char address[64];

    struct client *clients;
    size_t client_count;
    char *scratch; /* READ_BYTES for whoever is reading; nobody keeps anything in it */
};

/* A client has ended: there is room for another. */
void proxy_accept_more(struct proxy *p);
