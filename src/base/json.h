/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json: an append-only JSON writer (RFC 8259) onto a buf.
 *
 * Commas and nesting are kept by the writer. Strings are written as valid UTF-8 whatever comes in:
 * a byte that is not part of a valid sequence becomes U+FFFD, control characters are escaped. So no
 * bytes from outside can break out of their string.
 *
 *     json_object(&j);
 *     json_key(&j, "id");  json_str(&j, id);
 *     json_end(&j);
 */
#pragma once

#include "base/buf.h"

enum { JSON_DEPTH = 32 };

struct json {
    struct buf *out;
    unsigned depth;
    bool after_value; /* a comma is due before the next value at this depth */
    bool pretty;      /* two spaces a level, one value a line */
    char closers[JSON_DEPTH];
    bool empty[JSON_DEPTH];
};

void json_init(struct json *j, struct buf *out, bool pretty);

void json_object(struct json *j);
void json_array(struct json *j);
void json_end(struct json *j); /* ends the innermost object or array */

void json_key(struct json *j, const char *key);
void json_key_str(struct json *j, struct str key);
void json_str(struct json *j, struct str value);
void json_cstr(struct json *j, const char *value); /* NULL becomes null */
void json_u64(struct json *j, uint64_t value);
void json_i64(struct json *j, int64_t value);
void json_double(struct json *j, double value, int decimals); /* not finite: null */
void json_bool(struct json *j, bool value);
void json_null(struct json *j);
