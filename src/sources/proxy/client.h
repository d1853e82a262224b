/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client: one connection from a device. It reads a request head, hands the connection to an
 * exchange or a tunnel, and after an exchange reads the next.
 *
 *     READS ──▶ EXCHANGES ──▶ READS …            a plain request; 101 leads to TUNNELS
 *           ──▶ TUNNELS ──▶ gone                 CONNECT, SOCKS
 *           ──▶ LINGERS ──▶ gone                 our last word is said
 *
 * The server's connection stays with the client between two exchanges, for the next request to the
 * same place; it is never shared between clients, so what a server ties to a connection (NTLM)
 * stays where it belongs.
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
struct socks;
struct throttle;
struct tunnel;

enum client_state { CLIENT_READS, CLIENT_EXCHANGES, CLIENT_TUNNELS, CLIENT_LINGERS };

struct client {
    struct worker *worker;
    const struct port *port;        /* that it came to */
    struct client *previous, *next; /* in the worker's list of its sort */
    bool is_busy;
    bool is_http;    /* it has spoken HTTP, and goes on so */
    bool head_begun; /* and the time for the head runs, or for all that SOCKS has before a tunnel */
    bool server_is_upstream; /* it was dialled without asking policy */
    uint8_t state;           /* enum client_state */
    uint32_t device_id;
    /* Or an IPv4 address: what there is of a struct sockaddr_storage that is used. */
    _Alignas(struct sockaddr_storage) struct sockaddr_in6 from;

    struct side device, server;
    struct buf in;      /* came from the device and is not used yet */
    size_t in_scanned;  /* where http1_find_end stands in it */
    char *server_place; /* between exchanges: what the server's connection is good for; or NULL */

    struct flow flow; /* the one that is under way */
    struct dial *dial;
    struct exchange *exchange;
    struct tunnel *tunnel;
    struct socks *socks;       /* NULL: it speaks HTTP */
    struct throttle *throttle; /* NULL: as fast as it goes */

    struct loop_timer timer; /* by state: the head, nothing moving, the lingering */
    uint64_t moved_us;       /* when bytes last moved */
    size_t lingered;
};

/* Takes the accepted socket. */
void client_create(struct worker *w, const struct port *port, int fd,
                   const struct sockaddr_storage *from);
/* Ends it at once; its open flow is observed as closed and why. */
void client_destroy(struct client *c, enum flow_why why, bool reset);
/* Ends it as the proxy stops; half a head is observed too. */
void client_shut_down(struct client *c);
/* Ends an idle one, for another that wants its place. */
void client_make_room(struct client *c);

const struct sockaddr_storage *client_address(const struct client *c);

/* For those that a client hands its connection to. */

void client_open_flow(struct client *c, struct str host, uint16_t port, enum flow_how how);
/* Reads what the device has ready, up to READ_AHEAD_BYTES in all, into `in`. */
void client_read_ahead(struct client *c);
bool client_wants_ahead(const struct client *c);
/* The exchange has ended well, its flow is closed: another may come. */
void client_read_next(struct client *c);
/* Says no, closes the flow, lingers. Only while nothing of another answer has been sent. */
void client_refuse(struct client *c, const struct refusal *refusal, bool head_only);
/* The same where nothing has become a flow yet: all that is in `in` counts as one. */
void client_refuse_head(struct client *c, const struct refusal *refusal);
/* Closes the flow; then our FIN, after what is still to be sent. */
void client_linger(struct client *c, enum flow_why why);
/* What a dial has brought; false: a refusal, and the client lingers. */
bool client_take_server(struct client *c, int fd, const struct refusal *refusal, bool head_only);
/* The server's connection is good for nothing any more. */
void client_drop_server(struct client *c);
/* From here on the flow moves no faster, each way; 0: as fast as it goes. */
void client_throttle(struct client *c, uint64_t bytes_a_second);

/* When nothing has moved for idle_us, whoever has the connection is told (exchange_idle, …). */
void client_watch_idle(struct client *c, uint64_t idle_us);
