/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes are the value of every field that the web server reads, and its gzip: a range is inside
 * of what it is of, a cookie inside of its field, and what is compressed comes back.
 */
#include "serve/fields.h"
#include "serve/gzip.h"

#include <assert.h>

enum { GUNZIPPED_MAX = 1 << 16 };

static void check_range(struct str value, uint64_t size)
{
    uint64_t from = 0, n = 0;

    if (fields_range(value, size, &from, &n) == RANGE_PART)
        assert(n && n <= size && from <= size - n);
}

static void check_cookies(struct str value)
{
    struct str rest = value, cookie;

    while (fields_next_cookie(&rest, STR("a"), &cookie))
        assert(!cookie.n || (cookie.p >= value.p && cookie.p + cookie.n <= value.p + value.n));
}

static void check_gzip(struct str value)
{
    struct buf packed, plain;

    buf_init(&packed, BUF_UNBOUNDED);
    buf_init(&plain, BUF_UNBOUNDED);
    gzip_put(&packed, value);
    assert(gunzip_put(&plain, buf_str(&packed)) && str_eq(buf_str(&plain), value));
    buf_finish(&plain);
    buf_finish(&packed);

    buf_init(&plain, GUNZIPPED_MAX);
    gunzip_put(&plain, value);
    assert(plain.n <= GUNZIPPED_MAX);
    buf_finish(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str value = str_from(data, size);

    fields_accept_gzip(value);
    fields_have_etag(value, STR("x"));
    check_cookies(value);
    check_range(value, 0);
    check_range(value, 1);
    check_range(value, 1000);
    check_range(value, UINT64_MAX);
    check_gzip(value);
    return 0;
}
