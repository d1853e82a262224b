/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/cmd_list.h"

#include <stddef.h>

const struct cmd *const cmd_list[] = {
    &cmd_version,
    NULL,
};
