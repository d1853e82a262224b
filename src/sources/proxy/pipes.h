/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pipes: kernel pipes for splice(2), lent to the directions of tunnels in which much moves. A pipe
 * comes back empty; a few are kept for the next who asks.
 */
#pragma once

#include <stddef.h>

enum { PIPES_KEPT_MAX = 16 };

struct pipe {
    int read_fd, write_fd;
    size_t bytes; /* that are in it */
    struct pipe *next;
};

struct pipes {
    struct pipe *kept;
    size_t kept_count;
    size_t lent, lent_max;
};

void pipes_init(struct pipes *p, size_t lent_max);
void pipes_finish(struct pipes *p);

/* NULL when there is none to give: then bytes have to be copied. */
struct pipe *pipes_take(struct pipes *p);
/* One that is not empty is thrown away with its bytes. NULL is fine. */
void pipes_give_back(struct pipes *p, struct pipe *pipe);
