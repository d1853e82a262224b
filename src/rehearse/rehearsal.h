/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rehearsal: a scenario acted out on this machine: a simulated internet and a simulated device, and
 * between them the real proxy, whose observations go to the stream as always.
 *
 * A flow that the device needs holds the scenario up until it has succeeded; when it fails for the
 * last time, the device is stuck and the rest does not happen. What a scenario adds to the one it
 * is based on happens anyway: that is what a stuck device does.
 */
#pragma once

#include "obs/devices.h"
#include "obs/stream.h"
#include "rehearse/internet.h"
#include "rehearse/scenario.h"

struct rehearsal;

struct rehearsal_watcher {
    void (*ended)(void *ctx); /* the scenario's end has come */
    void (*screen)(void *ctx,
                   struct str says); /* what the device's screen shows now; may be NULL */
    void *ctx;
};

/*
 * Begins at the loop's time 0, so the loop must not have run for long. Scenario, stream, devices
 * and watcher stay the caller's.
 */
int rehearsal_create(struct loop *loop, struct stream *stream, struct devices *devices,
                     const struct scenario *scenario, const struct rehearsal_watcher *watcher,
                     struct rehearsal **ret_rehearsal, struct err *err);

/* Stops the proxy: what is open then is closed and observed so. The stream gets nothing after. */
void rehearsal_stop(struct rehearsal *r);
void rehearsal_destroy(struct rehearsal *r);

/* For those who want to know whether the proxy told the truth. */
const struct internet *rehearsal_internet(const struct rehearsal *r);
bool rehearsal_stuck(const struct rehearsal *r);
