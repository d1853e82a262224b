/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * knowledge_files: the knowledge with which a command explains: what is built in, then the user's
 * folder ($XDG_CONFIG_HOME/flightstrip/knowledge, else ~/.config/flightstrip/knowledge), then each
 * folder that was asked for. What comes later replaces what has the same id or host from before.
 *
 * Of a folder all *.yaml and *.yml files are read, those of its folders too, in the order of their
 * paths. Names that begin with a dot are passed over.
 */
#pragma once

#include "base/err.h"
#include "explain/knowledge.h"

enum {
    KNOWLEDGE_FILE_BYTES = 4 << 20, /* of one file */
    KNOWLEDGE_FILES = 1000,         /* in one folder, with those below */
    KNOWLEDGE_LEVELS = 8,           /* of folders in folders */
};

/*
 * What is wrong inside the files is printed on standard error and left out; the rest is known. A
 * file or folder that cannot be read is an error, and names it; the user's folder need not exist.
 */
int knowledge_load(const char *const *folders, size_t n, struct knowledge **ret_knowledge,
                   struct err *err);

/* The same for knowledge that takes the place of other: what is wrong inside a file is an error
 * too. */
int knowledge_load_whole(const char *const *folders, size_t n, struct knowledge **ret_knowledge,
                         struct err *err);

/* One file's bytes, up to KNOWLEDGE_FILE_BYTES; ret_bytes is made and filled. */
int knowledge_read_file(const char *path, struct buf *ret_bytes, struct err *err);
