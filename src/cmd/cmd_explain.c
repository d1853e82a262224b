/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flightstrip explain: what happened in a recording or an imported file, and what it means. */
#include "cmd/cmd_list.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "cmd/explained.h"
#include "cmd/knowledge_files.h"
#include "cmd/output.h"

#include <stdlib.h>
#include <unistd.h>

struct explain_options {
    const char *device;
    unsigned format;
    bool traffic;
    struct texts knowledge;
};

/* In the same order. */
static const char *const format_words[] = {"text", "markdown", "json", "ndjson", "csv", NULL};
static report_writer *const writers[] = {report_text, report_markdown, report_json, report_ndjson,
                                         report_csv};

#define AT(member) offsetof(struct explain_options, member)

static const struct opt options_table[] = {
    {OPT_TEXT, 'd', "device", "DEVICE", "Explain this device only: its id, name or address.",
     AT(device), NULL},
    {OPT_CHOICE, 'f', "format", "FORMAT",
     "Write text (the default), markdown, json, ndjson or csv.", AT(format), format_words},
    {OPT_FLAG, 't', "traffic", NULL, "List the flows between the moments.", AT(traffic), NULL},
    {OPT_TEXTS, 'k', "knowledge", "DIR",
     "Add the rules and endpoints in this folder; may be given again.", AT(knowledge), NULL},
    {0},
};

static size_t count(char **operands)
{
    size_t n = 0;

    while (operands[n])
        n++;
    return n;
}

static int write_reports(struct explained **all, size_t n, unsigned format)
{
    struct report *reports = xalloc(n * sizeof *reports);
    struct buf out;

    buf_init(&out, BUF_UNBOUNDED);
    for (size_t i = 0; i < n; i++) {
        reports[i] = *explained_report(all[i]);
        reports[i].look = look_of(STDOUT_FILENO);
    }
    writers[format](&out, reports, n);

    int status = output_put(buf_str(&out));
    buf_finish(&out);
    free(reports);
    return status;
}

static int explain_all(const struct explain_options *o, const struct knowledge *knowledge,
                       char **paths)
{
    size_t n = count(paths), opened = 0;
    struct explained **all = xalloc(n * sizeof *all);
    struct err err;
    int status = EXIT_TROUBLE;

    while (opened < n &&
           explained_open(paths[opened], knowledge, o->device, o->traffic, &all[opened], &err) == 0)
        opened++;
    if (opened == n)
        status = write_reports(all, n, o->format);
    else
        log_error("%s", err.text);
    for (size_t i = 0; i < opened; i++)
        explained_close(all[i]);
    free(all);
    return status;
}

static int run(const void *options, char **operands)
{
    const struct explain_options *o = options;
    struct knowledge *knowledge;
    struct err err;

    if (knowledge_load(o->knowledge.at, o->knowledge.n, &knowledge, &err)) {
        log_error("%s", err.text);
        return EXIT_TROUBLE;
    }

    int status = explain_all(o, knowledge, operands);
    knowledge_destroy(knowledge);
    return status;
}

const struct cmd cmd_explain = {
    .name = "explain",
    .operands = "INPUT…",
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .summary = "say what happened in a recording or a log, and what it means",
    .help =
        "Writes the strip of each device in INPUT: what happened when, what it means, where the "
        "time went, what went wrong and what to do about it. INPUT is a recording, or anything "
        "that can be imported: a Squid access log, a combined access log of a proxy, a HAR, or "
        "NDJSON of observations; - is standard input.\n"
        "\n"
        "A moment marked (inferred) follows from other traffic; the others were seen directly. "
        "The number in brackets says how many observations it rests on.\n"
        "\n"
        "json is described in docs/explain.md: one document, with `recording` and `devices`; of "
        "several INPUTs, `recordings` with these two each. ndjson is the same with one object a "
        "line, csv has the moments alone.",
    .options = options_table,
    .options_size = sizeof(struct explain_options),
    .run = run,
};
