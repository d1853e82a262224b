/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fake_loop: what the fuzzer does with the loop of fake_loop.c, which stands in for loop/loop.c.
 * Its descriptors are those of fake_net, its clock is held, and it goes one round at a time.
 */
#pragma once

#include "loop/loop.h"

/* What is ready, then the timers that are due, then what was deferred. False: there was nothing. */
bool fake_loop_round(struct loop *loop);
/* When the next timer is due; UINT64_MAX: there is none. */
uint64_t fake_loop_next_us(const struct loop *loop);
/* The next loop_add_fd finds that the kernel has no room. */
void fake_loop_refuse_watch(struct loop *loop);
