/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stream: the one stream of observations. Sources put them in, sinks get each in order: the
 * recording, the explainer, live subscribers.
 *
 * The stream gives the seq, and the time when the source gives none. Times never go backwards in a
 * stream: an observation that claims an earlier time than the last gets the last one's.
 */
#pragma once

#include "base/clock.h"
#include "obs/obs.h"

enum { STREAM_SINKS_MAX = 8 };

struct sink {
    void (*put)(void *ctx, const struct obs *o);
    void *ctx;
};

struct stream {
    const struct clock *clock; /* NULL: every observation brings its own time */
    uint64_t last_seq, last_flow, last_us;
    unsigned sink_count;
    struct sink sinks[STREAM_SINKS_MAX];
};

void stream_init(struct stream *s, const struct clock *clock);
void stream_add_sink(struct stream *s, void (*put)(void *ctx, const struct obs *o), void *ctx);
/* Numbers go on after these: for a recording that is continued. */
void stream_resume(struct stream *s, uint64_t last_seq, uint64_t last_flow, uint64_t last_us);

/* An at_us of 0 becomes the clock's time. Returns the seq it got. */
uint64_t stream_put(struct stream *s, const struct obs *o);
uint64_t stream_next_flow(struct stream *s);
