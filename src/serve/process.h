/* SPDX-License-Identifier: GPL-3.0-or-later */
/* process: what this process uses of the machine, all its threads together. */
#pragma once

#include <stdint.h>

struct process_use {
    uint64_t cpu_us;
    uint64_t resident_bytes, virtual_bytes;
    uint64_t open_fds, max_fds;
};

/* What cannot be found out is 0, here and below. */
struct process_use process_measure(void);

/* In microseconds since 1970 UTC. To be asked once: it is another after the wall clock was set. */
uint64_t process_began_wall_us(void);
