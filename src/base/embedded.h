/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * embedded: files that were built into the program. tools/embed.py makes such a table from files:
 *
 *     extern const struct embedded knowledge_files[];
 *     for (const struct embedded *f = knowledge_files; f->name; f++) …
 */
#pragma once

#include "base/str.h"

struct embedded {
    const char *name; /* the path below the folder it was taken from; NULL ends the table */
    const char *bytes;
    size_t n; /* a zero byte follows, which is not counted */
};

static inline struct str embedded_str(const struct embedded *f)
{
    return (struct str){f->bytes, f->n};
}
