/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flightstrip export: the observations, as a file that other programs read. */
#include "cmd/cmd_list.h"

#include "base/log.h"
#include "cmd/input.h"
#include "cmd/output_file.h"
#include "report/export.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { FLUSH_BYTES = 256 << 10 };

struct export_options {
    unsigned as;
    const char *output;
};

/* In the same order. */
static const char *const format_words[] = {"ndjson", "har", "csv", "squid", NULL};
static const struct export_format *const formats[] = {&export_ndjson, &export_har, &export_csv,
                                                      &export_squid};

static const struct opt options_table[] = {
    {OPT_CHOICE, 'a', "as", "FORMAT",
     "Write ndjson (the default: every observation), har, csv (a line for each flow) or squid (an "
     "access log).",
     offsetof(struct export_options, as), format_words},
    {OPT_TEXT, 'o', "output", "FILE", "Write to this file instead of standard output.",
     offsetof(struct export_options, output), NULL},
    {0},
};

/* An export on its way from the input to the file. */
struct exporting {
    const struct export_format *format;
    void *exporter;
    struct buf out;
    struct output_file *file;
    int r; /* the first failure to write; nothing is written after it */
    struct err *err;
};

static void flush(struct exporting *e)
{
    if (!e->r)
        e->r = output_file_write(e->file, buf_str(&e->out), e->err);
    buf_clear(&e->out);
}

static void put(void *ctx, const struct obs *o)
{
    struct exporting *e = ctx;

    e->format->put(e->exporter, o);
    if (e->out.n >= FLUSH_BYTES)
        flush(e);
}

static int export_all(struct input *in, const struct export_format *format,
                      struct output_file *file, struct err *err)
{
    struct exporting e = {.format = format, .file = file, .err = err};

    buf_init(&e.out, BUF_UNBOUNDED);
    e.exporter = format->create(&e.out, input_began_wall_us(in));

    int r = input_replay(in, put, &e, err);
    format->finish(e.exporter);
    if (!r) {
        flush(&e);
        r = e.r;
    }
    buf_finish(&e.out);
    return r ? r : output_file_keep(file, err);
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat left, right;

    return stat(a, &left) == 0 && stat(b, &right) == 0 && S_ISREG(left.st_mode) &&
           left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

static int export(const char *path, const struct export_options *o, struct err *err)
{
    struct input *in = NULL;
    struct output_file *file = NULL;
    int r;

    if (o->output && is_same_file(path, o->output))
        return err_set(err, -EINVAL, "%s: is what is to be exported, and is not written over",
                       o->output);
    r = input_open(path, &in, err);
    if (!r)
        r = output_file_open(o->output, &file, err);
    if (!r)
        r = export_all(in, formats[o->as], file, err);
    output_file_close(file);
    input_close(in);
    return r;
}

static int run(const void *options, char **operands)
{
    struct err err = {0};

    if (export(operands[0], options, &err)) {
        if (err.text[0])
            log_error("%s", err.text);
        return EXIT_TROUBLE;
    }
    return EXIT_OK;
}

const struct cmd cmd_export = {
    .name = "export",
    .operands = "INPUT",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "write what was recorded as HAR, CSV, NDJSON or a Squid log",
    .help =
        "Writes the observations of INPUT for other programs. INPUT is a recording, or anything "
        "that can be imported: a Squid access log, a combined access log of a proxy, a HAR, or "
        "NDJSON of observations; - is standard input.\n"
        "\n"
        "ndjson loses nothing, and can be read again wherever a recording can. Its first line is "
        "{\"flightstrip\":1,\"recording\":{\"began\":TIME}}; each line after it is one observation "
        "with its seq, at_us (microseconds since the recording began), kind, source, device, flow "
        "and the fields of its kind. har has an entry for each flow that asked for a host, a "
        "tunnel as CONNECT. csv has a line for each flow; text that a spreadsheet would take as a "
        "formula begins with an apostrophe. squid has a line for each flow that ended.\n"
        "\n"
        "A file is written whole or not at all.",
    .options = options_table,
    .options_size = sizeof(struct export_options),
    .run = run,
};
