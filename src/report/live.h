/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * live: the strip while it grows, in a terminal or a pipe.
 *
 * Moments and findings are printed as the explainer makes them, each with its own time, which may
 * be earlier than that of the line above it. On a terminal one line of traffic stands beneath and
 * is written over. When nobody reads any more (a closed pipe) it falls silent: what it shows is not
 * worth stopping a recording for.
 *
 *     live = live_create(loop, explainer, STDOUT_FILENO, show_traffic);
 *     stream_add_sink(&stream, explainer_put, explainer);
 *     stream_add_sink(&stream, live_put, live);         after the explainer
 *     loop_run(loop);
 *     explainer_finish(explainer);
 *     live_end(live);
 *     live_destroy(live);
 */
#pragma once

#include "explain/explainer.h"
#include "loop/loop.h"

struct live;

/*
 * Listens to the explainer, and advances it as time passes, unless the loop's clock is held. Both
 * stay the caller's and outlive it. traffic: every flow is shown as it opens and closes.
 */
struct live *live_create(struct loop *loop, struct explainer *explainer, int fd, bool traffic);
void live_put(void *live, const struct obs *o); /* a sink for stream_add_sink */

/*
 * Shows what this explainer makes of the stream from here on; it was put all that the other was,
 * which is not used any more. What it has found and the other had not is printed now.
 */
void live_change_explainer(struct live *l, struct explainer *explainer);

/* A line of the program's own among the others. */
void live_say(struct live *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The stream has ended and explainer_finish was called: prints the rest of each device's report. */
void live_end(struct live *l);
void live_destroy(struct live *l); /* NULL is fine */
