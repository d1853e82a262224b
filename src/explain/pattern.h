/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pattern: a rule's regular expression (PCRE2), and what its named groups caught.
 *
 * Patterns ignore case, and match anywhere unless anchored. A pattern that needs too many steps on
 * some text does not match it: a rule's author cannot make the explainer hang.
 */
#pragma once

#include "base/str.h"

struct pattern;

enum { CAPTURES_MAX = 6 };

struct capture {
    struct str name, value; /* name: of the pattern's; value: borrowed from what was matched */
};

struct captures {
    unsigned n;
    struct capture v[CAPTURES_MAX];
};

/* NULL, with a sentence in why (of size n), when it is not a regular expression. */
struct pattern *pattern_create(struct str source, char *why, size_t n);
void pattern_destroy(struct pattern *p);

/* Adds the named groups that took part to `captures`, which may be NULL. */
bool pattern_match(const struct pattern *p, struct str subject, struct captures *captures);

bool pattern_has(const struct pattern *p, struct str group); /* p may be NULL */

void captures_add(struct captures *c, struct str name, struct str value);
struct str captures_get(const struct captures *c, struct str name); /* empty when absent */
