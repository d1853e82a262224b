/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * clock: the one source of time.
 *
 * Time is microseconds since the clock began, and the clock knows which wall-clock moment that was
 * (microseconds since 1970 UTC). A real clock follows CLOCK_MONOTONIC, so a step of the wall clock
 * does not touch it. An accelerated clock runs `factor` times as fast. A held clock stands still
 * until somebody moves it. A paced clock is a held one that shall not be ahead of real time times
 * `factor`: the loop moves it from timer to timer, so what happens at a time happens at exactly
 * that time, and a machine that is too slow makes it late, not wrong.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum clock_kind { CLOCK_REAL, CLOCK_ACCELERATED, CLOCK_HELD, CLOCK_PACED };

struct clock {
    enum clock_kind kind;
    double factor;          /* clock microseconds that pass in one real microsecond */
    uint64_t began_mono_us; /* CLOCK_MONOTONIC when it began; unused when held */
    uint64_t began_wall_us; /* the wall clock when it began */
    uint64_t held_us;
};

void clock_init_real(struct clock *c);
void clock_init_accelerated(struct clock *c, double factor);
void clock_init_held(struct clock *c, uint64_t began_wall_us);
void clock_init_paced(struct clock *c, double factor);

/* The clock's time starts at `at_us` instead of 0: for a recording that is continued. */
void clock_resume(struct clock *c, uint64_t at_us, uint64_t began_wall_us);

uint64_t clock_now_us(const struct clock *c);
uint64_t clock_wall_us(const struct clock *c); /* began_wall_us + now */

/* Held and paced clocks only. */
bool clock_is_held(const struct clock *c);
void clock_move(struct clock *c, uint64_t by_us);

/*
 * Real microseconds until the clock shows at_us, or, when it is paced, may show it; 0 when it
 * already does, or when it is held.
 */
uint64_t clock_real_us_until(const struct clock *c, uint64_t at_us);
