/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * har_scan: finds the values of a HAR that matter, while the file streams past: log.creator,
 * log.browser and each element of log.entries, one after the other. So a HAR of any size needs the
 * memory of one entry.
 *
 * Long strings, which are bodies, are cut while an entry is gathered: a HAR with hundreds of
 * megabytes of responses in it does not gather them. It only finds where values begin and end; that
 * they are good JSON is for the reader of the value to say.
 */
#pragma once

#include "base/buf.h"

enum {
    HAR_VALUE_BYTES = 4 << 20,   /* a longer one is told as such */
    HAR_STRING_BYTES = 32 << 10, /* what is kept of a string */
};

enum har_part { HAR_NONE, HAR_CREATOR, HAR_BROWSER, HAR_ENTRY };

/* A value was found; it is too large to be kept when `text` is empty. Returns 0 to go on. */
typedef int har_found(void *ctx, enum har_part part, struct str text);

struct har_scan {
    har_found *found;
    void *ctx;

    unsigned depth;   /* how many objects and arrays are open */
    bool is_array[3]; /* the outermost of them */
    char keys[2][16]; /* the key in the root object, and in log */
    bool expects_key; /* the next string in an object is a key */

    bool in_string;
    size_t string_bytes; /* of the string so far */
    unsigned escape;     /* how many bytes of an escape are to come, as far as is known */
    bool cuts;           /* the rest of this string is not kept */
    char *key;           /* where a key goes that is being read; NULL: it does not matter */
    size_t key_bytes;

    enum har_part part;  /* what is being gathered */
    unsigned part_depth; /* the depth outside of it */
    struct buf value;
};

void har_scan_init(struct har_scan *s, har_found *found, void *ctx);
void har_scan_finish(struct har_scan *s);

/* 0, or what `found` returned. */
int har_scan_feed(struct har_scan *s, struct str piece);

/* Whether the document came to its end. */
bool har_scan_complete(const struct har_scan *s);
