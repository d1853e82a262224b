/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A device's side of a connection: heads, bodies, further requests. However the bytes are cut into
 * pieces, the messages in them must end at the same places; two readers that disagree about that
 * are what request smuggling is made of.
 */
#include "base/url.h"
#include "sources/proxy/forward.h"
#include "wire/http1.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES = 16 };

/* Where each message's head and body end, and how the reading ended. */
struct ends {
    size_t n, at[2 * MESSAGES];
    enum parsed last;
};

static enum parsed read_head(struct str all, size_t from, size_t piece, size_t *ret_end,
                             struct http1_head *ret_head)
{
    enum parsed r = PARSED_MORE;
    size_t at = 0;

    for (size_t n = piece; r == PARSED_MORE; n += piece) {
        struct str here = str_skip(all, from);
        bool whole = n >= here.n;

        r = http1_find_end(str_head(here, n), &at, NULL);
        if (whole)
            break;
    }
    if (r != PARSED_DONE)
        return r;
    *ret_end = from + at;
    return http1_read_request(str_head(str_skip(all, from), at), ret_head, NULL);
}

static enum parsed read_body(struct str all, size_t from, size_t piece, bool unframed,
                             const struct http1_head *head, size_t *ret_end)
{
    struct http1_body body;
    enum parsed r;

    http1_body_init(&body, head);
    body.unframed = unframed;
    do {
        size_t n = all.n - from < piece ? all.n - from : piece, taken, kept;
        char *copy = malloc(n ? n : 1);

        if (n)
            memcpy(copy, all.p + from, n);
        r = http1_body_take(&body, copy, n, &taken, &kept);
        free(copy);
        assert(taken <= n && kept <= taken);
        assert(r != PARSED_MORE || taken == n);
        from += taken;
    } while (r == PARSED_MORE && from < all.n);
    *ret_end = from;
    return r;
}

/* A head that is passed on must be read the same by the next in line. */
static void check_forwarded(const struct http1_head *head)
{
    struct http1_head again;
    struct url url;
    struct buf out;
    size_t at = 0;

    if (str_eq(head->method, STR("CONNECT")) || !url_parse(head->target, &url) ||
        forward_objects(head))
        return;
    buf_init(&out, BUF_UNBOUNDED);
    forward_request(&out, head, &url, NULL);
    assert(http1_find_end(buf_str(&out), &at, NULL) == PARSED_DONE && at == out.n);
    assert(http1_read_request(buf_str(&out), &again, NULL) == PARSED_DONE);
    assert(again.framing == head->framing && again.length == head->length);
    assert(str_eq(again.method, head->method) && again.minor == head->minor);
    buf_finish(&out);
}

static struct ends read_all(struct str all, size_t piece, bool unframed)
{
    struct ends ends = {.last = PARSED_DONE};
    size_t from = 0;

    for (int i = 0; i < MESSAGES && ends.last == PARSED_DONE && from < all.n; i++) {
        struct http1_head head;

        ends.last = read_head(all, from, piece, &from, &head);
        if (ends.last != PARSED_DONE)
            break;
        check_forwarded(&head);
        ends.at[ends.n++] = from;
        ends.last = read_body(all, from, piece, unframed, &head, &from);
        ends.at[ends.n++] = from;
    }
    return ends;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = str_from(data, size);
    struct ends whole = read_all(all, size ? size : 1, false);
    struct ends pieces = read_all(all, 1 + size % 7, true);

    assert(whole.n == pieces.n && whole.last == pieces.last);
    assert(memcmp(whole.at, pieces.at, whole.n * sizeof *whole.at) == 0);
    return 0;
}
