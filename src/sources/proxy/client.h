/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client: one connection from a device. It reads a request head, hands the connection to an
 * exchange or a tunnel, and after an exchange reads the next.
 *
 *     READS ──▶ EXCHANGES ──▶ READS …            a plain request; 101 leads to TUNNELS
 *           ──▶ TUNNELS ──▶ gone                 CONNECT
 *           ──▶ LINGERS ──▶ gone                 our last word is said
 *
 * Lingering: a device that is still sending would be answered with a reset, and a reset can
 * overtake the answer. So we say that it was our last byte and throw away for a short while what
 * still comes.
 */
#pragma once

#include "base/url.h"
#include "sources/proxy/address.h"
#include "sources/proxy/dial.h"
#include "sources/proxy/flow.h"
#include "sources/proxy/side.h"
#include "wire/http1.h"

struct exchange;
struct tunnel;

enum client_state { CLIENT_READS, CLIENT_EXCHANGES, CLIENT_TUNNELS, CLIENT_LINGERS };

struct client {
    struct proxy *proxy;
    struct client *previous, *next;
    enum client_state state;
    struct sockaddr_storage from;

    struct side device, server;
    struct buf in;     /* came from the device and is not used yet */
    size_t in_scanned; /* where http1_find_end stands in it */
    bool head_begun;   /* and the time for the head runs */

    struct flow flow; /* the one that is under way */
    struct dial *dial;
    struct exchange *exchange;
    struct tunnel *tunnel;

    struct loop_timer timer; /* by state: the head, nothing moving, the lingering */
    uint64_t moved_us;       /* when bytes last moved */
    size_t lingered;
};

/* Takes the accepted socket. */
void client_create(struct proxy *p, int fd, const struct sockaddr_storage *from);
/* Ends it at once; its open flow is observed as closed and why. */
void client_destroy(struct client *c, enum flow_why why, bool reset);

/* For exchanges and tunnels. */

/* Reads what the device has ready, up to READ_AHEAD_BYTES in all, into `in`. */
void client_read_ahead(struct client *c);
bool client_wants_ahead(const struct client *c);
/* The exchange has ended well, its flow is closed: another may come. */
void client_read_next(struct client *c);
/* Says no, closes the flow, lingers. Only while nothing of another answer has been sent. */
void client_refuse(struct client *c, const struct refusal *refusal, bool head_only);
/* Closes the flow; then our FIN, after what is still to be sent. */
void client_linger(struct client *c, enum flow_why why);

/* Nothing has moved for idle_us: then fire is called with the client. Set again by being called. */
void client_watch_idle(struct client *c, uint64_t idle_us);
