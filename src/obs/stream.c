/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "obs/stream.h"

#include "obs/devices.h"

#include <assert.h>
#include <stdatomic.h>

void stream_init(struct stream *s, const struct clock *clock)
{
    *s = (struct stream){.clock = clock};
}

void stream_use_devices(struct stream *s, struct devices *devices)
{
    s->devices = devices;
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

static uint64_t time_of(const struct stream *s, uint64_t at_us)
{
    if (!at_us && s->clock)
        at_us = clock_now_us(s->clock);
    return at_us < s->last_us ? s->last_us : at_us;
}

static uint64_t hand_out(struct stream *s, const struct obs *o)
{
    struct obs stamped = *o;

    stamped.seq = ++s->last_seq;
    stamped.at_us = s->last_us;
    for (unsigned i = 0; i < s->sink_count; i++)
        s->sinks[i].put(s->sinks[i].ctx, &stamped);
    return stamped.seq;
}

/* At the time that the stream has come to. */
static void announce(struct stream *s, const struct obs *o)
{
    struct str key, name;

    if (s->devices && devices_announce(s->devices, o->device, &key, &name))
        hand_out(s, &(struct obs){.kind = OBS_DEVICE_SEEN,
                                  .source = o->source,
                                  .device = o->device,
                                  .client = key,
                                  .name = name});
}

void stream_announce(struct stream *s, const struct obs *o)
{
    s->last_us = time_of(s, o->at_us);
    announce(s, o);
}

uint64_t stream_put(struct stream *s, const struct obs *o)
{
    s->last_us = time_of(s, o->at_us);
    announce(s, o);
    return hand_out(s, o);
}

uint64_t stream_next_flow(struct stream *s)
{
    struct stream *numbers = s->flows_of ? s->flows_of : s;

    return atomic_fetch_add_explicit(&numbers->last_flow, 1, memory_order_relaxed) + 1;
}

void stream_share_flows(struct stream *s, struct stream *with)
{
    s->flows_of = with;
}
