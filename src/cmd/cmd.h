/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd: a subcommand is one file that ends in its row; cmd.c lists the rows. `run` gets the
 * arguments from the subcommand's own name on and returns the exit status.
 */
#pragma once

enum {
    EXIT_OK = 0,
    EXIT_FOUND =
        1, /* it worked, and the answer is "no": problems in a rule file, nothing matched */
    EXIT_TROUBLE = 2, /* it could not be done; standard error says why */
};

struct cmd {
    const char *name;
    const char *usage;   /* after "flightstrip " */
    const char *summary; /* one line, for the list */
    const char *help;    /* the options, one a line, and what else a person needs */
    int (*run)(int argc, char **argv);
};
