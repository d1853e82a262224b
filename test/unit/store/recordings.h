/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recordings as the tests make and read them; whatever fails fails the test. */
#pragma once

#include "base/buf.h"
#include "store/notes.h"
#include "test/unit/unit.h"

#include <stdio.h>

enum {
    BEGAN_US = 1700000000,
    PATIENCE_MS = 24 * 3600 * 1000, /* so that nothing depends on how busy this machine is */
};

static inline struct recorder *record(const char *path, struct recording_state *ret_state)
{
    struct recorder *r = NULL;
    struct err err = {0};

    if (recorder_open(path, BEGAN_US, &r, ret_state, &err) < 0)
        fail_msg("%s", err.text);
    recorder_set_patience(r, PATIENCE_MS);
    return r;
}

static inline void stop(struct recorder *r)
{
    struct err err = {0};

    if (recorder_close(r, &err) < 0)
        fail_msg("%s", err.text);
}

static inline void put_progress(struct recorder *r, uint64_t seq)
{
    recorder_put(r, &(struct obs){.seq = seq,
                                  .at_us = seq * 1000,
                                  .kind = OBS_FLOW_PROGRESS,
                                  .source = SOURCE_PROXY,
                                  .flow = 7,
                                  .bytes_up = seq});
}

/* A recording of observations 1 to n. */
static inline void record_some(const char *path, uint64_t n)
{
    struct recording_state state;
    struct recorder *r = record(path, &state);

    for (uint64_t seq = 1; seq <= n; seq++)
        put_progress(r, seq);
    stop(r);
}

/* What a replay handed out, in short. */
struct seen {
    uint64_t count, last_seq, last_us, sum, damaged;
    uint64_t stop_after; /* 0: never */
    struct buf text;     /* one line each, when init'ed */
};

static inline bool see(void *ctx, const struct obs *o)
{
    struct seen *s = ctx;

    assert_true(o->at_us >= s->last_us);
    s->count++;
    s->last_seq = o->seq;
    s->last_us = o->at_us;
    s->sum += o->bytes_up;
    if (s->text.max)
        buf_printf(&s->text, "%s%llu " STR_FMT "\n", obs_kinds[o->kind].name,
                   (unsigned long long)o->at_us, STR_ARG(o->text));
    return s->count != s->stop_after;
}

static inline struct recording *open_to_read(const char *path)
{
    struct recording *r = NULL;
    struct err err = {0};

    if (recording_open(path, &r, &err) < 0)
        fail_msg("%s", err.text);
    return r;
}

static inline void replay(struct recording *r, uint64_t after, struct seen *s)
{
    struct err err = {0};

    s->last_us = 0;
    if (recording_replay(r, after, see, s, &s->damaged, &err) < 0)
        fail_msg("%s", err.text);
}

static inline struct seen replay_file(const char *path)
{
    struct recording *r = open_to_read(path);
    struct seen s = {0};

    replay(r, 0, &s);
    recording_close(r);
    return s;
}
