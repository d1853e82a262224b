/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/session.h"

#include "base/log.h"
#include "base/timefmt.h"
#include "base/xalloc.h"
#include "cmd/catch_up.h"
#include "cmd/cmd.h"
#include "cmd/knowledge_files.h"
#include "store/recording.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TROUBLE_EVERY_US = 1000000 };

static void reload_all(struct session *s)
{
    struct err err;

    if (session_reload_knowledge(s, &err) < 0)
        log_warn("%s; the knowledge stays as it was", err.text);
    if (s->reload)
        s->reload(s->reload_ctx);
}

/* Somebody has closed the window: there is nobody left for whom it could go on. */
static bool terminal_is_gone(const struct session *s)
{
    return s->on_terminal && !isatty(STDOUT_FILENO);
}

static void on_signal(void *ctx, int signal)
{
    struct session *s = ctx;

    if (signal == SIGHUP && !terminal_is_gone(s)) {
        reload_all(s);
        return;
    }
    s->was_stopped = true;
    loop_stop(s->loop);
}

static void on_end(void *ctx)
{
    struct session *s = ctx;

    loop_stop(s->loop);
}

/* --- the recording --- */

static void say_trouble(struct session *s, const struct err *err)
{
    live_say(s->live, "%s; traffic goes on, and so does the recording as soon as it can",
             err->text);
}

static void say_recovered(struct session *s, uint64_t lost)
{
    if (lost)
        live_say(s->live, "%s: recording goes on; lost until now and marked as a gap: %" PRIu64,
                 s->path, lost);
    else
        live_say(s->live, "%s: recording goes on, and nothing was lost", s->path);
}

/* A second as it passes for a person. A held clock's minute takes less than that. */
static uint64_t trouble_every_us(const struct session *s)
{
    return s->clock.kind == CLOCK_HELD ? 60 * TROUBLE_EVERY_US
                                       : (uint64_t)(TROUBLE_EVERY_US * s->clock.factor);
}

/* Said once when it begins, and once when it is over. */
static void ask_recorder(void *ctx)
{
    struct session *s = ctx;
    struct err err;
    uint64_t lost = 0;
    bool trouble = recorder_trouble(s->recorder, &lost, &err) < 0;

    if (trouble && !s->in_trouble)
        say_trouble(s, &err);
    else if (!trouble && s->in_trouble)
        say_recovered(s, lost);
    s->in_trouble = trouble;
    loop_set_timer(s->loop, &s->trouble_timer, loop_now_us(s->loop) + trouble_every_us(s));
}

/* Which explainer that is may change. */
static void explain(void *ctx, const struct obs *o)
{
    struct session *s = ctx;

    explainer_put(s->explainer, o);
    if (s->served)
        served_put(s->served, o);
}

/* What a continued recording holds: the explainer and the devices know it before anything new. */
static bool remember(void *ctx, const struct obs *o)
{
    struct session *s = ctx;

    explain(s, o);
    if (o->kind == OBS_DEVICE_SEEN)
        devices_restore(&s->devices, o->device, o->client);
    return true;
}

static int replay(const struct session *s, bool (*put)(void *ctx, const struct obs *o), void *ctx,
                  struct err *err)
{
    struct recording *recording;
    uint64_t damaged = 0;
    int r = recording_open(s->path, &recording, err);

    if (r)
        return r;
    r = recording_replay(recording, 0, put, ctx, &damaged, err);
    if (damaged)
        log_warn("%s: %" PRIu64 " damaged rows were passed over", s->path, damaged);
    recording_close(recording);
    return r;
}

static void resume_clock(struct session *s, const struct recording_state *state)
{
    uint64_t wall_us = clock_wall_us(&s->clock), at_us = 0;

    if (wall_us > state->began_wall_us)
        at_us = wall_us - state->began_wall_us;
    clock_resume(&s->clock, at_us > state->last_us ? at_us : state->last_us, state->began_wall_us);
}

