/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A chunked body. The first byte says into what pieces it is cut, from 1 to 16 bytes and in turn
 * of several sizes; where it ends, whether it is refused, and what is kept of it must not depend on
 * that. Passed on with its framing it is what came; without it, its payload alone.
 */
#include "base/buf.h"
#include "wire/http1.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct outcome {
    enum parsed end;
    size_t taken;
    struct buf kept;
};

/* The n-th piece. */
static size_t piece_bytes(uint8_t cut, size_t n)
{
    return n % 2 ? 1 + (cut >> 4) : 1 + (cut & 0xf);
}

static enum parsed take_piece(struct http1_body *body, struct str piece, struct outcome *o)
{
    size_t taken, kept;
    char *copy = malloc(piece.n ? piece.n : 1); /* of its size, so that a read past it is seen */
    enum parsed r;

    if (piece.n)
        memcpy(copy, piece.p, piece.n);
    r = http1_body_take(body, copy, piece.n, &taken, &kept);
    assert(taken <= piece.n && kept <= taken);
    assert(r != PARSED_MORE || taken == piece.n);
    assert(body->unframed || kept == taken);
    buf_put(&o->kept, copy, kept);
    o->taken += taken;
    free(copy);
    return r;
}

/* cut 0: in one piece. */
static struct outcome take_all(struct str all, uint8_t cut, bool unframed)
{
    struct http1_head head = {.framing = HTTP1_CHUNKED};
    struct outcome o = {.end = PARSED_MORE};
    struct http1_body body;

    http1_body_init(&body, &head);
    body.unframed = unframed;
    buf_init(&o.kept, BUF_UNBOUNDED);
    for (size_t n = 0; all.n && o.end == PARSED_MORE; n++) {
        size_t bytes = cut ? piece_bytes(cut, n) : all.n;

        o.end = take_piece(&body, str_head(all, bytes), &o);
        all = str_skip(all, bytes);
    }
    return o;
}

static void check_same(struct str all, uint8_t cut, bool unframed)
{
    struct outcome whole = take_all(all, 0, unframed), pieces = take_all(all, cut, unframed);

    assert(whole.end == pieces.end);
    if (whole.end != PARSED_ODD) {
        assert(whole.taken == pieces.taken);
        assert(str_eq(buf_str(&whole.kept), buf_str(&pieces.kept)));
        assert(unframed || str_eq(buf_str(&whole.kept), str_head(all, whole.taken)));
    }
    buf_finish(&whole.kept);
    buf_finish(&pieces.kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = str_skip(str_from(data, size), 1);

    if (!all.n)
        return 0;
    check_same(all, data[0], false);
    check_same(all, data[0], true);
    return 0;
}
