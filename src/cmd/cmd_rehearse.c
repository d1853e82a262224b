/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flightstrip rehearse: a provisioning run, acted out on this machine through the real proxy. */
#include "cmd/cmd_list.h"

#include "base/auto.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "cmd/knowledge_files.h"
#include "cmd/output.h"
#include "rehearse/rehearsal.h"
#include "rehearse/scenarios.h"
#include "report/live.h"
#include "report/look.h"
#include "report/wrap.h"
#include "store/recording.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_SCENARIO "user-driven-2019"

enum { DEFAULT_SPEED = 60, SPEED_MAX = 10000, NAMES_TRIED = 1000 };

struct rehearse_options {
    const char *speed, *output;
    bool list, traffic;
};

#define AT(member) offsetof(struct rehearse_options, member)

static const struct opt options_table[] = {
    {OPT_TEXT, 's', "speed", "N|max",
     "So many times as fast as the scenario (60 when not given); max: as fast as the machine can, "
     "at exactly the scenario's times.",
     AT(speed), NULL},
    {OPT_TEXT, 'o', "output", "FILE",
     "Keep the recording in this file, which must not be there yet (rehearsal-SCENARIO.flight in "
     "the current folder, with a number when that is there).",
     AT(output), NULL},
    {OPT_FLAG, 't', "traffic", NULL, "Show every flow as it opens and closes.", AT(traffic), NULL},
    {OPT_FLAG, 'l', "list", NULL, "List the scenarios, and what in each is invented.", AT(list),
     NULL},
    {0},
};

/* --- the list -----------------------------------------------------------------------------------
 */

static void put_entry(struct buf *out, const struct look *look, const struct scenario *s)
{
    put_painted(out, look, PAINT_BOLD, s->id);
    buf_put_byte(out, ' ');
    put_strip_time(out, s->ends_us);
    buf_put_str(out, STR("\n  "));
    put_wrapped(out, s->title, 2, 2, look->width);
    buf_put_str(out, STR("\n  "));
    put_wrapped(out, str_trim(s->says), 2, 2, look->width);
    buf_put_str(out, STR("\n  Invented, for no source gives it:\n"));
    for (size_t i = 0; i < s->invented_count; i++) {
        buf_put_str(out, STR("    - "));
        put_wrapped(out, s->invented[i], 6, 6, look->width);
        buf_put_byte(out, '\n');
    }
    buf_put_byte(out, '\n');
}

/* What is wrong in the file, if anything is, is on standard error. */
static struct scenario *load(const char *name)
{
    struct scenario *s = NULL;
    struct buf problems;
    struct err err;

    buf_init(&problems, BUF_UNBOUNDED);
    if (scenarios_load(name, &s, &problems, &err) < 0) {
        fwrite(problems.p, 1, problems.n, stderr);
        log_error("%s", err.text);
    }
    buf_finish(&problems);
    return s;
}

static int list(void)
{
    struct look look = look_of(STDOUT_FILENO);
    struct buf out;
    int status;

    buf_init(&out, BUF_UNBOUNDED);
    for (size_t i = 0; scenarios_id(i).n; i++) {
        char *id = str_dup(scenarios_id(i));
        struct scenario *s = load(id);

        if (s)
            put_entry(&out, &look, s);
        scenario_destroy(s);
        free(id);
    }
    status = output_put(buf_str(&out));
    buf_finish(&out);
    return status;
}

/* --- what the options say ------------------------------------------------------------------------
 */

/* ret_speed: 0 for as fast as the machine can. */
static int read_speed(const char *text, double *ret_speed, struct err *err)
{
    char *end;

    if (!text) {
        *ret_speed = DEFAULT_SPEED;
        return 0;
    }
    if (strcmp(text, "max") == 0) {
        *ret_speed = 0;
        return 0;
    }
    *ret_speed = strtod(text, &end);
    if (end == text || *end || !isfinite(*ret_speed) || *ret_speed <= 0 || *ret_speed > SPEED_MAX)
        return err_set(err, -EINVAL, "--speed: '%s' is neither max nor a number up to %d", text,
                       SPEED_MAX);
    return 0;
}

static bool is_free(const char *path)
{
    return access(path, F_OK) < 0 && errno == ENOENT;
}

/* The first name that nothing has yet: a rehearsal is never written over, nor gone on with. */
static int choose_file(const char *wanted, struct str id, char *path, size_t n, struct err *err)
{
    if (wanted) {
        snprintf(path, n, "%s", wanted);
        return is_free(path) ? 0 : err_set(err, -EEXIST, "%s: is there already", path);
    }
    for (unsigned i = 1; i < NAMES_TRIED; i++) {
        char number[16] = "";

        if (i > 1)
            snprintf(number, sizeof number, "-%u", i);
        snprintf(path, n, "rehearsal-" STR_FMT "%s.flight", STR_ARG(id), number);
        if (is_free(path))
            return 0;
    }
    return err_set(err, -EEXIST, "%s: is there already, and so are all before it", path);
}

static void start_clock(struct clock *clock, double speed)
{
    clock_init_real(clock);
    if (speed > 0)
        clock_init_accelerated(clock, speed);
    else
        clock_init_held(clock, clock->began_wall_us);
}

/* --- a rehearsal ---------------------------------------------------------------------------------
 */

