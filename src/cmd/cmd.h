/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd: a subcommand is one file that ends in its row; cmd.c lists the rows. main.c reads the
 * options and counts the operands before it calls `run`, so `run` does the work and returns the
 * exit status.
 */
#pragma once

#include "cmd/options.h"

#include <limits.h>

enum {
    EXIT_OK = 0,
    EXIT_FOUND = 1,   /* it worked, and the answer is "no": problems found, nothing matched */
    EXIT_TROUBLE = 2, /* it could not be done; standard error says why */
};

#define OPERANDS_ANY UINT_MAX

struct cmd {
    const char *name;
    const char *operands; /* as the usage line shows them: "INPUT…"; NULL: it takes none */
    unsigned operands_min, operands_max;
    const char *summary;       /* a few words, for the list of commands */
    const char *help;          /* paragraphs, with an empty line between; wrapped when shown */
    const struct opt *options; /* its own; NULL: --help alone */
    size_t options_size;       /* of the struct that they fill, which begins as zeros */
    int (*run)(const void *options, char **operands); /* NULL ends the operands */
};
