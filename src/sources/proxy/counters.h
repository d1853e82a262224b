/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * counters: how much a proxy has done, for metrics. They only grow; what there is now of something
 * is the difference of two.
 *
 * One thread writes a struct counters, any other may read it at any time. As there is one writer,
 * counting is a plain addition and no locked one. What ends is stored after what began it and read
 * before it, so a difference is never negative. With several workers each has its own struct, away
 * from the lines of the cache that others write to, and counters_add makes the sum.
 */
#pragma once

#include "obs/obs.h"

#include <stdatomic.h>

struct counter {
    _Atomic uint64_t n;
};

struct counters {
    struct counter closed[WHY_COUNT];
    struct counter ended[HOW_COUNT]; /* the same flows as in closed */
    struct counter opened[HOW_COUNT];
    struct counter bytes_up, bytes_down; /* of flows, as their observations count them */
    struct counter clients_left, clients_came;
    struct counter accept_pauses; /* no descriptors, memory or room for another client */
    struct counter connects, connects_failed, names_failed; /* one each a flow */
};

static inline uint64_t counter_get(const struct counter *c)
{
    return atomic_load_explicit(&c->n, memory_order_acquire);
}

static inline void counter_add(struct counter *c, uint64_t n)
{
    uint64_t sum = atomic_load_explicit(&c->n, memory_order_relaxed) + n;

    atomic_store_explicit(&c->n, sum, memory_order_release);
}

static inline void counters_opened(struct counters *c, enum flow_how how)
{
    counter_add(&c->opened[how], 1);
}

static inline void counters_closed(struct counters *c, enum flow_how how, enum flow_why why)
{
    counter_add(&c->ended[how], 1);
    counter_add(&c->closed[why], 1);
}

static inline void counters_moved(struct counters *c, uint64_t up, uint64_t down)
{
    counter_add(&c->bytes_up, up);
    counter_add(&c->bytes_down, down);
}

static inline void counters_client_came(struct counters *c)
{
    counter_add(&c->clients_came, 1);
}

static inline void counters_client_left(struct counters *c)
{
    counter_add(&c->clients_left, 1);
}

static inline void counters_accept_paused(struct counters *c)
{
    counter_add(&c->accept_pauses, 1);
}

static inline void counters_connected(struct counters *c)
{
    counter_add(&c->connects, 1);
}

static inline void counters_connect_failed(struct counters *c)
{
    counter_add(&c->connects_failed, 1);
}

static inline void counters_name_failed(struct counters *c)
{
    counter_add(&c->names_failed, 1);
}

/* What there is now. */
uint64_t counters_flows_open(const struct counters *c, enum flow_how how);
uint64_t counters_clients_now(const struct counters *c);

/* Adds each of `other` to `sum`, which is the caller's alone. */
void counters_add(struct counters *sum, const struct counters *other);
