/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a host costs among 5,000 patterns of the shapes that are shipped: names, families of names,
 * and stars inside. Half of the hosts are known by name, some by family, some not at all.
 */
#include "bench/bench.h"
#include "explain/endpoints.h"

#include <stdio.h>

enum { PATTERNS = 5000, HOSTS = 2048, ROUNDS = 200 };

static const char *const domains[] = {
    "manage.microsoft.com",      "prod.do.dsp.mp.microsoft.com",
    "delivery.mp.microsoft.com", "events.data.microsoft.com",
    "blob.core.windows.net",     "update.microsoft.com",
    "officeapps.live.com",       "wns.windows.com",
    "attest.azure.net",          "azureedge.net",
};
enum { DOMAINS = sizeof domains / sizeof *domains };

struct matching {
    struct endpoints *endpoints;
    char names[HOSTS][80];
    struct str hosts[HOSTS];
};

/* `%1$u` tells patterns apart; `%2$u` families, of which each has a few with a star inside. */
static struct str pattern_of(unsigned i, char *room, size_t n)
{
    static const char *const shapes[] = {
        "host%1$u.%3$s",    "unit%1$u-eu.%3$s", "a%1$u.b.%3$s",
        "swd%1$u.c.d.%3$s", "*.zone%1$u.%3$s",  "cp%1$u*.zone%2$u.%3$s",
    };
    enum { SHAPES = sizeof shapes / sizeof *shapes };
    const char *const shape = shapes[i / DOMAINS % SHAPES];

    return str_from(room, (size_t)snprintf(room, n, shape, i, i / (4 * DOMAINS * SHAPES),
                                           domains[i % DOMAINS]));
}

/* A host for the i-th pattern: its stars become text; every fifth is left to the unknown. */
static struct str host_of(unsigned i, char *room, size_t n)
{
    char pattern[80];
    struct str rest = pattern_of(i * 37 % PATTERNS, pattern, sizeof pattern);
    struct str first = str_cut(&rest, '*');

    if (i % 5 == 0)
        return str_from(room, (size_t)snprintf(room, n, "www%u.example.com", i));
    if (first.p + first.n == rest.p)
        return str_from(room, (size_t)snprintf(room, n, STR_FMT, STR_ARG(first)));
    return str_from(room,
                    (size_t)snprintf(room, n, STR_FMT "x7" STR_FMT, STR_ARG(first), STR_ARG(rest)));
}

static uint64_t match_all(void *ctx)
{
    const struct matching *m = ctx;

    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < HOSTS; i++)
            bench_keep((uintptr_t)endpoints_match(m->endpoints, m->hosts[i]));
    return (uint64_t)ROUNDS * HOSTS;
}

static uint64_t build(void *ctx)
{
    struct matching *m = ctx;

    endpoints_build(m->endpoints);
    return 1;
}

int main(void)
{
    static struct matching m;

    m.endpoints = endpoints_create();
    for (unsigned i = 0; i < PATTERNS; i++) {
        char room[80];

        endpoints_add(m.endpoints, &(struct endpoint){.pattern = pattern_of(i, room, sizeof room)});
    }
    for (unsigned i = 0; i < HOSTS; i++)
        m.hosts[i] = host_of(i, m.names[i], sizeof m.names[i]);
    endpoints_build(m.endpoints);
    bench_cost(&(struct bench){.name = "endpoints: match over 5,000 patterns",
                               .unit = "ns",
                               .aim = 100,
                               .work = match_all,
                               .ctx = &m});
    bench_cost(&(struct bench){
        .name = "endpoints: build of 5,000 patterns", .unit = "ns", .work = build, .ctx = &m});
    endpoints_destroy(m.endpoints);
    return 0;
}
