/* SPDX-License-Identifier: GPL-3.0-or-later */
/* logtime: the times that access logs write. False when it is none, or lies before 1990 or after
 * 2100. */
#pragma once

#include "base/str.h"

/* "1752030357.582": seconds since 1970, with or without decimals. */
bool epoch_time_parse(struct str s, uint64_t *ret_wall_us);

/* "09/Jul/2025:03:05:57 +0000": the common log format's. */
bool common_time_parse(struct str s, uint64_t *ret_wall_us);

/* "-", or digits: a count of bytes. */
bool log_bytes_parse(struct str s, uint64_t *ret_bytes);
