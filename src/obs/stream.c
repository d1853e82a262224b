/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "obs/stream.h"

#include <assert.h>

void stream_init(struct stream *s, const struct clock *clock)
{
    *s = (struct stream){.clock = clock};
}

void stream_add_sink(struct stream *s, void (*put)(void *ctx, const struct obs *o), void *ctx)
{
    assert(s->sink_count < STREAM_SINKS_MAX);
    s->sinks[s->sink_count++] = (struct sink){put, ctx};
}

void stream_resume(struct stream *s, uint64_t last_seq, uint64_t last_flow, uint64_t last_us)
{
    s->last_seq = last_seq;
    s->last_flow = last_flow;
    s->last_us = last_us;
}

uint64_t stream_put(struct stream *s, const struct obs *o)
{
    struct obs stamped = *o;

    stamped.seq = ++s->last_seq;
    if (!stamped.at_us && s->clock)
        stamped.at_us = clock_now_us(s->clock);
    if (stamped.at_us < s->last_us)
        stamped.at_us = s->last_us;
    s->last_us = stamped.at_us;
    for (unsigned i = 0; i < s->sink_count; i++)
        s->sinks[i].put(s->sinks[i].ctx, &stamped);
    return stamped.seq;
}

uint64_t stream_next_flow(struct stream *s)
{
    return ++s->last_flow;
}
