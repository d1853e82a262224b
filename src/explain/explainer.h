/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * explainer: the fold. state × observation → state, for each device; no socket, file or clock.
 *
 * The same observations in the same order give the same strips, in whatever portions they come and
 * whenever somebody looks: what waits for time to pass (a silence, an end of traffic) happens at
 * its own time, before the observation that shows that the time has passed.
 *
 * Memory: constant for each open flow, and bounded for each device (ceilings in explainer.c).
 */
#pragma once

#include "explain/failure.h"
#include "explain/knowledge.h"
#include "explain/strip.h"
#include "obs/obs.h"

struct explainer;

/* The knowledge stays the caller's, and has to outlive the explainer. */
struct explainer *explainer_create(const struct knowledge *knowledge);
void explainer_destroy(struct explainer *ex);

void explainer_put(void *explainer, const struct obs *o); /* a sink for stream_add_sink */

/* Nothing was seen until at_us: what waits for that happens. For live views; changes no result. */
void explainer_advance(struct explainer *ex, uint64_t at_us);

/* The stream has ended: the summary is written. Nothing may be put after it. */
void explainer_finish(struct explainer *ex);

/*
 * Called when a moment or finding is new, or its text changed (`again`), and when a flow turns out
 * to have failed: while its flow-closed is put. Each may be NULL.
 */
struct explainer_listener {
    void (*moment)(void *ctx, uint32_t device, const struct strip_moment *m, bool again);
    void (*finding)(void *ctx, uint32_t device, const struct strip_finding *f, bool again);
    void (*failed)(void *ctx, uint64_t flow, enum flow_failure failure);
    void *ctx;
};
enum { EXPLAINER_LISTENERS_MAX = 4 };
/* One more that listens, from here on. */
void explainer_listen(struct explainer *ex, const struct explainer_listener *listener);

size_t explainer_device_count(const struct explainer *ex);
/*
 * The i-th device's strip as it is now. It lives in the arena; titles of rules and words of notes
 * are borrowed, so it must not outlive the explainer and its knowledge.
 */
struct strip *explainer_strip(const struct explainer *ex, size_t i, struct arena *arena);
/* The same for a device by its number; NULL when it is not explained. */
struct strip *explainer_strip_of(const struct explainer *ex, uint32_t device, struct arena *arena);
