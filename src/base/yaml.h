/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * yaml: files that people write (endpoints, rules, scenarios), read into a tree in which every node
 * knows its line and column, so that whoever wrote it is told exactly where it is wrong:
 *
 *     moments.yaml:12:9: 'burst' is not a key here; expected one of: id, title, says, flow
 *        12 |         burst: 3
 *           |         ^
 *
 * The subset: block and flow mappings and lists, plain and quoted scalars, | and > blocks,
 * comments. Refused by name: anchors, aliases and tags (an unquoted *.host is an alias in YAML: the
 * message says to quote it), more than one document, a key that stands twice, more than YAML_NODES
 * nodes or YAML_DEPTH levels. Problems are collected, up to YAML_PROBLEMS; a reader goes on after
 * one, so a person sees all of them at once.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum { YAML_NODES = 200000, YAML_DEPTH = 32, YAML_PROBLEMS = 20 };

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    unsigned line, column;   /* from 1 */
    struct str text;         /* scalar: its value. Borrowed from the doc's arena */
    bool quoted;             /* scalar: it stood in quotes or in a block */
    struct yaml_node *first; /* list: its items; map: its values */
    struct yaml_node *next;  /* the following item or value */
    struct yaml_node *key;   /* of a map's value: the scalar that names it */
};

struct yaml_doc {
    struct str name; /* the file's name, as problems show it */
    struct str source;
    struct arena *arena;
    struct yaml_node *root; /* NULL: empty, or not YAML; problems then say why */
    struct buf problems;    /* text, each as above, ended by a newline */
    unsigned problem_count;
};

/* Reads a whole file's bytes. The doc owns copies of what it needs. Always yields a doc. */
struct yaml_doc *yaml_parse(struct str name, struct str bytes);
void yaml_destroy(struct yaml_doc *doc);

/* Adds a problem at the node's place (NULL: the file's beginning). */
void yaml_problem(struct yaml_doc *doc, const struct yaml_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The value of a key in a map, or NULL. */
struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
size_t yaml_count(const struct yaml_node *list_or_map);

/*
 * Typed reads. `node` may be NULL (absent): then they return false and say nothing; when it is
 * there but wrong they add a problem that says what was expected and return false.
 */
bool yaml_text(struct yaml_doc *doc, const struct yaml_node *node, struct str *ret);
bool yaml_u64(struct yaml_doc *doc, const struct yaml_node *node, uint64_t *ret);
bool yaml_bool(struct yaml_doc *doc, const struct yaml_node *node,
               bool *ret); /* yes no true false */
bool yaml_duration(struct yaml_doc *doc, const struct yaml_node *node, uint64_t *ret_us);
bool yaml_bytes(struct yaml_doc *doc, const struct yaml_node *node,
                uint64_t *ret); /* 512, 2 kB, 3 MB */
/* One of a NULL-ended list of words; the index. */
bool yaml_choice(struct yaml_doc *doc, const struct yaml_node *node, const char *const *words,
                 unsigned *ret_index);
bool yaml_is(struct yaml_doc *doc, const struct yaml_node *node, enum yaml_kind kind);

/* A scalar or a list of scalars, as a chain: *ret_first and its ->next; false when it is neither.
 */
bool yaml_texts(struct yaml_doc *doc, const struct yaml_node *node, struct yaml_node **ret_first,
                size_t *ret_n);

/*
 * Every key of the map is in the NULL-ended list, or a problem with the nearest word as a hint.
 * True when node is a map (whatever its keys).
 */
bool yaml_keys(struct yaml_doc *doc, const struct yaml_node *map, const char *const *keys);
/* The value of a key that has to be there, or NULL and a problem. */
struct yaml_node *yaml_need(struct yaml_doc *doc, const struct yaml_node *map, const char *key);
