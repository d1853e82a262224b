/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * activation: sockets that a service manager opened for this process, each with a name
 * (sd_listen_fds(3); in a .socket unit FileDescriptorName= says it). So a port is listened on
 * before the program runs and while it is started again, and the program needs no right to it.
 *
 *     struct activation sockets;
 *     activation_take(&sockets, &err);
 *     while ((fd = activation_next(&sockets, STR("proxy"))) >= 0)
 *         …
 *     activation_finish(&sockets);
 *
 * The protocol is three variables and a number, so no library is needed for it.
 */
#pragma once

#include "base/err.h"

enum { ACTIVATION_SOCKETS_MAX = 64 };

struct activation_socket {
    int fd; /* -1: somebody has it */
    struct str name;
};

struct activation {
    struct activation_socket sockets[ACTIVATION_SOCKETS_MAX];
    size_t count;
    char *names;
};

/*
 * What was passed to this process; nothing, nearly always. The variables are removed from the
 * environment, so a child does not take them for its own: call it before there are threads. An
 * error leaves it empty.
 */
int activation_take(struct activation *a, struct err *err);
/* The next socket of this name, which is the caller's now; -1: there is none (left). */
int activation_next(struct activation *a, struct str name);
void activation_finish(struct activation *a); /* closes what nobody asked for */
