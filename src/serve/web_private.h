/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the web server share, and its ceilings. */
#pragma once

#include "serve/guard.h"
#include "serve/target.h"
#include "serve/web.h"
#include "serve/web_tls.h"
#include "sources/proxy/address.h"

#include <microhttpd.h>

enum {
    VISITORS_MAX = 256,        /* connections; more wait in the kernel's queue */
    VISITORS_OF_ONE_MAX = 128, /* from one address that is not loopback; more are turned away */
    VISITOR_BYTES = 32 << 10,  /* for a request's head and the answer's */
    IDLE_SECONDS = 30,         /* nothing moves on a connection that reads no stream */
    ANSWER_BYTES = 16 << 20,   /* also what one piece of a stream may have */
    STREAMS_MAX = 128,
    BACKLOG = 128,
    LINK_CHARS = ADDRESS_TEXT + 64,
};

struct table {
    const struct web_route *routes;
    size_t count;
    void *ctx;
};

struct web {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct loop_fd daemon_watch, timer_watch;
    bool is_due;         /* MHD has something to do that its descriptor does not show */
    unsigned hasty_runs; /* that MHD asked for since something was seen to move */
    struct table tables[WEB_TABLES_MAX];
    size_t table_count;
    struct guard guard;
    struct web_tls *tls; /* NULL: none */

    struct web_reader *readers; /* of streams, in no order */
    size_t reader_count;

    uint16_t port;
    char address[ADDRESS_TEXT];
    char links[2][LINK_CHARS]; /* to read, to write */
};

/* A request from its first line until its answer was sent. */
struct request {
    struct web_request given; /* first: from what a route sees the rest is found */
    struct web *web;
    struct MHD_Connection *connection;
    struct arena *arena;
    struct target target;
    bool has_target; /* else it cannot be read */
    bool is_begun;   /* its head is there */
    struct buf body;
    enum guard_verdict verdict;
    const struct web_route *route; /* NULL: there is none for this method */
    void *ctx;                     /* the route's */
    const char *allow;             /* methods that the path has; NULL: it is not there */
};

static inline const struct request *request_of(const struct web_request *given)
{
    return (const struct request *)given;
}

/* --- web.c --- */

/* In the loop's next round; not from this one's, where MHD may be at work. */
void web_run_soon(struct web *w);

/* --- web_request.c --- */

/* For MHD: when a request's first line is there, at each of its pieces, at its end. */
void *request_open(void *web, const char *uri, struct MHD_Connection *connection);
enum MHD_Result request_go_on(void *web, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_bytes, void **request);
void request_close(void *web, struct MHD_Connection *connection, void **request,
                   enum MHD_RequestTerminationCode why);

/* --- web_route.c --- */

/* Fills in route, ctx, allow and what stood for each *. */
void request_find_route(struct request *r);

/* --- web_answer.c --- */

/* Takes what the answer holds. */
enum MHD_Result answer_send(const struct request *r, struct web_answer *a);
/* Another field of its head. */
void answer_add_field(struct web_answer *a, const char *name, const char *value);

/* --- web_stream.c --- */

/* A response whose body is the stream, which it takes; NULL when there is none for now. */
struct MHD_Response *stream_open(struct web *w, struct MHD_Connection *connection,
                                 const struct web_stream *stream);
/* Everyone who waits is to see that it ends: MHD does not stop while one does. */
void streams_end(struct web *w);

/* --- web_listen.c --- */

/* A socket that listens, options->fd or a new one, and what it listens on. */
int listener_open(struct web *w, const struct web_options *options, int *ret_fd,
                  bool *ret_is_loopback, struct err *err);
/* Needs address, port and guard. */
void web_write_links(struct web *w);
