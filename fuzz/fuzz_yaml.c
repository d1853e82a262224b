/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes are a YAML file: the tree keeps what yaml.h promises, every typed read answers every
 * node, and problems stay text that a terminal can show.
 */
#include "base/yaml.h"

#include <assert.h>

/* What a walk down the tree counts. */
struct walk {
    struct yaml_doc *doc;
    unsigned nodes, depth;
};

static void read_all_ways(struct yaml_doc *doc, const struct yaml_node *node)
{
    static const char *const words[] = {"yes", "no", "conditional", NULL};
    struct yaml_node *first = NULL;
    struct str text;
    uint64_t number;
    unsigned index = 0;
    size_t n = 0;
    bool truth;

    if (yaml_text(doc, node, &text))
        assert(node->kind == YAML_SCALAR);
    yaml_u64(doc, node, &number);
    yaml_bool(doc, node, &truth);
    yaml_duration(doc, node, &number);
    yaml_bytes(doc, node, &number);
    if (yaml_choice(doc, node, words, &index))
        assert(index < 3);
    if (yaml_texts(doc, node, &first, &n))
        for (; n; n--, first = first->next)
            assert(first->kind == YAML_SCALAR);
    yaml_keys(doc, node, words);
    if (node->kind == YAML_MAP)
        yaml_need(doc, node, "no");
}

static void visit(struct walk *w, const struct yaml_node *node)
{
    assert(++w->nodes <= YAML_NODES && ++w->depth <= YAML_DEPTH + 1);
    assert(node->line > 0 && node->column > 0);
    read_all_ways(w->doc, node);
    for (const struct yaml_node *at = node->first; at; at = at->next) {
        assert((at->key != NULL) == (node->kind == YAML_MAP));
        if (at->key) {
            assert(at->key->kind == YAML_SCALAR);
            for (const struct yaml_node *other = node->first; other != at; other = other->next)
                assert(!str_eq(other->key->text, at->key->text));
        }
        visit(w, at);
    }
    w->depth--;
}

static void check_problems(const struct yaml_doc *doc)
{
    struct str text = buf_str(&doc->problems);
    unsigned lines = 0;

    assert((doc->problem_count == 0) == (text.n == 0));
    for (size_t i = 0; i < text.n; i++) {
        assert((uint8_t)text.p[i] >= 0x20 || text.p[i] == '\n');
        lines += text.p[i] == '\n';
    }
    assert(lines <= YAML_PROBLEMS * 3 + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct walk w = {.doc = yaml_parse(STR("f.yaml"), str_from(data, size))};

    if (w.doc->root)
        visit(&w, w.doc->root);
    check_problems(w.doc);
    yaml_destroy(w.doc);
    return 0;
}
