/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * guard: who may ask the web server for what. It sees a request's head, as values, and nothing
 * else.
 *
 * On a loopback address whoever is on this machine may read and write. On any other, whoever has a
 * token: there are two, made anew at each start, one for reading and one for writing too. It comes
 * in the link that people are given, and is a cookie from then on; programs send it as a bearer's.
 *
 * Browsers do what any page tells them, so two more things are looked at. The Host has to be a name
 * of this machine, or a page elsewhere whose name was made to lead here would be taken for ours
 * (DNS rebinding). And what comes from another page may open ours, and neither load nor write.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum {
    GUARD_TOKEN_CHARS = 22,  /* 128 bits */
    GUARD_COOKIE_CHARS = 24, /* room for its name */
    GUARD_NAME_CHARS = 256,
};

struct guard {
    bool is_open;  /* on a loopback address: no token is needed */
    bool uses_tls; /* the cookie is for that alone */
    /* The port is in its name: cookies of all servers on a machine are in one jar. */
    char cookie_name[GUARD_COOKIE_CHARS];
    char host_name[GUARD_NAME_CHARS]; /* of this machine */
    char read_token[GUARD_TOKEN_CHARS + 1], write_token[GUARD_TOKEN_CHARS + 1];
    /* Whether our certificate is for that host; NULL when there is none. */
    bool (*certifies)(const void *ctx, struct str host);
    const void *ctx;
};

/* Makes the tokens. The name of this machine and what certifies are set by the caller, or not. */
void guard_init(struct guard *g, bool is_open, bool uses_tls, uint16_t port);

/* What is looked at; fields that are not there are empty. */
struct guard_asked {
    bool is_safe;     /* GET or HEAD: nothing is written */
    bool opens_page;  /* of the path "/": where a token may come in the query */
    struct str token; /* of the query */
    struct str host;  /* empty also when there are several */
    struct str origin, authorization, cookie;
    struct str fetch_site, fetch_mode, fetch_dest; /* Sec-Fetch-…: what the browser says of it */
};

enum guard_verdict {
    GUARD_READS,
    GUARD_WRITES,      /* and reads */
    GUARD_ENTERS,      /* with the token in the query: is to be given the cookie */
    GUARD_MISDIRECTED, /* the Host is not ours */
    GUARD_FOREIGN,     /* another page's */
    GUARD_UNKNOWN,     /* no token, or a wrong one */
};

enum guard_verdict guard_judge(const struct guard *g, const struct guard_asked *asked);

/* The value of Set-Cookie, for who enters. */
void guard_put_cookie(const struct guard *g, struct str token, struct buf *out);
