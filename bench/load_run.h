/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * load_run: clients that act out a script against a proxy, so many times and so many at once.
 *
 * A run ends when all is done, or when its time is over: then nothing new is begun, and what is
 * under way has RUN_PATIENCE_SECONDS more, except bulk, which ends at once. Whatever happens to a
 * client is counted and never ends the run.
 */
#pragma once

#include "bench/load_poll.h"
#include "bench/load_script.h"

#include <netinet/in.h>

enum { RUN_PATIENCE_SECONDS = 3, RUN_WANTED_MOST = 10000000, RUN_HELD_MOST = 20000 };

struct run_order {
    const struct mode *mode;
    const struct script *script; /* the caller's, as long as the run lives */
    struct sockaddr_in proxy;
    uint64_t wanted;  /* requests, tunnels */
    uint64_t at_once; /* 0: as the mode has it */
    uint64_t most_us;
};

struct run_result {
    uint64_t done, failed, unfinished;
    uint64_t reopened; /* connections that ended between two requests */
    uint64_t bytes;    /* said and heard */
    uint64_t took_us, p50_us, p99_us;
    char trouble[128]; /* the first thing that failed; empty: nothing did */
};

struct run;

struct run *run_create(int poll_fd, const struct run_order *order);
bool run_is_over(struct run *run); /* asked after every round; it also keeps the time */
void run_result(struct run *run, struct run_result *ret_result);
void run_destroy(struct run *run); /* closes what is still open */
