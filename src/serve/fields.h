/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fields: what the values of a request's fields say (RFC 9110). A value that is not what its field
 * wants says nothing. An absent field is an empty str.
 */
#pragma once

#include "base/str.h"

/* Of Accept-Encoding. */
bool fields_accept_gzip(struct str value);

/* Of If-None-Match: whether one of its tags is this one, weak or not; `etag` is without quotes. */
bool fields_have_etag(struct str value, struct str etag);

/* Of Cookie: the next value of that name; false when there is none in *rest, which it cuts. */
bool fields_next_cookie(struct str *rest, struct str name, struct str *ret_value);

enum range {
    RANGE_WHOLE,   /* none was asked for, or several, or it cannot be read */
    RANGE_PART,    /* from *ret_from on, *ret_n bytes: at least one, and all there */
    RANGE_NOWHERE, /* beyond the end */
};

/* Of Range, for something of `size` bytes. */
enum range fields_range(struct str value, uint64_t size, uint64_t *ret_from, uint64_t *ret_n);
