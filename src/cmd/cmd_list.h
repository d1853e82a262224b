/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The subcommands, in the order in which --help shows them. */
#pragma once

#include "cmd/cmd.h"

extern const struct cmd cmd_version;

extern const struct cmd *const cmd_list[]; /* NULL at the end */