static int open_recording(struct session *s, struct recording_state *ret_state, struct err *err)
{
    s->made_recording = access(s->path, F_OK) < 0;

    int r = recorder_open(s->path, s->clock.began_wall_us, &s->recorder, ret_state, err);

    if (r)
        return r;
    if (ret_state->last_seq) {
        r = replay(s, remember, s, err);
        if (r)
            return r;
        resume_clock(s, ret_state);
    }
    return recording_set_knowledge(s->path, knowledge_digest(s->knowledge), err);
}

/* --- beginning --- */

static int name_devices(struct session *s, const struct texts *names, struct err *err)
{
    for (size_t i = 0; names && i < names->n; i++) {
        int r = devices_name(&s->devices, str_of(names->at[i]), err);

        if (r)
            return r;
    }
    return 0;
}

static int load_knowledge(struct session *s, struct err *err)
{
    const struct texts *f = s->folders;

    return knowledge_load(f ? f->at : NULL, f ? f->n : 0, &s->knowledge, err);
}

static void init_clock(struct session *s, const struct session_options *o)
{
    clock_init_real(&s->clock);
    if (o->held)
        clock_init_held(&s->clock, s->clock.began_wall_us);
    else if (o->speed > 0)
        clock_init_paced(&s->clock, o->speed);
}

/* The sinks, in the order in which each observation reaches them. */
static void connect_sinks(struct session *s, const struct session_options *o)
{
    if (s->recorder)
        stream_add_sink(&s->stream, recorder_put, s->recorder);
    stream_add_sink(&s->stream, explain, s);
    s->live = live_create(s->loop, s->explainer, STDOUT_FILENO, o->traffic);
    stream_add_sink(&s->stream, live_put, s->live);
}

static void set_timers(struct session *s, uint64_t for_us)
{
    s->trouble_timer = (struct loop_timer){.fire = ask_recorder, .ctx = s};
    s->end_timer = (struct loop_timer){.fire = on_end, .ctx = s};
    if (s->recorder)
        loop_set_timer(s->loop, &s->trouble_timer, clock_now_us(&s->clock));
    if (for_us)
        loop_set_timer(s->loop, &s->end_timer, clock_now_us(&s->clock) + for_us);
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void make_served(struct session *s)
{
    s->served = served_create(&(struct served_options){.path = s->path,
                                                       .name = name_of(s->path),
                                                       .kind = "recording",
                                                       .takes_notes = true,
                                                       .knowledge = s->knowledge,
                                                       .explainer = s->explainer});
}

static int open_parts(struct session *s, const struct session_options *o, struct err *err)
{
    struct recording_state state = {0};
    int r = load_knowledge(s, err);

    if (r)
        return r;
    s->explainer = explainer_create(s->knowledge);
    r = name_devices(s, o->names, err);
    if (r)
        return r;
    r = loop_create(&s->clock, &s->loop, err);
    if (r)
        return r;
    r = loop_on_signal(s->loop, on_signal, s, err); /* before the recorder has its thread */
    if (r)
        return r;
    if (o->serves && o->path)
        make_served(s);
    if (o->path) {
        r = open_recording(s, &state, err);
        if (r)
            return r;
    }
    connect_sinks(s, o);
    if (s->served) {
        s->served->about.began_wall_us = s->clock.began_wall_us;
        served_is_live(s->served, &s->clock, s->recorder);
    }
    if (state.last_seq)
        recording_state_resume(&state, &s->stream);
    set_timers(s, o->for_us);
    return 0;
}

int session_open(const struct session_options *options, struct session **ret_session,
                 struct err *err)
{
    struct session *s = xalloc(sizeof *s);
    int r;

    s->path = options->path;
    s->about = options->about;
    s->folders = options->knowledge;
    s->on_terminal = isatty(STDOUT_FILENO);
    init_clock(s, options);
    devices_init(&s->devices);
    stream_init(&s->stream, &s->clock);
    stream_use_devices(&s->stream, &s->devices);
    r = open_parts(s, options, err);
    if (r) {
        session_close(s);
        return r;
    }
    *ret_session = s;
    return 0;
}

/* --- loading anew --- */

void session_on_reload(struct session *s, void (*reload)(void *ctx), void *ctx)
{
    s->reload = reload;
    s->reload_ctx = ctx;
}

static void note_knowledge(const struct session *s)
{
    struct err err;

    if (recording_set_knowledge(s->path, knowledge_digest(s->knowledge), &err) < 0)
        log_warn("%s", err.text);
}

void session_change_knowledge(struct session *s, struct knowledge *knowledge,
                              struct explainer *explainer)
{
    live_change_explainer(s->live, explainer);
    if (s->served)
        served_use(s->served, knowledge, explainer);
    explainer_destroy(s->explainer);
    knowledge_destroy(s->knowledge);
    s->explainer = explainer;
    s->knowledge = knowledge;
    note_knowledge(s);
}

int session_reload_knowledge(struct session *s, struct err *err)
{
    const struct texts *f = s->folders;
    struct knowledge *knowledge;
    int r;

    if (!s->recorder)
        return err_set(err, -ENOENT, "without a recording nothing can be told anew");
    r = knowledge_load_whole(f ? f->at : NULL, f ? f->n : 0, &knowledge, err);
    if (r)
        return r;
    catch_up_destroy(s->catch_up); /* what was under way is out of date */
    s->catch_up = NULL;
    if (knowledge_digest(knowledge) == knowledge_digest(s->knowledge)) {
        knowledge_destroy(knowledge);
        return 0;
    }
    return catch_up_begin(s, knowledge, &s->catch_up, err);
}

/* --- end --- */

static sigset_t signals_of_ours(void)
{
    sigset_t ours;

    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGHUP);
    return ours;
}

