/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * throttle: a flow that is to move at most so many bytes a second, each way. It is asked how much
 * may be read now, and told how much was; when nothing may be, it calls when something may again.
 */
#pragma once

#include "loop/loop.h"

enum way { WAY_UP, WAY_DOWN, WAYS };

struct throttle;

/* fire(ctx): one of the ways that had to wait may go on. */
struct throttle *throttle_create(struct loop *loop, uint64_t bytes_a_second,
                                 void (*fire)(void *ctx), void *ctx);
void throttle_destroy(struct throttle *t); /* NULL is fine */

/* Bytes of at most n; 0: later. Without a throttle it is always n. */
size_t throttle_allows(struct throttle *t, enum way way, size_t n);
bool throttle_waits(const struct throttle *t, enum way way);
void throttle_moved(struct throttle *t, enum way way, size_t n);
