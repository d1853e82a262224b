/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base64: RFC 4648, section 4, with its padding. */
#pragma once

#include "base/buf.h"

void base64_put(struct buf *out, struct str bytes);
/* Appends the bytes that `text` stands for; false, with nothing appended, when it is not base64. */
bool base64_read(struct str text, struct buf *out);
