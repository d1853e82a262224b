/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flightstrip version: which version this is. */
#include "cmd/cmd_list.h"

#include <stdio.h>

static int run(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("flightstrip " FLIGHTSTRIP_VERSION);
    return EXIT_OK;
}

const struct cmd cmd_version = {
    .name = "version",
    .usage = "version",
    .summary = "say which version this is",
    .help = "",
    .run = run,
};
