/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * load_poll: the loop of the load generator, which shares two cores with what it measures.
 *
 * Edges and not levels, and a watch is set once for the life of its descriptor: so a message costs
 * one call to the kernel to send and one to receive, and nothing besides. A watch ends when its
 * descriptor is closed; nothing but its own `ready` closes it while a round is handed out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

enum { POLL_EDGES = (int)(EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) };

struct watch {
    void (*ready)(struct watch *watch, uint32_t events);
};

int poll_create(void); /* and as many descriptors as this process may have */
void poll_add(int poll_fd, int fd, uint32_t events, struct watch *watch);
bool poll_round(int poll_fd, int wait_ms); /* false: nothing was ready */

uint64_t poll_now_us(void);
