/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * connect_to: HOST:PORT:ADDR:PORT, as curl's --connect-to: who asks for HOST:PORT is connected to
 * ADDR:PORT instead. An empty HOST or PORT in front matches all; an empty ADDR or PORT behind keeps
 * what was asked for. IPv6 addresses stand in brackets. The first rule that matches counts.
 */
#pragma once

#include "base/err.h"

struct connect_to {
    struct str host; /* empty: any */
    uint16_t port;   /* 0: any */
    struct str to_host;
    uint16_t to_port;
};

/* The rule's strs are views into `text`. */
int connect_to_parse(struct str text, struct connect_to *ret_rule, struct err *err);

/* Rewrites host and port in place. True when a rule named the place: it is meant. */
bool connect_to_apply(const struct connect_to *rules, size_t n, struct str *host, uint16_t *port);
