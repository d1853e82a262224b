/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * funnel: the observations of several threads become one stream.
 *
 * Each thread has an inlet, with a stream of its own to put into. What it puts waits there,
 * encoded, until the thread of the funnel's loop fetches it: at most 5 ms later, and over all
 * inlets in the order of time. So the sinks (recording, explainer, terminal) all run in one thread,
 * and none of them ever holds up traffic.
 *
 * An inlet holds a few megabytes. When it is half full its thread should begin nothing new
 * (inlet_is_slow). When it is full, a put waits until there is room, for a second at most; what
 * does not fit even then is lost, counted, and told by one `gap` in the place of the first.
 */
#pragma once

#include "loop/loop.h"
#include "obs/stream.h"

struct funnel;
struct inlet;

/* The stream's sinks are called in the loop's thread. Both live longer than the funnel. */
struct funnel *funnel_create(struct loop *loop, struct stream *stream);
/* Fetches what is left. The threads of the inlets have ended, or put nothing more. NULL is fine. */
void funnel_destroy(struct funnel *f);

/* Before its thread is started; lives as long as the funnel. */
struct inlet *funnel_add_inlet(struct funnel *f);

/* For the inlet's thread. */
struct stream *inlet_stream(struct inlet *i);
bool inlet_is_slow(struct inlet *i);

/* Everything that was put before this call has reached the sinks when it returns. */
void funnel_fetch(struct funnel *f);
