/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json_in: jansson's values, read without surprises: what is missing or of another type is empty.
 */
#pragma once

#include "base/err.h"

#include <jansson.h>

/* One object, which may not be followed by anything; NULL when it is not one. json_decref it. */
json_t *json_object_in(struct str text, struct err *err);

struct str json_text(const json_t *object, const char *key);
/* Borrowed from the object, valid as long as it. -1 when there is no number. */
double json_number(const json_t *object, const char *key);
/* False when it is no whole number from 0 on. */
bool json_count(const json_t *object, const char *key, uint64_t *ret_count);