/* Whoever presses Ctrl-C again does not want to wait for the end of what follows. */
static void release_signals(void)
{
    sigset_t ours = signals_of_ours();

    pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
}

/* The strip's end is the end of the recording, not the last that moved: so the end is observed. */
static void observe(struct session *s, enum obs_kind kind, const char *text)
{
    stream_put(&s->stream, &(struct obs){.kind = kind,
                                         .source = s->source,
                                         .name = str_of(obs_sources[s->source].name),
                                         .text = str_of(text)});
}

void session_run(struct session *s, enum obs_source source)
{
    s->source = source;
    observe(s, OBS_SOURCE_STARTED, s->about);
    loop_run(s->loop);
}

void session_run_on(struct session *s)
{
    loop_run(s->loop);
}

static int close_recorder(struct session *s)
{
    struct recorder *recorder = s->recorder;
    struct err err;

    s->recorder = NULL;
    if (recorder_close(recorder, &err) < 0) {
        log_error("%s", err.text);
        return EXIT_TROUBLE;
    }
    return EXIT_OK;
}

int session_end(struct session *s)
{
    int status = EXIT_OK;

    release_signals();
    if (s->catch_up)
        log_warn("the recording ends before the new knowledge has explained it: what follows is by "
                 "the old");
    catch_up_destroy(s->catch_up);
    s->catch_up = NULL;
    loop_del_timer(s->loop, &s->trouble_timer);
    loop_del_timer(s->loop, &s->end_timer);
    observe(s, OBS_SOURCE_LOST, NULL);
    explainer_finish(s->explainer);
    if (s->served)
        served_end(s->served);
    if (s->recorder)
        status = close_recorder(s);
    live_end(s->live);
    return status;
}

/* A clock that is held stands still meanwhile. */
void session_serve_on(struct session *s)
{
    sigset_t ours = signals_of_ours();

    pthread_sigmask(SIG_BLOCK, &ours, NULL);
    loop_busy(s->loop, 1);
    loop_run(s->loop);
    loop_busy(s->loop, -1);
    release_signals();
}

void session_abandon(struct session *s)
{
    s->abandoned = true;
}

void session_close(struct session *s)
{
    if (!s)
        return;
    catch_up_destroy(s->catch_up);
    if (s->recorder)
        close_recorder(s);
    if (s->abandoned && s->made_recording)
        unlink(s->path);
    live_destroy(s->live);
    if (s->loop) {
        loop_del_timer(s->loop, &s->trouble_timer);
        loop_del_timer(s->loop, &s->end_timer);
    }
    loop_destroy(s->loop);
    served_destroy(s->served);
    explainer_destroy(s->explainer);
    knowledge_destroy(s->knowledge);
    devices_finish(&s->devices);
    free(s);
}
