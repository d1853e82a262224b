/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * host_pattern: many hosts by one text.
 *
 * A pattern is a host name in which `*` stands for one or more characters of any kind, dots too:
 * `*.manage.microsoft.com`, `cp*.prod.do.dsp.mp.microsoft.com`, `watson.*.microsoft.com`, `wpad.*`.
 * A pattern that starts with a dot means the same as with `*` before the dot. Upper case and one
 * dot at the end make no difference, in patterns as in hosts.
 *
 * To find the most specific of many, there is base/host_table.h.
 */
#pragma once

#include "base/arena.h"
#include "base/url.h" /* HOST_MAX */

/* What is wrong with a pattern, or NULL. */
const char *host_pattern_complaint(struct str pattern);
/* Whether it has nothing but stars and dots, and so fits more or less every host. */
bool host_pattern_fits_all(struct str pattern);

bool host_pattern_fits(struct str pattern, struct str host);
/* The same where both have lost that dot already (host_undotted). */
bool host_pattern_fits_undotted(struct str pattern, struct str host);

/* The one way in which patterns that mean the same are written; of a host, its lower case. */
struct str host_pattern_normal(struct arena *a, struct str pattern);
