/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flightstrip rehearse: a provisioning run, acted out on this machine through the real proxy. */
#include "cmd/cmd_list.h"

#include "base/log.h"
#include "base/timefmt.h"
#include "cmd/output.h"
#include "cmd/page.h"
#include "cmd/session.h"
#include "rehearse/rehearsal.h"
#include "rehearse/scenarios.h"
#include "report/look.h"
#include "report/wrap.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_SCENARIO "user-driven-2019"

enum { DEFAULT_SPEED = 60, SPEED_MAX = 10000, NAMES_TRIED = 1000 };

struct rehearse_options {
    const char *speed, *output;
    struct page_words web;
    struct texts knowledge;
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
    {OPT_TEXTS, 'k', "knowledge", "DIR",
     "Add the rules and endpoints in this folder; may be given again.", AT(knowledge), NULL},
    PAGE_OPTIONS(struct rehearse_options),
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
    buf_put_byte(out, '\n');
    for (size_t i = 0; i < s->faults.n; i++) {
        buf_printf(out, "  " STR_FMT ": ", STR_ARG(s->faults.faults[i].hosts));
        put_wrapped(out, str_of(fault_says[s->faults.faults[i].kind]), 4, 4, look->width);
        buf_put_byte(out, '\n');
    }
    buf_put_str(out, STR("  Invented, for no source gives it:\n"));
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
        fprintf(stderr, STR_FMT, STR_ARG(buf_str(&problems)));
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

/* --- a rehearsal ---------------------------------------------------------------------------------
 */

static void ended(void *ctx)
{
    struct session *s = ctx;

    loop_stop(s->loop);
}

static void screen(void *ctx, struct str says)
{
    struct session *s = ctx;
    struct buf at;

    buf_init(&at, BUF_UNBOUNDED);
    put_strip_time(&at, loop_now_us(s->loop));
    live_say(s->live, "  " STR_FMT "  On the screen: " STR_FMT, STR_ARG(buf_str(&at)),
             STR_ARG(says));
    buf_finish(&at);
}

static int show_page(struct session *s, const struct page_words *words, struct page **ret_page,
                     struct err *err)
{
    if (!s->served)
        return 0;
    return page_open(s->loop,
                     &(struct page_options){
                         .words = words, .fd = -1, .recordings = &s->served, .recording_count = 1},
                     ret_page, err);
}

/* Who looks at the page has only begun when a rehearsal ends; where nobody sits, it is over. */
static void serve_on(struct session *s, struct page *page)
{
    if (!s->served || !s->on_terminal || s->was_stopped) {
        page_end(page);
        return;
    }
    log_info("the rehearsal is over, and the page stays; Ctrl-C ends it");
    session_serve_on(s);
}

static int act(struct session *s, const struct page_words *words, const struct scenario *scenario,
               const char *path)
{
    const struct rehearsal_watcher watcher = {.ended = ended, .screen = screen, .ctx = s};
    struct rehearsal *rehearsal = NULL;
    struct page *page = NULL;
    struct err err;

    if (rehearsal_create(s->loop, &s->stream, &s->devices, scenario, &watcher, &rehearsal, &err) <
            0 ||
        show_page(s, words, &page, &err) < 0) {
        log_error("%s", err.text);
        rehearsal_destroy(rehearsal);
        session_abandon(s);
        return EXIT_TROUBLE;
    }
    log_info("rehearsing " STR_FMT "; recording to %s; Ctrl-C ends it", STR_ARG(scenario->id),
             path);
    session_run(s, SOURCE_PROXY);
    rehearsal_stop(rehearsal);

    int status = session_end(s);
    rehearsal_destroy(rehearsal);
    if (status == EXIT_OK)
        serve_on(s, page);
    page_close(page);
    if (status == EXIT_OK)
        log_info("%s is written; flightstrip explain %s tells it again", path, path);
    return status;
}

static int rehearse(const struct rehearse_options *o, const struct scenario *scenario)
{
    char about[200], path[PATH_MAX];
    struct session_options options = {
        .path = path, .knowledge = &o->knowledge, .traffic = o->traffic, .about = about};
    struct session *session;
    struct err err;

    snprintf(about, sizeof about, "rehearsal of " STR_FMT ": a simulated device and internet",
             STR_ARG(scenario->id));
    if (read_speed(o->speed, &options.speed, &err) < 0 ||
        choose_file(o->output, scenario->id, path, sizeof path, &err) < 0) {
        log_error("%s", err.text);
        return EXIT_TROUBLE;
    }
    options.held = !options.speed;
    options.serves = page_is_wanted(&o->web, -1);
    if (session_open(&options, &session, &err) < 0) {
        log_error("%s", err.text);
        return EXIT_TROUBLE;
    }

    int status = act(session, &o->web, scenario, path);
    session_close(session);
    return status;
}

static int run(const void *options, char **operands)
{
    const struct rehearse_options *o = options;
    struct scenario *scenario;
    int status;

    if (o->list)
        return list();
    scenario = load(operands[0] ? operands[0] : FIRST_SCENARIO);
    if (!scenario)
        return EXIT_TROUBLE;
    status = rehearse(o, scenario);
    scenario_destroy(scenario);
    return status;
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
        "With --web the page shows it while it goes on, and on a terminal it stays after the end, "
        "until Ctrl-C.\n"
        "\n"
        "The times on the strip are the scenario's, at any speed. At 60 a run of twenty minutes "
        "takes twenty seconds, and on a machine that is too slow for that, a little longer.",
    .options = options_table,
    .options_size = sizeof(struct rehearse_options),
    .run = run,
};
