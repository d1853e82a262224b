/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scene: a device's traffic, written down for a test of the explainer: knowledge from a text, flows
 * one after the other, and the strip that comes of it.
 */
#pragma once

#include "explain/explainer.h"
#include "obs/stream.h"

struct scene {
    struct knowledge *knowledge;
    struct explainer *explainer;
    struct stream stream;
    struct arena *arena;
    uint64_t now_us;
};

/* Endpoints come with it; `rules` is YAML. Fails the test when the rules have problems. */
void scene_begin(struct scene *s, const char *rules);
void scene_end(struct scene *s);

/* The problems that these rules have, as text. The caller frees it. */
char *scene_problems(const char *rules);

void scene_at(struct scene *s, double seconds); /* what follows happens then */

/* A tunnel: opened, connected, handshake done. It stays open. */
uint64_t scene_tunnel(struct scene *s, const char *host);
void scene_bytes(struct scene *s, uint64_t flow, uint64_t up, uint64_t down); /* totals so far */
void scene_close(struct scene *s, uint64_t flow);
/* A tunnel that is opened, used and closed at once. */
void scene_visit(struct scene *s, const char *host);
/* A plain HTTP request that is answered with 200. */
void scene_get(struct scene *s, const char *url);
/* A tunnel that fails for this reason. */
void scene_fail(struct scene *s, const char *host, enum flow_why why);
/* The same, of a flow to which a rule of the recorder was applied: "block", "block a.test". */
void scene_fail_told(struct scene *s, const char *host, const char *type, const char *rule,
                     enum flow_why why);
/* An answer with this status ends the tunnel before it is one. */
void scene_answer(struct scene *s, const char *host, uint64_t status, enum obs_by by,
                  enum flow_why why);

/* Ends the stream, and the first device's strip. */
struct strip *scene_strip(struct scene *s);

/* The n-th moment (finding) with this id, from 0; NULL when there are fewer. */
const struct strip_moment *strip_moment(const struct strip *strip, const char *id, unsigned n);
const struct strip_finding *strip_finding(const struct strip *strip, const char *id, unsigned n);
