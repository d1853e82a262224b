/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * events: what changes in recordings, told to those who listen (docs/api.md, "Live").
 *
 * A listener is a place in the recording up to which it knows everything; nothing is kept for it.
 * Ten times a second of real time, and when a listener has taken what it was told, it is told what
 * has changed after that place, each row once. What was written for one listener serves all who
 * stand at the same place. While nobody listens, nothing is done.
 */
#pragma once

#include "serve/served.h"
#include "serve/web.h"

struct events;

int events_create(struct loop *loop, struct web *web, struct events **ret_events, struct err *err);
void events_destroy(struct events *e); /* NULL is fine. Whoever listened has left */

/* A stream for somebody who knows everything up to `after`. */
struct web_stream events_listen(struct events *e, struct served *s, uint64_t after);
/*
 * As if somebody listened: streams that wait for something else than an event are asked again ten
 * times a second too. As often released as held.
 */
void events_hold(struct events *e);
void events_release(struct events *e);
/* Something has changed that should not wait. */
void events_tell(struct events *e);
