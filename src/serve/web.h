/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * web: the program's own HTTP server, for what it shows of itself: a table of routes over
 * libmicrohttpd, inside the loop and without a thread.
 *
 * It is for this machine: an address that is not loopback is refused, and so is a request whose
 * Host is not a loopback name or address, as that of a page elsewhere would be whose name was made
 * to lead here (DNS rebinding). No answer is kept by a cache, or may load or run anything. What a
 * visitor can make grow, and how long it can wait, is in web.c.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "loop/loop.h"

struct web;

struct web_answer {
    unsigned status;  /* 200 */
    const char *type; /* of the body; plain text in UTF-8 */
    struct buf body;
};

struct web_route {
    const char *method; /* "GET" answers HEAD too */
    const char *path;
    void (*answer)(void *ctx, struct web_answer *answer); /* fills it; the above is set already */
    void *ctx;
};

struct web_options {
    const char *listen; /* "[ADDR:]PORT"; port 0: the kernel picks; default address: 127.0.0.1 */
    int fd;             /* listens already, and is taken; -1: there is none, listen says where */
    const struct web_route *routes; /* stay the caller's, and where they are */
    size_t route_count;
};

int web_create(struct loop *loop, const struct web_options *options, struct web **ret_web,
               struct err *err);
uint16_t web_port(const struct web *w);
struct str web_address(const struct web *w); /* "ADDR:PORT", for people */
void web_destroy(struct web *w);             /* NULL is fine */
