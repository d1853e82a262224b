/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/gzip.h"

#include <assert.h>
#include <zlib.h>

enum {
    QUICKLY = 1,
    WITH_GZIP_HEAD = 16, /* what zlib wants added to the bits of the window for it */
    MEMORY_LEVEL = 8,
    PIECE_BYTES = 16 << 10,
};

/* zlib fails for want of memory alone here; then nothing fits. */
static void deflate_all(struct buf *out, z_stream *z, struct str bytes)
{
    size_t room = deflateBound(z, bytes.n);
    void *to = buf_reserve(out, room);

    if (!to)
        return;
    z->next_in = (void *)bytes.p;
    z->avail_in = (uInt)bytes.n;
    z->next_out = to;
    z->avail_out = (uInt)room;
    deflate(z, Z_FINISH);
    buf_wrote(out, z->total_out);
}

void gzip_put(struct buf *out, struct str bytes)
{
    z_stream z = {0};

    assert(bytes.n < UINT32_MAX / 2);
    if (deflateInit2(&z, QUICKLY, Z_DEFLATED, MAX_WBITS + WITH_GZIP_HEAD, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        out->full = true;
        return;
    }
    deflate_all(out, &z, bytes);
    deflateEnd(&z);
}

static int inflate_piece(struct buf *out, z_stream *z)
{
    uint8_t piece[PIECE_BYTES];
    int r;

    z->next_out = piece;
    z->avail_out = sizeof piece;
    r = inflate(z, Z_NO_FLUSH);
    buf_put(out, piece, sizeof piece - z->avail_out);
    return out->full ? Z_MEM_ERROR : r;
}

bool gunzip_put(struct buf *out, struct str bytes)
{
    z_stream z = {.next_in = (void *)bytes.p, .avail_in = (uInt)bytes.n};
    int r;

    if (inflateInit2(&z, MAX_WBITS + WITH_GZIP_HEAD) != Z_OK)
        return false;
    do
        r = inflate_piece(out, &z);
    while (r == Z_OK && (z.avail_in || !z.avail_out));
    inflateEnd(&z);
    return r == Z_STREAM_END;
}
