/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench/bench.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { REPETITIONS = 7 };

/* One repetition takes at least this long: getrusage may count in ticks of 4 ms. */
static const double LEAST_SECONDS = 0.2;

static double cpu_seconds(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* CPU-seconds for one unit. The work is done again, prepared again, until it took long enough. */
static double repetition(const struct bench *b)
{
    double spent = 0;
    uint64_t units = 0;

    while (spent < LEAST_SECONDS) {
        double began;

        if (b->prepare)
            b->prepare(b->ctx);
        began = cpu_seconds();
        units += b->work(b->ctx);
        spent += cpu_seconds() - began;
    }
    assert(units);
    return spent / (double)units;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void print(const char *name, const char *unit, double value, const char *spread,
                  const char *least_or_most, double aim, double ratio)
{
    printf("%-44s %14.*f %-16s %7s", name, value < 1000 ? 1 : 0, value, unit, spread);
    if (aim > 0)
        printf("  (aim at %s %.0f) %6.2f", least_or_most, aim, ratio);
    putchar('\n');
    fflush(stdout);
}

/* The median of the repetitions, in CPU-seconds for one unit, and the spread about it as text. */
static double measure(const struct bench *b, char *ret_spread, size_t room)
{
    double seconds[REPETITIONS], median;

    repetition(b); /* caches, allocator and page cache are warm from here on */
    for (unsigned i = 0; i < REPETITIONS; i++)
        seconds[i] = repetition(b);
    qsort(seconds, REPETITIONS, sizeof(*seconds), by_value);
    median = seconds[REPETITIONS / 2];
    snprintf(ret_spread, room, "±%.0f %%",
             (seconds[REPETITIONS - 1] - seconds[0]) / 2 / median * 100);
    return median;
}

void bench_rate(const struct bench *b)
{
    char spread[32];
    double rate = 1 / measure(b, spread, sizeof(spread));

    print(b->name, b->unit, rate, spread, "least", b->aim, rate / b->aim);
}

void bench_cost(const struct bench *b)
{
    char spread[32];
    double ns = measure(b, spread, sizeof(spread)) * 1e9;

    print(b->name, b->unit, ns, spread, "most", b->aim, b->aim / ns);
}

void bench_figure(const char *name, const char *unit, double value, double aim)
{
    print(name, unit, value, "", "most", aim, aim / value);
}

void bench_keep(uint64_t value)
{
    __asm__ volatile("" : : "r"(value) : "memory");
}
