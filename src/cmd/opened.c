/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/opened.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "cmd/input.h"
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    FOLLOW_EVERY_US = 250000,
    FOLLOW_AT_ONCE = 20000, /* observations; then everything else has its turn */
    /* What was observed is in the file, and read from it, at most so much later. */
    FOLLOW_LATE_US = 1000000,
    /* A recording whose last time is this near to the clock's is one of real time. */
    FOLLOW_NEAR_US = 5000000,
};

struct opened {
    struct loop *loop;
    char *path;      /* of what was named */
    char *temporary; /* the recording that an import became, until it has no name; or NULL */
    struct file_watch *watch; /* of one that is followed, or NULL */
    struct explainer *explainer;
    struct served *served;
    struct loop_timer timer;
    size_t left; /* of what is read at once */
    bool is_real_time;
    bool is_damaged; /* and that was said */
};

struct served *opened_served(const struct opened *o)
{
    return o->served;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (strcmp(path, "-") == 0)
        return "standard input";
    return slash && slash[1] ? slash + 1 : path;
}

/* --- reading --- */

static bool put(void *ctx, const struct obs *obs)
{
    struct opened *o = ctx;

    if (obs->seq >= RECORDING_NOTE_SEQ)
        return true;
    explainer_put(o->explainer, obs);
    served_put(o->served, obs);
    return --o->left;
}

/* What there is, or the first of it; `left` is 0 when there may be more. */
static int read_on(struct opened *o, size_t most, struct err *err)
{
    struct recording *file;
    uint64_t damaged = 0;
    int r = served_file(o->served, &file, err);

    o->left = most;
    if (r == 0)
        r = recording_replay(file, o->served->seq, put, o, &damaged, err);
    if (damaged && !o->is_damaged)
        log_warn("%s: %" PRIu64 " observation%s damaged and left out", o->path, damaged,
                 damaged == 1 ? " is" : "s are");
    o->is_damaged |= damaged;
    return r;
}

static void end(struct opened *o)
{
    explainer_finish(o->explainer);
    served_end(o->served);
}

/* --- one that grows --- */

/* The clock of who records is not ours to see; but when it runs as ours does, time goes on. */
static void pass_time(struct opened *o, bool has_grown)
{
    uint64_t wall_us = clock_wall_us(loop_clock(o->loop)), last_us = o->served->last_us;
    uint64_t began_us = o->served->about.began_wall_us;
    uint64_t now_us = wall_us > began_us ? wall_us - began_us : 0;

    if (has_grown)
        o->is_real_time = now_us >= last_us && now_us - last_us < FOLLOW_NEAR_US;
    if (o->is_real_time && now_us > FOLLOW_LATE_US)
        served_advance(o->served, now_us - FOLLOW_LATE_US);
}

static void follow(void *ctx)
{
    struct opened *o = ctx;
    bool goes_on = file_watch_is_recorded(o->watch);
    uint64_t seq = o->served->seq;
    struct err err;
    int r = read_on(o, FOLLOW_AT_ONCE, &err);

    if (r < 0 && r != -EBUSY) {
        log_warn("%s; it is not followed any more", err.text);
        goes_on = false;
    } else if (!o->left) {
        loop_set_timer(o->loop, &o->timer, loop_now_us(o->loop));
        return;
    }
    if (!goes_on) {
        log_info("%s has ended", o->path);
        end(o);
        return;
    }
    pass_time(o, o->served->seq > seq);
    loop_set_timer(o->loop, &o->timer, loop_now_us(o->loop) + FOLLOW_EVERY_US);
}

static void begin_to_follow(struct opened *o)
{
    served_is_live(o->served, NULL, NULL);
    pass_time(o, true);
    o->timer = (struct loop_timer){.fire = follow, .ctx = o};
    loop_set_timer(o->loop, &o->timer, loop_now_us(o->loop) + FOLLOW_EVERY_US);
}

