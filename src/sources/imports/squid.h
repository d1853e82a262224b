/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * squid: one line of Squid's native access log,
 *
 *   TIME ELAPSED CLIENT CODE/STATUS BYTES METHOD URL USER HIERARCHY/PEER TYPE [HEADERS]…
 *
 * (logformat squid: %ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt). The time is when
 * the exchange ended, and ELAPSED the milliseconds before. The time may also be %tl's, with or
 * without brackets, and a prefix of syslog may stand before it. Fields that somebody added after
 * these are not read, but for the User-Agent that log_mime_hdrs shows.
 */
#pragma once

#include "sources/imports/account.h"

/* Text in the account is borrowed from the line, but for what is in a->text. */
enum record_fate squid_parse(struct str line, struct account *a, const char **ret_why);
