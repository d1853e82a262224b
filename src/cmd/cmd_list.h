/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The subcommands, in the order in which --help shows them. */
#pragma once

#include "cmd/cmd.h"

extern const struct cmd cmd_record;
extern const struct cmd cmd_explain;
extern const struct cmd cmd_open;
extern const struct cmd cmd_rehearse;
extern const struct cmd cmd_export;
extern const struct cmd cmd_note;
extern const struct cmd cmd_rules;
extern const struct cmd cmd_endpoints;
extern const struct cmd cmd_help;
extern const struct cmd cmd_version;

extern const struct cmd *const cmd_list[]; /* NULL at the end */

/* By name, or NULL and a sentence with the nearest one. */
const struct cmd *cmd_named(const char *name, struct err *err);

/* The table of a command's own options, which may be empty. */
const struct opt *cmd_options(const struct cmd *cmd);
