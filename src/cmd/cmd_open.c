/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flightstrip open: recordings, and whatever can be imported, on the page. */
#include "cmd/cmd_list.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "cmd/knowledge_files.h"
#include "cmd/opened.h"
#include "cmd/page.h"

#include <stdlib.h>

struct open_options {
    struct page_words web;
    struct texts knowledge;
};

static const struct opt options_table[] = {
    PAGE_OPTIONS(struct open_options),
    {OPT_TEXTS, 'k', "knowledge", "DIR",
     "Add the rules and endpoints in this folder; may be given again.",
     offsetof(struct open_options, knowledge), NULL},
    {0},
};

struct opening {
    struct clock clock;
    struct loop *loop;
    struct knowledge *knowledge;
    struct opened **opened;
    struct served **recordings;
    size_t n;
    struct page *page;
};

static void on_signal(void *ctx, int signal)
{
    struct opening *o = ctx;

    (void)signal;
    loop_stop(o->loop);
}

static int open_inputs(struct opening *o, char **paths, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && paths[i]; i++) {
        o->opened = xreallocarray(o->opened, i + 1, sizeof(struct opened *));
        o->recordings = xreallocarray(o->recordings, i + 1, sizeof(struct served *));
        r = opened_open(o->loop, paths[i], o->knowledge, &o->opened[i], err);
        if (r == 0)
            o->recordings[o->n++] = opened_served(o->opened[i]);
    }
    return r;
}

static int open_all(struct opening *o, const struct open_options *options, char **paths,
                    struct err *err)
{
    int r;

    clock_init_real(&o->clock);
    if ((r = knowledge_load(options->knowledge.at, options->knowledge.n, &o->knowledge, err)) < 0 ||
        (r = loop_create(&o->clock, &o->loop, err)) < 0 || (r = open_inputs(o, paths, err)) < 0)
        return r;
    return page_open(
        o->loop,
        &(struct page_options){
            .words = &options->web, .fd = -1, .recordings = o->recordings, .recording_count = o->n},
        &o->page, err);
}

static void close_all(struct opening *o)
{
    page_close(o->page);
    for (size_t i = 0; i < o->n; i++)
        opened_close(o->opened[i]);
    free(o->opened);
    free(o->recordings);
    loop_destroy(o->loop);
    knowledge_destroy(o->knowledge);
}

static int run(const void *options, char **operands)
{
    struct opening o = {0};
    struct err err;
    int r = open_all(&o, options, operands, &err);

    if (r == 0)
        r = loop_on_signal(o.loop, on_signal, &o, &err);
    if (r == 0) {
        log_info("Ctrl-C ends it");
        loop_run(o.loop);
    } else {
        log_error("%s", err.text);
    }
    close_all(&o);
    return r < 0 ? EXIT_TROUBLE : EXIT_OK;
}

const struct cmd cmd_open = {
    .name = "open",
    .operands = "INPUT…",
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .summary = "show recordings or logs in the browser",
    .help =
        "Reads and explains each INPUT and shows it on a page, until Ctrl-C: the strip, the "
        "traffic, and both as they were at any moment. INPUT is a recording, or anything that can "
        "be imported: a Squid access log, a combined access log of a proxy, a HAR, or NDJSON of "
        "observations; - is standard input.\n"
        "\n"
        "A recording that is being written is followed while it grows. Notes that are written on "
        "the page are kept in the recording; what was imported takes none.\n"
        "\n"
        "The page is on port 8088 of this machine unless --web says where.",
    .options = options_table,
    .options_size = sizeof(struct open_options),
    .run = run,
};