struct run {
    const struct rehearse_options *options;
    const struct scenario *scenario;
    char path[4096];
    struct clock clock;
    struct loop *loop;
    struct stream stream;
    struct devices devices;
    struct knowledge *knowledge;
    struct explainer *explainer;
    struct live *live;
    struct recorder *recorder;
    struct rehearsal *rehearsal;
};

static void stop(void *ctx)
{
    loop_stop(((struct run *)ctx)->loop);
}

static void on_signal(void *ctx, int signal)
{
    (void)signal;
    stop(ctx);
}

/* The recording says of itself that it is a rehearsal. */
static void announce(struct run *r, double speed)
{
    struct buf text;

    buf_init(&text, BUF_UNBOUNDED);
    buf_printf(&text, "rehearsal of " STR_FMT ": a simulated device and internet",
               STR_ARG(r->scenario->id));
    stream_put(&r->stream, &(struct obs){.kind = OBS_SOURCE_STARTED,
                                         .source = SOURCE_PROXY,
                                         .name = STR("rehearsal"),
                                         .text = buf_str(&text)});
    buf_finish(&text);
    live_say(r->live, "Rehearsing " STR_FMT " (" STR_FMT "), %s. Recording: %s",
             STR_ARG(r->scenario->id), STR_ARG(r->scenario->title),
             speed > 0 ? "accelerated" : "as fast as the machine can", r->path);
}

static int begin(struct run *r, struct err *err)
{
    struct recording_state state;
    double speed = 0;
    int e;

    if ((e = read_speed(r->options->speed, &speed, err)) < 0 ||
        (e = choose_file(r->options->output, r->scenario->id, r->path, sizeof r->path, err)) < 0 ||
        (e = knowledge_load(NULL, 0, &r->knowledge, err)) < 0)
        return e;
    start_clock(&r->clock, speed);
    if ((e = recorder_open(r->path, r->clock.began_wall_us, &r->recorder, &state, err)) < 0 ||
        (e = loop_create(&r->clock, &r->loop, err)) < 0 ||
        (e = loop_on_signal(r->loop, on_signal, r, err)) < 0)
        return e;

    r->explainer = explainer_create(r->knowledge);
    r->live = live_create(r->loop, r->explainer, STDOUT_FILENO, r->options->traffic);
    stream_init(&r->stream, &r->clock);
    stream_add_sink(&r->stream, recorder_put, r->recorder);
    stream_add_sink(&r->stream, explainer_put, r->explainer);
    stream_add_sink(&r->stream, live_put, r->live);
    announce(r, speed);
    return rehearsal_create(r->loop, &r->stream, &r->devices, r->scenario, stop, r, &r->rehearsal,
                            err);
}

static int keep_recording(struct run *r, struct err *err)
{
    struct err trouble = {0};
    uint64_t lost = 0;
    int e = recorder_trouble(r->recorder, &lost, &trouble);

    if (e < 0)
        log_warn("%s", trouble.text);
    e = recorder_close(STEAL(&r->recorder), err);
    return e;
}

static int act(struct run *r, struct err *err)
{
    int e = begin(r, err);

    if (e < 0)
        return e;
    loop_run(r->loop);
    rehearsal_stop(r->rehearsal);
    explainer_finish(r->explainer);
    live_end(r->live);
    e = keep_recording(r, err);
    if (e == 0)
        live_say(r->live, "The recording is %s; flightstrip explain %s shows it again.", r->path,
                 r->path);
    return e;
}

static void run_finish(struct run *r)
{
    rehearsal_destroy(r->rehearsal);
    if (r->recorder)
        recorder_close(r->recorder, NULL);
    live_destroy(r->live);
    explainer_destroy(r->explainer);
    knowledge_destroy(r->knowledge);
    loop_destroy(r->loop);
    devices_finish(&r->devices);
}

static int run(const void *options, char **operands)
{
    struct run r = {.options = options};
    struct scenario *scenario;
    struct err err;
    int e;

    if (r.options->list)
        return list();
    scenario = load(operands[0] ? operands[0] : FIRST_SCENARIO);
    if (!scenario)
        return EXIT_TROUBLE;
    r.scenario = scenario;
    devices_init(&r.devices);
    e = act(&r, &err);
    if (e < 0)
        log_error("%s", err.text);
    run_finish(&r);
    scenario_destroy(scenario);
    return e < 0 ? EXIT_TROUBLE : EXIT_OK;
}

const struct cmd cmd_rehearse = {
    .name = "rehearse",
    .operands = "[SCENARIO]",
    .operands_max = 1,
    .summary = "act out a provisioning run on this machine",
    .help =
        "Acts out a provisioning run: a simulated internet (a name server, TLS and plain HTTP "
        "servers for every host, a certificate authority made on the spot) and a simulated device, "
        "all on loopback, and between them the real proxy. The strip grows in the terminal, and "
        "the recording is kept. Nothing leaves this machine.\n"
        "\n"
        "SCENARIO is the name of one that --list shows (" FIRST_SCENARIO
        " when not given), or a file of your own; knowledge/scenarios/README.md describes the "
        "format.\n"
        "\n"
        "The times on the strip are the scenario's, at any speed. At 60 a run of twenty minutes "
        "takes twenty seconds.",
    .options = options_table,
    .options_size = sizeof(struct rehearse_options),
    .run = run,
};