/* --- opening --- */

static void serve(struct opened *o, const struct served_options *about)
{
    struct served_options options = *about;

    o->explainer = explainer_create(options.knowledge);
    options.explainer = o->explainer;
    options.name = name_of(o->path);
    o->served = served_create(&options);
}

static int open_recording(struct opened *o, const struct knowledge *knowledge, struct err *err)
{
    struct recording *file;
    int r = file_watch_open(o->path, &o->watch, err);

    if (r < 0)
        return r;
    serve(o,
          &(struct served_options){
              .path = o->path, .kind = "recording", .takes_notes = true, .knowledge = knowledge});
    r = served_file(o->served, &file, err);
    if (r < 0)
        return r;
    o->served->about.began_wall_us = recording_began_wall_us(file);

    bool goes_on = file_watch_is_recorded(o->watch);
    r = read_on(o, SIZE_MAX, err);
    if (r < 0)
        return r;
    if (goes_on)
        begin_to_follow(o);
    else
        end(o);
    return 0;
}

static int make_temporary(struct opened *o, struct err *err)
{
    const char *folder = getenv("TMPDIR");
    struct buf path;
    int fd;

    buf_init(&path, BUF_UNBOUNDED);
    buf_printf(&path, "%s/flightstrip-XXXXXX", folder && *folder ? folder : "/tmp");
    buf_put_byte(&path, '\0');
    fd = mkostemp(path.p, O_CLOEXEC);
    if (fd < 0) {
        int r = err_set(err, -errno, "%s: cannot be made: %s", path.p, strerror(errno));

        buf_finish(&path);
        return r;
    }
    close(fd);
    o->temporary = path.p;
    return 0;
}

static int record_import(struct opened *o, struct input *in, struct err *err)
{
    struct recording_state state;
    struct recorder *recorder;
    int r = recorder_open(o->temporary, input_began_wall_us(in), &recorder, &state, err), closed;

    if (r < 0)
        return r;
    r = input_replay(in, recorder_put, recorder, err);
    closed = recorder_close(recorder, r < 0 ? NULL : err);
    return r < 0 ? r : closed;
}

/* Once it is open it needs no name, and with that it is gone whatever becomes of us. */
static int serve_import(struct opened *o, struct input *in, const struct knowledge *knowledge,
                        struct err *err)
{
    struct recording *file;
    int r = record_import(o, in, err);

    if (r < 0)
        return r;
    serve(o, &(struct served_options){.path = o->temporary,
                                      .kind = input_kind(in),
                                      .began_wall_us = input_began_wall_us(in),
                                      .knowledge = knowledge});
    r = read_on(o, SIZE_MAX, err);
    if (r < 0)
        return r;
    end(o);
    return served_file(o->served, &file, err);
}

static int open_import(struct opened *o, const struct knowledge *knowledge, struct err *err)
{
    struct input *in;
    int r = input_open(o->path, &in, err);

    if (r < 0)
        return r;
    r = make_temporary(o, err);
    if (r == 0)
        r = serve_import(o, in, knowledge, err);
    if (o->temporary)
        unlink(o->temporary);
    input_close(in);
    return r;
}

int opened_open(struct loop *loop, const char *path, const struct knowledge *knowledge,
                struct opened **ret_opened, struct err *err)
{
    struct opened *o = xalloc(sizeof *o);
    int r;

    o->loop = loop;
    o->path = xstrdup(path);
    r = recording_is(path) ? open_recording(o, knowledge, err) : open_import(o, knowledge, err);
    if (r < 0) {
        opened_close(o);
        return r;
    }
    *ret_opened = o;
    return 0;
}

void opened_close(struct opened *o)
{
    if (!o)
        return;
    loop_del_timer(o->loop, &o->timer);
    served_destroy(o->served);
    explainer_destroy(o->explainer);
    file_watch_close(o->watch);
    free(o->temporary);
    free(o->path);
    free(o);
}
