/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench/load_poll.h"

#include <err.h>
#include <errno.h>
#include <sys/resource.h>
#include <time.h>

enum { ROUND_EVENTS = 256 };

int poll_create(void)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    struct rlimit files;

    if (fd < 0)
        err(1, "cannot make an event loop");
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    return fd;
}

void poll_add(int poll_fd, int fd, uint32_t events, struct watch *watch)
{
    struct epoll_event e = {.events = events, .data.ptr = watch};

    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &e) < 0)
        err(1, "cannot watch a descriptor");
}

bool poll_round(int poll_fd, int wait_ms)
{
    struct epoll_event events[ROUND_EVENTS];
    int n = epoll_wait(poll_fd, events, ROUND_EVENTS, wait_ms);

    if (n < 0 && errno != EINTR)
        err(1, "cannot wait");
    for (int i = 0; i < n; i++) {
        struct watch *watch = events[i].data.ptr;

        watch->ready(watch, events[i].events);
    }
    return n > 0;
}

uint64_t poll_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}
