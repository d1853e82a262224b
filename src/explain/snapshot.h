/* SPDX-License-Identifier: GPL-3.0-or-later */
/* snapshot: the explainer's state as a strip. Reads the state and changes nothing of it. */
#pragma once

#include "explain/device.h"

enum { COVERAGE_MAX = 512, NOTES_MAX = 2000 };

struct source_coverage {
    enum obs_source source;
    uint64_t start_us, end_us;
    bool open; /* it still watches: end_us is not known */
    bool gap;
};

struct note {
    uint64_t at_us, seq;
    uint32_t device; /* 0: of the recording, so on every strip */
    struct str text;
};

struct explainer {
    const struct rules *rules;
    struct arena *arena;
    struct device **devices;
    size_t device_count;
    struct map by_id;
    struct str_map hosts;
    size_t hosts_swept_at; /* the number at which idle hosts are forgotten next */
    size_t gapped_count;   /* the first devices, that were there when there was a gap */
    uint64_t put_us;       /* of the last observation */
    uint64_t now_us;
    bool ended;
    size_t coverage_count, note_count;
    struct source_coverage coverage[COVERAGE_MAX];
    struct note notes[NOTES_MAX];
    struct explainer_listener listeners[EXPLAINER_LISTENERS_MAX];
    size_t listener_count;
};

struct strip_moment snapshot_moment(const struct device *d, const struct moment *m,
                                    struct arena *arena);
struct strip_finding snapshot_finding(const struct device *d, const struct moment *m,
                                      struct arena *arena);
struct strip *snapshot_strip(const struct explainer *ex, const struct device *d,
                             struct arena *arena);
