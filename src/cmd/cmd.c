/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/cmd.h"

#include "base/nearest.h"
#include "cmd/cmd_list.h"

#include <errno.h>
#include <string.h>

const struct cmd *const cmd_list[] = {
    &cmd_record, &cmd_explain,   &cmd_open, &cmd_rehearse, &cmd_export, &cmd_note,
    &cmd_rules,  &cmd_endpoints, &cmd_help, &cmd_version,  NULL,
};

const struct cmd *cmd_named(const char *name, struct err *err)
{
    enum { COMMANDS = sizeof cmd_list / sizeof *cmd_list };
    const char *names[COMMANDS] = {NULL};

    for (size_t i = 0; cmd_list[i]; i++) {
        if (strcmp(cmd_list[i]->name, name) == 0)
            return cmd_list[i];
        names[i] = cmd_list[i]->name;
    }

    const char *near = nearest_word(str_of(name), names);
    if (near)
        err_set(err, -ENOENT, "there is no command '%s'; did you mean '%s'?", name, near);
    else
        err_set(err, -ENOENT, "there is no command '%s'; flightstrip --help lists them", name);
    return NULL;
}

const struct opt *cmd_options(const struct cmd *cmd)
{
    static const struct opt none[] = {{0}};

    return cmd->options ? cmd->options : none;
}
