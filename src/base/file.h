/* SPDX-License-Identifier: GPL-3.0-or-later */
/* file: the whole of a small file. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/*
 * Appends its bytes. Only regular files are read, so a pipe in its place holds nobody up. -EFBIG
 * when they pass the ceiling of `out`, of which the sentence then speaks. *ret_others_may_read
 * (may be NULL): whether everybody on this machine can.
 */
int file_read(const char *path, struct buf *out, bool *ret_others_may_read, struct err *err);
