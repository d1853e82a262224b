/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/unit/rehearse/stage.h"

#include "test/unit/unit.h"

static void stop(void *ctx)
{
    loop_stop(ctx);
}

void stage_play(struct stage *s, const struct scenario *scenario,
                void (*put)(void *ctx, const struct obs *o), void *ctx)
{
    struct err err = {{0}};

    clock_init_held(&s->clock, 0);
    assert_int_equal(loop_create(&s->clock, &s->loop, &err), 0);
    stream_init(&s->stream, &s->clock);
    stream_add_sink(&s->stream, put, ctx);
    devices_init(&s->devices);
    stream_use_devices(&s->stream, &s->devices);
    s->watcher = (struct rehearsal_watcher){.ended = stop, .ctx = s->loop};
    if (rehearsal_create(s->loop, &s->stream, &s->devices, scenario, &s->watcher, &s->rehearsal,
                         &err))
        fail_msg("%s", err.text);
    loop_run(s->loop);
    rehearsal_stop(s->rehearsal);
}

void stage_close(struct stage *s)
{
    rehearsal_destroy(s->rehearsal);
    loop_destroy(s->loop);
    devices_finish(&s->devices);
}

struct scenario *stage_scenario(const char *text)
{
    struct scenario *s = NULL;
    struct buf problems;

    buf_init(&problems, BUF_UNBOUNDED);
    if (scenario_load(STR("test.yaml"), str_of(text), NULL, &s, &problems))
        fail_msg(STR_FMT, STR_ARG(buf_str(&problems)));
    buf_finish(&problems);
    return s;
}
