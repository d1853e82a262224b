/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flightstrip note: a person's words, at their time in a recording. */
#include "cmd/cmd_list.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "store/lock.h"
#include "store/notes.h"

#include <errno.h>

struct note_options {
    const char *at;
};

static const struct opt options_table[] = {
    {OPT_TEXT, 'a', "at", "TIME",
     "When it was: on the strip (02:16, 1:02:16, 90s) or in the world (2026-11-23T18:39:00Z).",
     offsetof(struct note_options, at), NULL},
    {0},
};

/* A time on the strip, or in the world. */
static int read_time(const char *text, uint64_t began_wall_us, uint64_t *ret_at_us, struct err *err)
{
    uint64_t wall_us;

    if (strip_time_parse(str_of(text), ret_at_us))
        return 0;
    if (!rfc3339_parse(str_of(text), &wall_us))
        return err_set(err, -EINVAL,
                       "--at: '%s' is neither a time on the strip, such as 02:16, nor one in the "
                       "world, such as 2026-11-23T18:39:00Z",
                       text);
    if (wall_us < began_wall_us)
        return err_set(err, -EINVAL, "--at: %s is before the recording began", text);
    *ret_at_us = wall_us - began_wall_us;
    return 0;
}

static bool keep_time(void *ctx, const struct obs *o)
{
    uint64_t *last_us = ctx;

    if (o->at_us > *last_us)
        *last_us = o->at_us;
    return true;
}

static bool is_being_recorded(const char *path)
{
    struct file_lock *lock = NULL;
    bool taken = file_lock_take(path, &lock, NULL) == -EBUSY;

    file_lock_release(lock);
    return taken;
}

/* Now, while it is being recorded; else where it ends. */
static int usual_time(const char *path, struct recording *recording, uint64_t *ret_at_us,
                      struct err *err)
{
    struct clock clock;
    uint64_t began_wall_us = recording_began_wall_us(recording), damaged;

    *ret_at_us = 0;
    if (!is_being_recorded(path))
        return recording_replay(recording, 0, keep_time, ret_at_us, &damaged, err);
    clock_init_real(&clock);
    if (clock.began_wall_us > began_wall_us)
        *ret_at_us = clock.began_wall_us - began_wall_us;
    return 0;
}

static int find_time(const char *path, const char *at, uint64_t *ret_at_us, struct err *err)
{
    struct recording *recording;
    int r = recording_open(path, &recording, err);

    if (r)
        return r;
    if (at)
        r = read_time(at, recording_began_wall_us(recording), ret_at_us, err);
    else
        r = usual_time(path, recording, ret_at_us, err);
    recording_close(recording);
    return r;
}

static int run(const void *options, char **operands)
{
    const struct note_options *o = options;
    struct str text = str_trim(str_of(operands[1]));
    struct err err;
    uint64_t at_us = 0;

    if (!text.n) {
        log_error("note: the note is empty");
        return EXIT_TROUBLE;
    }
    if (find_time(operands[0], o->at, &at_us, &err) < 0 ||
        recording_add_note(operands[0], at_us, text, NULL, &err) < 0) {
        log_error("%s", err.text);
        return EXIT_TROUBLE;
    }
    return EXIT_OK;
}

const struct cmd cmd_note = {
    .name = "note",
    .operands = "FILE TEXT",
    .operands_min = 2,
    .operands_max = 2,
    .summary = "write a note into a recording",
    .help = "Adds a person's words to the recording FILE, where they stand on every strip at their "
            "time. Without --at that is now while FILE is being recorded, and else its end.",
    .options = options_table,
    .options_size = sizeof(struct note_options),
    .run = run,
};
