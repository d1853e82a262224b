/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * session: what stands around a source that is recorded live: clock, loop, the stream with its
 * sinks (the recording, the explainer, the view in the terminal), and an end that is orderly
 * whoever asks for it.
 *
 *     session_open(&options, &session, &err);
 *     proxy_create(session->loop, &session->stream, &session->devices, …);
 *     session_run(session, SOURCE_PROXY);
 *     proxy_stop(…);
 *     status = session_end(session);
 *     proxy_destroy(…);
 *     session_close(session);
 */
#pragma once

#include "cmd/options.h"
#include "explain/explainer.h"
#include "loop/loop.h"
#include "obs/devices.h"
#include "obs/stream.h"
#include "report/live.h"
#include "serve/served.h"

struct catch_up;

struct session_options {
    const char *path;              /* of the recording; NULL: none is kept */
    const struct texts *names;     /* NAME=ADDRESS each; may be NULL */
    const struct texts *knowledge; /* folders, for as long as the session; may be NULL */
    bool traffic;                  /* every flow is shown */
    uint64_t for_us;               /* it ends by itself after this time of the clock; 0: not */
    double speed;                  /* a paced clock so much faster than time; 0: as time does */
    bool held;                     /* the clock is held: it moves when nothing else does */
    const char *about;             /* kept with the recording: what it is of. NULL: not said */
    bool serves;                   /* it is shown on the page: `served` is there */
};

struct session {
    struct clock clock;
    struct loop *loop;
    struct stream stream;
    struct devices devices;
    struct knowledge *knowledge;
    struct explainer *explainer;
    struct live *live;
    struct served *served; /* NULL: not shown */
    bool was_stopped;      /* by a signal */
    bool on_terminal;
    const struct texts *folders; /* of knowledge; may be NULL */
    void (*reload)(void *ctx);   /* NULL: nothing but the knowledge */
    void *reload_ctx;
    enum obs_source source;
    const char *about;

    struct catch_up *catch_up; /* by new knowledge, while that is under way */
    struct recorder *recorder;
    const char *path;
    bool made_recording; /* there was none at the path before */
    bool abandoned;
    bool in_trouble; /* the recorder was, when last asked */
    struct loop_timer trouble_timer, end_timer;
};

/*
 * A recording that is there already is continued. SIGINT and SIGTERM end session_run from here on,
 * and so does SIGHUP when the terminal is gone; a second one, when that is over, ends the program
 * as it would any other. Any other SIGHUP loads anew what can change: the knowledge, and what
 * session_on_reload names.
 */
int session_open(const struct session_options *options, struct session **ret_session,
                 struct err *err);

/* Is called after the knowledge was loaded anew, between two rounds of the loop. */
void session_on_reload(struct session *s, void (*reload)(void *ctx), void *ctx);

/*
 * Explains by what the knowledge's folders hold now, from the beginning of the recording on, and
 * goes on so; moments that are new by it are printed. It takes its time, between whatever else the
 * loop does (catch_up.h); when nothing has changed there is nothing to do. When there is a mistake
 * in them it is said where, and nothing changes; nor does it without a recording, from which it
 * could be told anew.
 */
int session_reload_knowledge(struct session *s, struct err *err);
/* Takes both, in the place of those that there are. */
void session_change_knowledge(struct session *s, struct knowledge *knowledge,
                              struct explainer *explainer);

/*
 * Observes that the source watches, and runs the loop until the time is over, a signal comes, or
 * somebody calls loop_stop.
 */
void session_run(struct session *s, enum obs_source source);
/* Goes on for the source's orderly end, until the next signal or loop_stop. */
void session_run_on(struct session *s);

/*
 * The source has stopped, which is observed: finishes the explainer, prints the summary, closes the
 * recording. Returns the exit status; what went wrong is logged.
 */
int session_end(struct session *s);

/* The recording is written; what is shown of it goes on being shown, until a signal comes. */
void session_serve_on(struct session *s);

/* What was to be watched cannot be: a recording that was made for it goes too when it is closed. */
void session_abandon(struct session *s);

/* Also after a failure, or without session_end. NULL is fine. */
void session_close(struct session *s);
