/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dialogue: what the two ends of a connection have said, read strictly and side by side: each
 * request with the response that answers it, until one of them opens a tunnel. SOCKS 5 (RFC 1928)
 * is read too, up to where its tunnel begins, and SOCKS 4, which gets none.
 */
#pragma once

#include "base/str.h"

#include <stddef.h>

struct dialogue {
    size_t requests;  /* begun: there is a first byte of each */
    size_t responses; /* whole ones that answer a request; interim ones do not count */
    const char *odd_request, *odd_response; /* NULL: what is there is well-formed */
    bool asks_tunnel;                       /* the last request wants one; up_at holds */
    bool tunnels;                           /* and got it; down_at holds too */
    bool unasked;          /* there is more after the last answer, and it answers nothing */
    size_t up_at, down_at; /* where in each stream the tunnel's bytes begin */
};

/* Of a device with the proxy: HTTP or SOCKS, as its first byte says. */
struct dialogue dialogue_read(struct str asked, struct str answered);
/* Of the proxy with a server: it asks in nothing but HTTP. */
struct dialogue dialogue_read_http(struct str asked, struct str answered);
