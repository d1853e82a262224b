/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * listen: the ports at which the proxy is found. Each worker has a socket of its own for each port
 * (SO_REUSEPORT), so the kernel spreads the connections over them. A port that another process
 * listens on is refused all the same, also one of the same user.
 */
#pragma once

#include "base/err.h"

#include <stdint.h>

struct port {
    struct str device; /* what all who come here are called, as one device; empty: each by itself */
    uint16_t number;   /* the real one, also when the kernel picked it */
    char address[64];  /* "ADDR:PORT", for people */
    int *fds;          /* one for each worker; -1: not open, or the worker's own by now */
    size_t fd_count;
};

/*
 * "[ADDR:]PORT[=NAME]"; port 0: the kernel picks one; default address: every one of this machine's.
 * The name is a view into the text. ret_port is to be closed also after an error.
 */
int port_open(struct port *ret_port, const char *text, size_t workers, struct err *err);
/* A socket that listens already, such as from systemd; all workers share it. Takes the fd. */
int port_take(struct port *ret_port, int fd, size_t workers, struct err *err);
void port_close(struct port *p);
