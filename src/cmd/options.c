/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/options.h"

#include "base/nearest.h"
#include "base/timefmt.h"
#include "base/xalloc.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 32, HELP = 256, FIRST_ROW = 257 }; /* what getopt_long returns for which */

/* The table as getopt_long wants it: a long option yields FIRST_ROW + its row, a letter itself. */
struct spec {
    char letters[2 + 2 * OPTIONS_MAX];
    struct option longs[OPTIONS_MAX + 2];
    const char *names[OPTIONS_MAX + 2];
};

static void spec_init(struct spec *s, const struct opt *table)
{
    size_t letters = 0, n = 0;

    *s = (struct spec){0};
    s->letters[letters++] = ':'; /* tell a missing argument from an unknown option */
    for (; table[n].kind; n++) {
        bool takes = table[n].kind != OPT_FLAG;

        assert(n < OPTIONS_MAX);
        s->names[n] = table[n].name;
        s->longs[n] = (struct option){table[n].name, takes, NULL, FIRST_ROW + (int)n};
        if (!table[n].letter)
            continue;
        s->letters[letters++] = table[n].letter;
        if (takes)
            s->letters[letters++] = ':';
    }
    s->letters[letters++] = 'h';
    s->names[n] = "help";
    s->longs[n] = (struct option){"help", no_argument, NULL, HELP};
}

static const struct opt *row_of(const struct opt *table, int got)
{
    if (got >= FIRST_ROW)
        return &table[got - FIRST_ROW];
    while (table->kind && table->letter != got)
        table++;
    return table;
}

static int choose(const struct opt *o, const char *argument, unsigned *into, struct err *err)
{
    char known[256] = "";

    for (unsigned i = 0; o->words[i]; i++) {
        if (strcmp(o->words[i], argument) == 0) {
            *into = i;
            return 0;
        }
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", i ? ", " : "", o->words[i]);
    }
    return err_set(err, -EINVAL, "--%s: '%s' is none of %s", o->name, argument, known);
}

static int read_number(const struct opt *o, const char *argument, double *into, struct err *err)
{
    char *end;
    double value = strtod(argument, &end);

    if (end == argument || *end || !isfinite(value) || value <= 0)
        return err_set(err, -EINVAL, "--%s: '%s' is not a number above 0", o->name, argument);
    *into = value;
    return 0;
}

static int read_value(const struct opt *o, const char *argument, void *into, struct err *err)
{
    void *at = (char *)into + o->at;

    switch (o->kind) {
    case OPT_NONE:
        break;
    case OPT_FLAG:
        *(bool *)at = true;
        return 0;
    case OPT_TEXT:
        *(const char **)at = argument;
        return 0;
    case OPT_TEXTS: {
        struct texts *texts = at;

        texts->at = xreallocarray(texts->at, texts->n + 1, sizeof *texts->at);
        texts->at[texts->n++] = argument;
        return 0;
    }
    case OPT_CHOICE:
        return choose(o, argument, at, err);
    case OPT_DURATION:
        if (duration_parse(str_of(argument), at) && *(uint64_t *)at)
            return 0;
        return err_set(err, -EINVAL, "--%s: '%s' is not a duration such as 90s, 15m or 1h30m",
                       o->name, argument);
    case OPT_NUMBER:
        return read_number(o, argument, at, err);
    }
    assert(!"an option has a kind");
    return -EINVAL;
}

/* The words before --help are looked up in what a person typed, cut before any '='. */
static int unknown(const struct spec *s, const char *typed, struct err *err)
{
    struct str word = str_of(typed);

    if (!str_starts(word, STR("--")))
        return err_set(err, -EINVAL, "there is no option -%c", optopt);
    word = str_cut(&word, '=');

    const char *near = nearest_word(str_skip(word, 2), s->names);
    if (near)
        return err_set(err, -EINVAL, "there is no option " STR_FMT "; did you mean --%s?",
                       STR_ARG(word), near);
    return err_set(err, -EINVAL, "there is no option " STR_FMT, STR_ARG(word));
}

static int refuse(const struct spec *s, int got, char **argv, struct err *err)
{
    const char *typed = argv[optind - 1];

    if (got == ':')
        return err_set(err, -EINVAL, "%s needs an argument", typed);
    for (const struct option *o = s->longs; o->name; o++)
        if (o->val == optopt) /* --flag=argument */
            return err_set(err, -EINVAL, "--%s takes no argument", o->name);
    return unknown(s, typed, err);
}

int options_parse(const struct opt *table, int argc, char **argv, void *into, int *ret_operands,
                  bool *ret_help, struct err *err)
{
    struct spec spec;
    int got;

    spec_init(&spec, table);
    optind = 0; /* glibc: start anew */
    opterr = 0;
    while ((got = getopt_long(argc, argv, spec.letters, spec.longs, NULL)) != -1) {
        if (got == 'h' || got == HELP) {
            *ret_help = true;
            return 0;
        }
        if (got == '?' || got == ':')
            return refuse(&spec, got, argv, err);

        int r = read_value(row_of(table, got), optarg, into, err);
        if (r < 0)
            return r;
    }
    *ret_operands = optind;
    return 0;
}

void options_finish(const struct opt *table, void *into)
{
    for (; table->kind; table++)
        if (table->kind == OPT_TEXTS)
            free(((struct texts *)((char *)into + table->at))->at);
}
