/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/catch_up.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "explain/knowledge.h"
#include "store/recording.h"

#include <stdlib.h>

enum { PORTION = 10000 }; /* observations, some ten milliseconds */

struct catch_up {
    struct session *session;
    struct knowledge *knowledge;
    struct explainer *explainer;
    struct recording *recording;
    uint64_t after_seq; /* that of the last observation that was explained */
    size_t left;        /* of the portion */
    struct loop_timer turn;
};

/* A portion ends with an observation, never with a note: so no note is met twice (recording.h). */
static bool put(void *ctx, const struct obs *o)
{
    struct catch_up *c = ctx;

    explainer_put(c->explainer, o);
    if (o->seq >= RECORDING_NOTE_SEQ)
        return true;
    c->after_seq = o->seq;
    return --c->left;
}

static int explain(struct catch_up *c, size_t most, struct err *err)
{
    uint64_t damaged = 0;

    c->left = most;
    return recording_replay(c->recording, c->after_seq, put, c, &damaged, err);
}

/* Nothing is observed meanwhile, as this is the thread that does. */
static int become_level(struct catch_up *c, struct err *err)
{
    int r = recorder_flush(c->session->recorder, err);

    return r < 0 ? r : explain(c, SIZE_MAX, err);
}

static void finish(struct catch_up *c)
{
    struct session *s = c->session;

    session_change_knowledge(s, c->knowledge, c->explainer);
    c->knowledge = NULL;
    c->explainer = NULL;
    log_info("the knowledge is loaded anew");
}

static void take_turn(void *ctx)
{
    struct catch_up *c = ctx;
    struct session *s = c->session;
    struct err err;
    int r = explain(c, PORTION, &err);

    if (r == 0 && !c->left) {
        loop_set_timer(s->loop, &c->turn, loop_now_us(s->loop));
        return;
    }
    if (r == 0)
        r = become_level(c, &err);
    if (r == 0)
        finish(c);
    else
        log_warn("%s; the knowledge stays as it was", err.text);
    s->catch_up = NULL;
    catch_up_destroy(c);
}

int catch_up_begin(struct session *s, struct knowledge *knowledge, struct catch_up **ret_catch_up,
                   struct err *err)
{
    struct catch_up *c = xalloc(sizeof *c);
    int r;

    *c = (struct catch_up){
        .session = s, .knowledge = knowledge, .explainer = explainer_create(knowledge)};
    c->turn = (struct loop_timer){.fire = take_turn, .ctx = c};
    r = recording_open(s->path, &c->recording, err);
    if (r < 0) {
        catch_up_destroy(c);
        return r;
    }
    loop_set_timer(s->loop, &c->turn, loop_now_us(s->loop));
    *ret_catch_up = c;
    return 0;
}

void catch_up_destroy(struct catch_up *c)
{
    if (!c)
        return;
    loop_del_timer(c->session->loop, &c->turn);
    recording_close(c->recording);
    explainer_destroy(c->explainer);
    knowledge_destroy(c->knowledge);
    free(c);
}
