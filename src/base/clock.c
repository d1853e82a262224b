/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"

#include <assert.h>
#include <time.h>

static uint64_t read_us(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void clock_init_accelerated(struct clock *c, double factor)
{
    assert(factor > 0);
    *c = (struct clock){
        .kind = factor == 1 ? CLOCK_REAL : CLOCK_ACCELERATED,
        .factor = factor,
        .began_mono_us = read_us(CLOCK_MONOTONIC),
        .began_wall_us = read_us(CLOCK_REALTIME),
    };
}

void clock_init_real(struct clock *c)
{
    clock_init_accelerated(c, 1);
}

void clock_init_held(struct clock *c, uint64_t began_wall_us)
{
    *c = (struct clock){.kind = CLOCK_HELD, .factor = 1, .began_wall_us = began_wall_us};
}

void clock_init_paced(struct clock *c, double factor)
{
    clock_init_accelerated(c, factor);
    c->kind = CLOCK_PACED;
}

bool clock_is_held(const struct clock *c)
{
    return c->kind == CLOCK_HELD || c->kind == CLOCK_PACED;
}

void clock_resume(struct clock *c, uint64_t at_us, uint64_t began_wall_us)
{
    c->began_wall_us = began_wall_us;
    c->held_us = at_us;
    c->began_mono_us = read_us(CLOCK_MONOTONIC);
}

uint64_t clock_now_us(const struct clock *c)
{
    if (clock_is_held(c))
        return c->held_us;

    uint64_t real_us = read_us(CLOCK_MONOTONIC) - c->began_mono_us;
    if (c->kind == CLOCK_REAL)
        return c->held_us + real_us;
    return c->held_us + (uint64_t)((double)real_us * c->factor);
}

uint64_t clock_wall_us(const struct clock *c)
{
    return c->began_wall_us + clock_now_us(c);
}

void clock_move(struct clock *c, uint64_t by_us)
{
    assert(clock_is_held(c));
    c->held_us += by_us;
}

/* What the clock shows, or, when it is paced, the most that it may show. */
static uint64_t reached_us(const struct clock *c)
{
    struct clock running = *c;

    if (c->kind != CLOCK_PACED)
        return clock_now_us(c);
    running.kind = CLOCK_ACCELERATED;
    running.held_us = 0;
    return clock_now_us(&running);
}

uint64_t clock_real_us_until(const struct clock *c, uint64_t at_us)
{
    uint64_t now_us = reached_us(c);

    if (c->kind == CLOCK_HELD || at_us <= now_us)
        return 0;
    /* Rounded up, so that a sleeper who wakes finds that the clock has got there. */
    return (uint64_t)((double)(at_us - now_us) / c->factor) + 1;
}
