/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stream: the one stream of observations. Sources put them in, sinks get each in order: the
 * recording, the explainer, live subscribers.
 *
 * The stream gives the seq, and the time when the source gives none. Times never go backwards in a
 * stream: an observation that claims an earlier time than the last gets the last one's.
 *
 * One thread puts. A stream that has devices says device-seen of each before the first observation
 * of it, from the same source and at the same time.
 */
#pragma once

#include "base/clock.h"
#include "obs/obs.h"

enum { STREAM_SINKS_MAX = 8 };

struct devices;

struct sink {
    void (*put)(void *ctx, const struct obs *o);
    void *ctx;
};

struct stream {
    const struct clock *clock; /* NULL: every observation brings its own time */
    struct devices *devices;   /* NULL: whoever puts says device-seen itself */
    uint64_t last_seq, last_us;
    _Atomic uint64_t last_flow;
    struct stream *flows_of; /* whose flows are numbered together with ours; NULL: our own alone */
    unsigned sink_count;
    struct sink sinks[STREAM_SINKS_MAX];
};

void stream_init(struct stream *s, const struct clock *clock);
void stream_add_sink(struct stream *s, void (*put)(void *ctx, const struct obs *o), void *ctx);
void stream_use_devices(struct stream *s, struct devices *devices);
/* Numbers go on after these: for a recording that is continued. */
void stream_resume(struct stream *s, uint64_t last_seq, uint64_t last_flow, uint64_t last_us);

/* An at_us of 0 becomes the clock's time. Returns the seq it got. */
uint64_t stream_put(struct stream *s, const struct obs *o);
/* Says device-seen of o->device unless it was said, and nothing else. */
void stream_announce(struct stream *s, const struct obs *o);
uint64_t stream_next_flow(struct stream *s);
/*
 * The flows of both are numbered together, by `with`, from here on. It is the one part of a stream
 * that several threads may use at the same time.
 */
void stream_share_flows(struct stream *s, struct stream *with);
