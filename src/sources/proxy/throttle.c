/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/throttle.h"

#include "base/xalloc.h"

#include <stdlib.h>

/* What moves at once is what may move in this time, so a slow flow is slow evenly. */
#define PORTION_US UINT64_C(50000)

struct throttle {
    struct loop *loop;
    uint64_t bytes_a_second;
    uint64_t free_us[WAYS]; /* when what has moved will have been paid for */
    bool waits[WAYS];
    struct loop_timer again;
    void (*fire)(void *ctx);
    void *ctx;
};

static void time_has_come(void *ctx)
{
    struct throttle *t = ctx;

    t->waits[WAY_UP] = t->waits[WAY_DOWN] = false;
    t->fire(t->ctx);
}

struct throttle *throttle_create(struct loop *loop, uint64_t bytes_a_second,
                                 void (*fire)(void *ctx), void *ctx)
{
    struct throttle *t = xalloc(sizeof *t);

    *t =
        (struct throttle){.loop = loop, .bytes_a_second = bytes_a_second, .fire = fire, .ctx = ctx};
    t->again = (struct loop_timer){.fire = time_has_come, .ctx = t};
    return t;
}

void throttle_destroy(struct throttle *t)
{
    if (!t)
        return;
    loop_del_timer(t->loop, &t->again);
    free(t);
}

static void call_later(struct throttle *t, uint64_t at_us)
{
    if (!t->again.slot || at_us < t->again.at_us)
        loop_set_timer(t->loop, &t->again, at_us);
}

size_t throttle_allows(struct throttle *t, enum way way, size_t n)
{
    uint64_t portion;

    if (!t)
        return n;
    if (t->free_us[way] > loop_now_us(t->loop)) {
        t->waits[way] = true;
        call_later(t, t->free_us[way]);
        return 0;
    }
    portion = t->bytes_a_second * PORTION_US / 1000000;
    portion = portion ? portion : 1;
    return portion < n ? (size_t)portion : n;
}

bool throttle_waits(const struct throttle *t, enum way way)
{
    return t && t->waits[way];
}

void throttle_moved(struct throttle *t, enum way way, size_t n)
{
    uint64_t now_us;

    if (!t)
        return;
    now_us = loop_now_us(t->loop);
    if (t->free_us[way] < now_us)
        t->free_us[way] = now_us;
    t->free_us[way] += n * UINT64_C(1000000) / t->bytes_a_second;
}
