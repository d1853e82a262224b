/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * worker: a loop and the clients that it serves: accepting them, having room for them, and ending.
 *
 * When there is no room for another client, the one that has been without a request for the longest
 * time has to go; so connections that nobody uses lock nobody out. When there is none such, those
 * who knock wait in the kernel's queue. They wait too when there are no descriptors, and while what
 * was observed is not recorded fast enough.
 */
#pragma once

#include "sources/proxy/private.h"

/* The loop and the stream are the caller's, or, when `funnel` is there, made for its own thread. */
int worker_create(struct proxy *p, size_t number, struct stream *stream, const char *name_server,
                  struct worker **ret_worker, struct err *err);
int worker_start(struct worker *w, struct err *err); /* its thread; without one it runs already */

/* In the worker's thread. */
void worker_add(struct worker *w, struct client *c);
void worker_is_busy(struct worker *w, struct client *c); /* a request is under way */
void worker_is_idle(struct worker *w, struct client *c); /* or not any more */
void worker_remove(struct worker *w, struct client *c);

/* From the thread of the proxy's loop. */
void worker_set_rules(struct worker *w, struct rules *rules);
void worker_set_credentials(struct worker *w, struct credentials *credentials);
void worker_drain(struct worker *w);
/* Ends its flows and its thread. Afterwards its memory can be read, and nothing happens in it. */
void worker_stop(struct worker *w);
void worker_destroy(struct worker *w); /* NULL is fine */
