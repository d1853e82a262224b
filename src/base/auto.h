/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Locals that clean up after themselves:
 *
 *     AUTO(auto_close) int fd = open(…);
 *     …
 *     return steal_fd(&fd);
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define AUTO(ender) __attribute__((cleanup(ender)))

static inline void auto_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void auto_free(void *pp)
{
    free(*(void **)pp);
}

static inline void auto_fclose(FILE **f)
{
    if (*f)
        fclose(*f);
}

static inline int steal_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

#define STEAL(pp)                                                                                  \
    ({                                                                                             \
        __typeof__(*(pp)) taken_ = *(pp);                                                          \
        *(pp) = NULL;                                                                              \
        taken_;                                                                                    \
    })
