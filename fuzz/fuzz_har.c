/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A HAR in pieces: the same entries are found however it is cut (the first byte says how), and what
 * an entry becomes is in order.
 */
#include "fuzz/account_check.h"
#include "sources/imports/har.h"
#include "sources/imports/har_scan.h"

static int note(void *ctx, enum har_part part, struct str text)
{
    struct buf *found = ctx;

    buf_put_byte(found, (uint8_t)part);
    buf_put_str(found, text);
    buf_put_byte(found, '\n');
    return 0;
}

static int read_entry(void *ctx, enum har_part part, struct str text)
{
    struct account *x = ctx;
    const char *why = NULL;
    json_t *entry = part == HAR_ENTRY ? json_object_in(text, NULL) : NULL;

    if (entry) {
        enum record_fate fate = har_entry(entry, x, &why);

        check_record(fate, x, why);
    }
    json_decref(entry);
    return 0;
}

static bool scan(struct str text, size_t piece_bytes, har_found *found, void *ctx)
{
    struct har_scan s;

    har_scan_init(&s, found, ctx);
    while (text.n) {
        har_scan_feed(&s, str_head(text, piece_bytes));
        text = str_skip(text, piece_bytes);
    }

    bool complete = har_scan_complete(&s);
    har_scan_finish(&s);
    return complete;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct account x;
    struct buf whole, cut;

    if (!size)
        return 0;

    struct str text = str_from(data + 1, size - 1);
    buf_init(&whole, BUF_UNBOUNDED);
    buf_init(&cut, BUF_UNBOUNDED);
    assert(scan(text, text.n + 1, note, &whole) == scan(text, data[0] % 64u + 1, note, &cut));
    assert(str_eq(buf_str(&whole), buf_str(&cut)));

    account_init(&x);
    scan(text, text.n + 1, read_entry, &x);
    account_finish(&x);
    buf_finish(&whole);
    buf_finish(&cut);
    return 0;
}
