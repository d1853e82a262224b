/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A web server and visitors that a test plays, in one thread, the loop's clock held. */
#pragma once

#include "serve/web.h"
#include "test/unit/unit.h"

#include <netinet/in.h>

enum { HEARD_BYTES = 64 << 10 };

#define HOST "Host: localhost\r\n"

struct web_world {
    struct clock clock;
    struct loop *loop;
    struct web *web;
};

/* The web server as options say; without a listen and an fd on a port of 127.0.0.1. */
void web_world_open(struct web_world *w, struct web_options options);
void web_world_close(struct web_world *w);

/* A socket that listens there, on a port that the kernel picks. */
int web_world_listener(in_addr_t address);

int visit(const struct web_world *w); /* a connection, which blocks */
/* Sends it and runs the loop until nothing moves. */
void visitor_says(struct web_world *w, int fd, const char *text);
/* What has come; "<FIN>" stands for the end. Good until the next call. */
const char *visitor_hears(int fd);
/* One request on a connection of its own, and all that came of it. */
const char *ask(struct web_world *w, const char *request);

void expect(const char *answer, const char *part);
void expect_not(const char *answer, const char *part);
