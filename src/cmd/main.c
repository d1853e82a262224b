/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/cmd_list.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "cmd/help.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* What was wrong, then how it is used; both on standard error. */
static int wrong_use(const struct cmd *cmd, const char *what)
{
    struct buf usage;

    buf_init(&usage, BUF_UNBOUNDED);
    put_usage(&usage, cmd);
    log_error("%s: %s", cmd->name, what);
    log_error("usage: " STR_FMT, STR_ARG(buf_str(&usage)));
    buf_finish(&usage);
    return EXIT_TROUBLE;
}

static int run_with(const struct cmd *cmd, int argc, char **argv, void *options)
{
    int first = 0;
    bool help = false;
    struct err err;

    if (options_parse(cmd_options(cmd), argc, argv, options, &first, &help, &err) < 0)
        return wrong_use(cmd, err.text);
    if (help)
        return cmd_help.run(NULL, (char *[]){(char *)cmd->name, NULL});

    unsigned operands = (unsigned)(argc - first);
    if (operands < cmd->operands_min)
        return wrong_use(cmd, operands ? "something is missing" : "what?");
    if (operands > cmd->operands_max)
        return wrong_use(cmd, "that is too much");
    return cmd->run(options, argv + first);
}

static int run_command(const struct cmd *cmd, int argc, char **argv)
{
    void *options = xalloc(cmd->options_size);
    int status = run_with(cmd, argc, argv, options);

    options_finish(cmd_options(cmd), options);
    free(options);
    return status;
}

int main(int argc, char **argv)
{
    const struct cmd *cmd;
    struct err err;

    signal(SIGXFSZ,
           SIG_IGN); /* a file that may not grow is an error of one write, as a full disk */
    signal(SIGPIPE, SIG_IGN); /* a peer that leaves is an error of one write, not the end of all */
    if (argc < 2) {
        log_error("which command? flightstrip --help lists them");
        return EXIT_TROUBLE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return run_command(&cmd_help, 1, (char *[]){argv[0], NULL});
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
        return run_command(&cmd_version, 1, (char *[]){argv[0], NULL});

    cmd = cmd_named(argv[1], &err);
    if (!cmd) {
        log_error("%s", err.text);
        return EXIT_TROUBLE;
    }
    return run_command(cmd, argc - 1, argv + 1);
}
