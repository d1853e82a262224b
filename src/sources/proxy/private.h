/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the proxy's files share: every ceiling and time in it, its struct and that of a worker. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "loop/resolver.h"
#include "obs/funnel.h"
#include "sources/proxy/connect_to.h"
#include "sources/proxy/credentials.h"
#include "sources/proxy/listen.h"
#include "sources/proxy/pipes.h"
#include "sources/proxy/proxy.h"
#include "sources/proxy/rules.h"

#include <pthread.h>

enum {
    WORKERS_MAX = 64,
    CLIENTS_MAX = 131072,        /* connections from devices, with descriptors for as many */
    READ_BYTES = 64 << 10,       /* one read, and the most that waits to be sent in a direction */
    STRANGER_HEAD_MAX = 8 << 10, /* the head of whoever is not served, and is only told so */
    READS_A_TURN = 4,            /* of one direction in one call, then it is others' turn */
    READ_AHEAD_BYTES = 16 << 10, /* taken from a device whose exchange or dial is under way */
    LINGER_BYTES = 1 << 20,      /* thrown away from a device after our last word */
};

#define SECONDS(n) ((n)*UINT64_C(1000000))

/* All on the loop's clock. */
#define HEAD_US SECONDS(30)              /* for a whole head, or dialogue of SOCKS, however slow */
#define KEEP_ALIVE_US SECONDS(120)       /* between two requests */
#define SERVER_KEPT_US SECONDS(30)       /* a server's connection between two requests */
#define DIAL_US SECONDS(20)              /* for connecting, over all addresses */
#define NEXT_ADDRESS_US (SECONDS(1) / 4) /* RFC 8305, section 5 */
#define UPSTREAM_US SECONDS(60)          /* an upstream proxy's answer to CONNECT */
#define EXCHANGE_IDLE_US SECONDS(300)    /* nothing moves in an HTTP exchange */
#define TUNNEL_OLD_US SECONDS(10)        /* most tunnels end before */
#define TUNNEL_IDLE_US SECONDS(2 * 3600) /* RFC 5382, section 5, would have 2 h 4 min */
#define HALF_CLOSED_US SECONDS(15 * 60)  /* nothing moves in a tunnel that one side has left */
#define LINGER_US SECONDS(2)
#define GONE_US SECONDS(1)         /* from a device's FIN to the question whether it is there */
#define CHANCE_US SECONDS(1)       /* for a new connection, before another may have its place */
#define ACCEPT_PAUSE_US SECONDS(1) /* when there are no descriptors left */
#define SLOW_PAUSE_US (SECONDS(1) / 10) /* when what was observed waits to be recorded */

struct client;

/* The connections of one sort, the oldest first. */
struct client_list {
    struct client *first, *last;
};

/* One thread of the proxy, or all of it where it has none of its own: a loop with its clients. */
struct worker {
    struct proxy *proxy;
    struct loop *loop;
    struct stream *stream;
    struct inlet *inlet; /* of the stream, when the loop runs in a thread of its own */
    struct resolver *resolver;
    struct rules *rules;
    struct networks *networks;
    struct checker *checker; /* NULL: nobody has to log in */
    pthread_t thread;
    bool has_thread;

    struct listener *listeners; /* one for each port of the proxy */
    struct loop_timer accept_again;
    bool accepting;
    bool draining; /* no new flows; the last one that ends says so */

    struct client_list idle; /* no request is under way: these go first when there is no room */
    struct client_list busy;
    size_t client_count, clients_max;
    size_t crowd; /* the most clients there were since memory was last given back */
    struct loop_timer trim;
    char *scratch;   /* READ_BYTES for whoever is reading; nobody keeps anything in it */
    struct buf head; /* for whoever writes a head; nobody keeps anything in it either */
    struct pipes pipes;
    struct counters counters;
};

struct proxy {
    struct loop *loop; /* the caller's */
    struct devices *devices;
    struct funnel *funnel; /* NULL: the one worker runs in the caller's loop */
    struct arena *arena;
    struct rules *rules;
    struct credentials *credentials;
    struct connect_to *connect_to;
    size_t connect_to_count;
    const char *const *direct;
    size_t direct_count;
    void (*dial)(void *ctx, struct sockaddr_storage *address);
    void *dial_ctx;
    unsigned (*refuse)(void *ctx, struct str host);
    void *refuse_ctx;

    struct port *ports;
    size_t port_count;
    struct worker **workers;
    size_t worker_count;

    struct loop_timer grace;
    size_t workers_open; /* that are draining and not empty yet */
    void (*drained)(void *ctx);
    void *drained_ctx;
};
