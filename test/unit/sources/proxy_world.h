/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * proxy_world: a proxy, its clock held, and both its neighbours played by the test: a device says
 * something, the world settles, the server has heard it. Everything is written down as a script,
 * top to bottom; no threads, no sleeping.
 */
#pragma once

#include "base/buf.h"
#include "obs/devices.h"
#include "sources/proxy/proxy.h"
#include "sources/proxy/rules.h"
#include "test/unit/unit.h"

enum { WORLD_FDS = 64 };

struct world {
    struct clock clock;
    struct loop *loop;
    struct stream stream;
    struct devices devices;
    struct proxy *proxy;
    struct loop_timer halt;
    struct buf seen;           /* observations, a line each */
    uint64_t at_us[OBS_KINDS]; /* when the last of each kind was observed */
    int listener;              /* the server's */
    uint16_t server_port;
    int fds[WORLD_FDS]; /* of both neighbours, closed in the end */
    size_t fd_count;
};

#define SECOND UINT64_C(1000000)

/*
 * origin.test, 192.0.2.7 and 2001:db8::7 lead to the server, on any port. What `more` leaves out is
 * the world's own; NULL: all of it.
 */
void world_init(struct world *w, const struct proxy_options *more);
void world_finish(struct world *w);

/* The rules that hold for flows from now on; settles. */
void world_obey(struct world *w, const struct rules_options *options);

/* For tests that want nothing special. */
int world_set_up(void **state);
int world_tear_down(void **state);

/* Until nothing moves any more; the clock stays where it is, but for a microsecond. */
void settle(struct world *w);
/* Lets time pass, and what happens in it happen. */
void pass_time(struct world *w, uint64_t us);

int device(struct world *w); /* connects to the proxy */
/* Accepts the proxy's connection; settles first. Fails when there is none. */
int server(struct world *w);
bool server_was_called(struct world *w);

/* A CONNECT tunnel to origin.test that stands; nothing of it is left to be seen. */
void world_tunnel(struct world *w, int *ret_device, int *ret_server);

/* Says all of it, settling as often as it takes. */
void say(struct world *w, int fd, const char *text);
void say_bytes(struct world *w, int fd, const void *p, size_t n);
/* What has come since; terminated. "<FIN>" and "<RST>" stand for the end. */
const char *heard(struct world *w, int fd);
/* Reads until n bytes have come or nothing comes any more: how many came. */
size_t hear_bytes(struct world *w, int fd, char *p, size_t n);
void end_of(struct world *w, int fd);   /* sends FIN */
void leave(struct world *w, int fd);    /* closes */
void reset_by(struct world *w, int fd); /* closes with a reset */

/*
 * What was observed since the last call, a line each: the kind and its fields, without the client
 * and the milliseconds. The server's port reads ORIGIN, the proxy's PROXY; of a client that is a
 * port there is that.
 */
const char *seen(struct world *w);
