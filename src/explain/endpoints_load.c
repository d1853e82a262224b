/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "explain/endpoints_load.h"

static void load_one(struct endpoints *e, struct yaml_doc *doc, const struct yaml_node *node)
{
    static const char *const words[] = {"no", "conditional", "yes", NULL};
    struct endpoint endpoint = {0};
    unsigned which = 0;

    yaml_text(doc, yaml_need(doc, node, "host"), &endpoint.pattern);
    yaml_text(doc, yaml_need(doc, node, "service"), &endpoint.service);
    yaml_text(doc, yaml_get(node, "role"), &endpoint.role);
    yaml_text(doc, yaml_get(node, "phases"), &endpoint.phases);
    if (yaml_choice(doc, yaml_get(node, "required"), words, &which))
        endpoint.required = (enum requirement)which;
    if (endpoint.pattern.n)
        endpoints_add(e, &endpoint);
}

unsigned endpoints_load(struct endpoints *e, struct yaml_doc *doc)
{
    const struct yaml_node *list = yaml_get(doc->root, "endpoints");
    unsigned n = 0;

    for (const struct yaml_node *node = list ? list->first : NULL; node; node = node->next, n++)
        load_one(e, doc, node);
    return n;
}
