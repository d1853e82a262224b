/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * combined: one line of a proxy's access log in the common or combined format,
 *
 *   CLIENT IDENT USER [TIME] "METHOD URL VERSION" STATUS BYTES ["REFERER" "AGENT"] [CODE:HIERARCHY]
 *
 * as Squid's logformats `common` and `combined` and Apache's mod_proxy write it. The time has whole
 * seconds and there is no duration, so an exchange begins and ends in the same moment.
 */
#pragma once

#include "sources/imports/account.h"

/* Text in the account is borrowed from the line, but for what is in a->text. */
enum record_fate combined_parse(struct str line, struct account *a, const char **ret_why);
