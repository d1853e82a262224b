/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gzip: RFC 1952, whole bodies at a time, quickly rather than tightly. */
#pragma once

#include "base/buf.h"

/* Append; `out` is full when it does not fit. */
void gzip_put(struct buf *out, struct str bytes);
/* False: it is not gzip, or does not fit; something may have been appended. */
bool gunzip_put(struct buf *out, struct str bytes);
