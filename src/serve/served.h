/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * served: a recording as the web server shows it: what its observations add up to (flows, strips,
 * which devices changed when), and its file, for what is looked up there.
 *
 * It is put every observation of the recording, in order, after the explainer: from the file, or
 * while they are recorded. What it shows is the same either way. All in one thread.
 */
#pragma once

#include "base/map.h"
#include "explain/explainer.h"
#include "serve/flow_table.h"
#include "store/notes.h"
#include "store/recording.h"

struct served_options {
    const char *path; /* of its file; borrowed, for as long as it is served */
    const char *name; /* for people */
    const char *kind; /* "recording", "Squid access log", … */
    uint64_t began_wall_us;
    bool takes_notes;
    const struct knowledge *knowledge; /* both stay the caller's, and outlive it */
    struct explainer *explainer;
};

/* A device, in the list by its last change. */
struct served_device {
    uint32_t id;
    uint64_t version; /* of its last change: one more than the last of any device */
    struct served_device *older, *newer;
};

/* For reading alone. */
struct served {
    struct served_options about;
    struct explainer *explainer;
    struct flow_table *flows;
    struct map devices;
    struct served_device *oldest, *newest;
    uint64_t device_version; /* of the newest */
    uint64_t seq;            /* of the last observation; notes are not counted */
    uint64_t last_us;
    bool live;           /* something may still be put */
    unsigned generation; /* one more each time all is to be asked for anew */
    uint64_t notes_digest;
    unsigned notes_version; /* one more each time they have changed */

    const struct clock *clock; /* says now while it is live; NULL: served_advance does */
    struct recorder *recorder; /* what was put is in the file when this has committed it, or NULL */
    struct recording *recording; /* open, or NULL: served_file opens it */
    int copy_fd;                 /* of the file, as somebody was given it; -1: nobody was */
    unsigned copied_notes;       /* the version that it has */
};

struct served *served_create(const struct served_options *options);
void served_destroy(struct served *s); /* NULL is fine */

void served_put(void *served, const struct obs *o);
/* It goes on: time passes as this clock says, and what is put gets to the file by this recorder.
 * Either may be NULL. */
void served_is_live(struct served *s, const struct clock *clock, struct recorder *recorder);
/* Nothing was observed until then. */
void served_advance(struct served *s, uint64_t now_us);
/* Nothing more is put. */
void served_end(struct served *s);

/* Other knowledge, and its explainer, that was put the same. */
void served_use(struct served *s, const struct knowledge *knowledge, struct explainer *explainer);

uint64_t served_now_us(const struct served *s);
/* Lets the explainer know how far time has passed: before strips, or changes, are looked at. */
void served_catch_up(struct served *s);
/* A device's strip, without notes; NULL when there is no such device. In the arena. */
struct strip *served_strip(const struct served *s, uint32_t device, struct arena *arena);
/* The first device that changed after this version, or NULL. */
const struct served_device *served_changed(const struct served *s, uint64_t version);

/* The file, opened for reading; it stays ours. Whoever is to close the recording has it let go. */
int served_file(struct served *s, struct recording **ret_recording, struct err *err);
void served_let_go(struct served *s);
/* All of the file as it is, which is not live; the descriptor is the caller's. */
int served_copy(struct served *s, int *ret_fd, struct err *err);
/* Whether an observation that was put can be found in the file, or cannot be for a longer time. */
bool served_is_stored(const struct served *s, uint64_t seq);
/* Looks whether somebody, anybody, has changed the notes. */
void served_look_for_notes(struct served *s);
