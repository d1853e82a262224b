/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * knowledge: what the program knows of the world, as data: endpoints, moments, phases, findings,
 * scenarios. It is read from YAML files that an administrator can write; knowledge/README.md
 * describes the format. A file's content may be added in any number of files; what comes later
 * replaces what has the same id (or host pattern) from before; of scenarios and outcomes, of which
 * the first that fits is it, those of later files are asked first.
 */
#pragma once

#include "base/buf.h"
#include "explain/endpoints.h"

struct knowledge;
struct text;

struct knowledge *knowledge_create(void);
void knowledge_destroy(struct knowledge *k);

/*
 * Adds one file's bytes. Problems are appended as text (file:line:column, the line, a caret);
 * returns how many. What is wrong is left out, the rest is kept.
 */
unsigned knowledge_add(struct knowledge *k, struct str file_name, struct str bytes,
                       struct buf *problems);

/* After the last add: references between files are checked, matchers are built. */
unsigned knowledge_build(struct knowledge *k, struct buf *problems);

const struct endpoints *knowledge_endpoints(const struct knowledge *k);

/* For `flightstrip rules list`: every rule, in the order of the files. */
struct rule_info {
    struct str kind; /* "moment", "phase", "finding", "scenario" */
    struct str id, title;
    struct str file;
    unsigned line;
    const struct text *says; /* what it says (text.h), or would; may be NULL */
};
size_t knowledge_rule_count(const struct knowledge *k);
struct rule_info knowledge_rule(const struct knowledge *k, size_t i);

/* A digest of all that was added: recorded with a recording, so that a strip can be dated. */
uint64_t knowledge_digest(const struct knowledge *k);
