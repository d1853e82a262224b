/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench: how fast a thing is, said so that two runs can be compared.
 *
 * Time is CPU time of the whole process, all its threads, user and system (getrusage): so figures
 * are per core, whatever else the machine does. The work is repeated until one repetition takes
 * long enough to be measured, then several repetitions are made; what is printed is their median,
 * how far the slowest and fastest lie apart, the aim, and how many times better than the aim it is
 * (below 1: not reached):
 *
 *     endpoints: match over 5,000 patterns       61.2 ns             ±2 %  (aim at most 100)   1.63
 *
 * A benchmark is a program bench/bench_NAME.c whose main calls these; bench/meson.build lists it.
 */
#pragma once

#include <stdint.h>

struct bench {
    const char *name;
    const char *unit;            /* "observations/s", "ns" */
    double aim;                  /* 0: none */
    void (*prepare)(void *ctx);  /* before each repetition, not measured; may be NULL */
    uint64_t (*work)(void *ctx); /* returns how many units it did */
    void *ctx;                   /* for both */
};

/* Units done in a CPU-second; the aim is the least. */
void bench_rate(const struct bench *b);

/* CPU-nanoseconds for one unit; the aim is the most. */
void bench_cost(const struct bench *b);

/* A figure in which there is no time (bytes for an observation); the aim is the most. */
void bench_figure(const char *name, const char *unit, double value, double aim);

/* So that the compiler cannot leave out the work that made this value. */
void bench_keep(uint64_t value);
