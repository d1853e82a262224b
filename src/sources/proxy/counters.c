/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/counters.h"

#include <assert.h>
#include <stddef.h>

/* Where a struct counters is nothing but counters, it is an array of them. */
enum { COUNTERS = sizeof(struct counters) / sizeof(struct counter) };

static_assert(sizeof(struct counters) % sizeof(struct counter) == 0, "counters alone");

uint64_t counters_flows_open(const struct counters *c, enum flow_how how)
{
    uint64_t ended = counter_get(&c->ended[how]);

    return counter_get(&c->opened[how]) - ended;
}

uint64_t counters_clients_now(const struct counters *c)
{
    uint64_t left = counter_get(&c->clients_left);

    return counter_get(&c->clients_came) - left;
}

/* In the order in which they stand: what ended before what began. */
void counters_add(struct counters *sum, const struct counters *other)
{
    struct counter *to = (struct counter *)(void *)sum;
    const struct counter *from = (const struct counter *)(const void *)other;

    for (size_t i = 0; i < COUNTERS; i++)
        counter_add(&to[i], counter_get(&from[i]));
}
