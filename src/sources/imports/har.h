/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * har: one entry of a HAR 1.2, as browsers' tools and proxies write it. How long the parts of an
 * exchange took is in its timings; a request that got no answer has status 0 and, from Chromium, an
 * error. An entry that came out of a cache, or was never sent, is no exchange.
 */
#pragma once

#include "sources/imports/account.h"
#include "sources/imports/json_in.h"

/* Text in the account is borrowed from the entry, but for what is in a->text. */
enum record_fate har_entry(const json_t *entry, struct account *a, const char **ret_why);
