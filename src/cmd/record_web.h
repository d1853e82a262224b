/* SPDX-License-Identifier: GPL-3.0-or-later */
/* record_web: what a recording shows of itself while it is made, on the web server. */
#pragma once

#include "cmd/session.h"
#include "loop/activation.h"
#include "sources/proxy/proxy.h"

struct record_web;

/*
 * Listens where a socket called "web" was passed, else on `listen`; when there is neither, which is
 * no error, *ret_web is NULL. Says where. The proxy outlives it, and so does the session.
 */
int record_web_open(struct session *s, const struct proxy *proxy, const char *listen,
                    struct activation *sockets, struct record_web **ret_web, struct err *err);
void record_web_close(struct record_web *w); /* NULL is fine */
