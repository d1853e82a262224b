/* SPDX-License-Identifier: GPL-3.0-or-later */
/* help: what --help says, made from the commands' rows. */
#pragma once

#include "base/buf.h"
#include "cmd/cmd.h"

void put_help(struct buf *out, unsigned width);
void put_command_help(struct buf *out, const struct cmd *cmd, unsigned width);
void put_usage(struct buf *out, const struct cmd *cmd); /* one line, without its end */
