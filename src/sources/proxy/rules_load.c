/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The policy file, which says what the command line can:
 *
 *     allow: [10.0.0.0/8, 192.168.0.0/16]
 *     ports: 443,80,8443
 *     deny: ["*.example.net"]
 *     block: ["*.events.data.microsoft.com"]
 *     throttle: {"*.dl.delivery.mp.microsoft.com": 1.5MB}
 *     delay: {login.microsoftonline.com: 250ms}
 *     upstream:
 *       default: http://proxy.example:3128
 *       for: {"*.example.com": direct}
 *       credentials: upstream.secret
 */
#include "sources/proxy/rules_build.h"

static const char *const keys[] = {"allow",    "ports", "deny",     "block",
                                   "throttle", "delay", "upstream", NULL};
static const char *const upstream_keys[] = {"default", "for", "credentials", NULL};

/* True when there was nothing to complain of. */
static bool is_right(struct yaml_doc *doc, const struct yaml_node *node, const char *complaint)
{
    if (complaint)
        yaml_problem(doc, node, "%s, found '" STR_FMT "'", complaint,
                     STR_ARG(str_head(node->text, 40)));
    return !complaint;
}

static void load_each(struct rules *r, struct yaml_doc *doc, const struct yaml_node *node,
                      const char *(*take)(struct rules *r, struct str text))
{
    struct yaml_node *item = NULL;
    size_t n = 0;

    if (yaml_texts(doc, node, &item, &n))
        for (; item; item = item->next)
            is_right(doc, item, take(r, item->text));
}

/* deny, block: a list of patterns. */
static void load_patterns(struct rules *r, struct yaml_doc *doc, const struct yaml_node *node,
                          enum rule_sort sort)
{
    struct yaml_node *item = NULL;
    size_t n = 0;

    if (yaml_texts(doc, node, &item, &n))
        for (; item; item = item->next)
            is_right(doc, item, rules_host(r, sort, item->text, STR("")));
}

/* throttle, delay, upstream.for: a map from patterns to what holds for them. */
static void load_values(struct rules *r, struct yaml_doc *doc, const struct yaml_node *map,
                        enum rule_sort sort)
{
    struct str value;

    if (!yaml_is(doc, map, YAML_MAP))
        return;
    for (const struct yaml_node *at = map->first; at; at = at->next)
        if (is_right(doc, at->key, host_pattern_complaint(at->key->text)) &&
            yaml_text(doc, at, &value))
            is_right(doc, at, rules_host(r, sort, at->key->text, value));
}

/* A path that does not begin at the root begins in the policy file's folder. */
static struct str beside(struct yaml_doc *doc, struct str path)
{
    size_t slash = str_rfind(doc->name, '/');

    if (slash == doc->name.n || str_starts(path, STR("/")))
        return path;
    return arena_printf(doc->arena, STR_FMT "/" STR_FMT, STR_ARG(str_head(doc->name, slash)),
                        STR_ARG(path));
}

static void load_upstream(struct rules *r, struct yaml_doc *doc, const struct yaml_node *map)
{
    const struct yaml_node *first = yaml_get(map, "default");
    struct str text;

    if (!map || !yaml_keys(doc, map, upstream_keys))
        return;
    if (yaml_text(doc, first, &text))
        is_right(doc, first, rules_upstream(r, text));
    load_values(r, doc, yaml_get(map, "for"), RULE_UPSTREAM_FOR);
    if (yaml_text(doc, yaml_get(map, "credentials"), &text))
        rules_credentials(r, beside(doc, text));
}

unsigned rules_load(struct rules *r, struct yaml_doc *doc)
{
    const struct yaml_node *root = doc->root;
    unsigned before = doc->problem_count;

    if (!yaml_keys(doc, root, keys))
        return doc->problem_count - before;
    load_each(r, doc, yaml_get(root, "allow"), rules_allow);
    load_each(r, doc, yaml_get(root, "ports"), rules_ports);
    load_patterns(r, doc, yaml_get(root, "deny"), RULE_DENY);
    load_patterns(r, doc, yaml_get(root, "block"), RULE_BLOCK);
    load_values(r, doc, yaml_get(root, "throttle"), RULE_THROTTLE);
    load_values(r, doc, yaml_get(root, "delay"), RULE_DELAY);
    load_upstream(r, doc, yaml_get(root, "upstream"));
    return doc->problem_count - before;
}
