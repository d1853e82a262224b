/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * web: the program's own HTTP server, for what it shows of itself: tables of routes over
 * libmicrohttpd, inside the loop and without a thread.
 *
 * Who may ask is in guard.h: on a loopback address whoever is on this machine, elsewhere whoever
 * has a token. A route is called only for those. What a visitor can make grow, and how long it can
 * wait, is in web_private.h.
 *
 * To a route an answer is what it fills in; the rest is done here: HEAD, 304 where the visitor has
 * the body already, a Range of a file, gzip for text, 413 for a body that is too long, 405.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "loop/loop.h"

struct web;

enum { WEB_PARAMS_MAX = 3, WEB_FIELDS_MAX = 4 };

/* What was asked. Lives, with all that was cut from it, until route->answer returns. */
struct web_request {
    const char *method;                /* as it came: for a route of GET also HEAD */
    struct str path;                   /* as it came, without the query */
    struct str params[WEB_PARAMS_MAX]; /* what stood for each * of the route's path, decoded */
    struct str body;                   /* at most route->body_max bytes */
    bool may_write;
    /* For an etag or a file's name that has to be made: lives until the answer was given. */
    struct arena *arena;
};

/* A member of the query, decoded; the first of its name. p is NULL when it is not there. */
struct str web_query(const struct web_request *request, const char *name);
/* A field of the head; the first of its name. p is NULL when it is not there. */
struct str web_header(const struct web_request *request, const char *name);

/*
 * A body that is made piece by piece, for as long as somebody reads. Its reader may be slow: what
 * it has not read is asked for later.
 */
struct web_stream {
    /*
     * Appends what there is to say now, some 64 KiB at a time. Nothing appended: it is asked again
     * after web_wake. False: that was all, with what it has appended. A piece that passes the
     * ceiling of `out` ends the connection.
     */
    bool (*fill)(void *ctx, struct buf *out);
    /* Once: the reader has left, or that was all, or it never began, or the server ends. */
    void (*close)(void *ctx);
    void *ctx;
};

struct web_field {
    const char *name, *value;
};

/* What is set before a route is called stands beside the members. Web takes body, fd and stream. */
struct web_answer {
    unsigned status;      /* 200 */
    const char *type;     /* of the body: plain text in UTF-8 */
    const char *etag;     /* what is between its quotes; NULL: the answer is not to be kept */
    const char *filename; /* to be saved under this name; NULL: to be shown */
    bool is_gzipped;      /* the body is, already */
    struct web_field fields[WEB_FIELDS_MAX]; /* of the head, beyond those; none */

    /* The body is one of these. */
    struct buf body;          /* empty, with its ceiling; passing it makes the answer a 500 */
    int fd;                   /* -1; else a file, of `bytes` bytes, of which a Range is served */
    uint64_t bytes;           /* of the file */
    struct web_stream stream; /* fill is NULL; else it is made while it is read */
};

/*
 * Makes it an error: the sentence is what it is, as {"error": "…"} below /api, as a line of text
 * elsewhere.
 */
void web_refuse(const struct web_request *r, struct web_answer *answer, unsigned status,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

struct web_route {
    const char *method; /* "GET" answers HEAD too */
    const char *path;   /* a segment that is "*" stands for any one that is not empty */
    void (*answer)(void *ctx, const struct web_request *request, struct web_answer *answer);
    size_t body_max; /* 0: a body is not read */
    bool writes;     /* only for who may write */
};

struct web_options {
    const char *listen; /* "[ADDR:]PORT"; port 0: the kernel picks; default address: 127.0.0.1 */
    int fd;             /* listens already, and is taken; -1: there is none, listen says where */
    const char *cert, *key; /* files in PEM; both or neither: TLS */

    const struct web_route *routes; /* stay the caller's, and where they are */
    size_t route_count;
    void *ctx; /* theirs */
};

int web_create(struct loop *loop, const struct web_options *options, struct web **ret_web,
               struct err *err);
void web_destroy(struct web *w); /* NULL is fine. Every stream is closed before it returns */

/*
 * Further routes, with a ctx of their own; they are looked at after those that are there. At most
 * WEB_TABLES_MAX tables in all.
 */
enum { WEB_TABLES_MAX = 4 };
void web_add(struct web *w, const struct web_route *routes, size_t count, void *ctx);

/* Streams that had nothing to say are asked again, in the loop's next round. */
void web_wake(struct web *w);
/* How many streams are being read now. */
size_t web_stream_count(const struct web *w);

uint16_t web_port(const struct web *w);
struct str web_address(const struct web *w); /* "ADDR:PORT", for people */
/* "http://ADDR:PORT/", with the token where one is needed: as people are to be given it. */
struct str web_link(const struct web *w, bool may_write);
bool web_needs_token(const struct web *w);
