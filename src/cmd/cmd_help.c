/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flightstrip help: the list of commands, or what one of them does. */
#include "cmd/cmd_list.h"

#include "base/log.h"
#include "cmd/help.h"
#include "cmd/output.h"
#include "report/look.h"

#include <unistd.h>

static int run(const void *options, char **operands)
{
    unsigned width = look_of(STDOUT_FILENO).width;
    const struct cmd *cmd = NULL;
    struct err err;
    struct buf out;

    (void)options;
    if (operands[0]) {
        cmd = cmd_named(operands[0], &err);
        if (!cmd) {
            log_error("%s", err.text);
            return EXIT_TROUBLE;
        }
    }
    buf_init(&out, BUF_UNBOUNDED);
    if (cmd)
        put_command_help(&out, cmd, width);
    else
        put_help(&out, width);

    int status = output_put(buf_str(&out));
    buf_finish(&out);
    return status;
}

const struct cmd cmd_help = {
    .name = "help",
    .operands = "[COMMAND]",
    .operands_max = 1,
    .summary = "list the commands, or say what one does",
    .help = "Lists the commands, or says what one of them does.",
    .run = run,
};
