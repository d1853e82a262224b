/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "explain/endpoints_load.h"

#include "base/host_pattern.h"
#include "base/nearest.h"

const char *const phase_ids[] = {
    "net",         "ident", "profile", "activate", "oobe-update", "attest",
    "signin",      "join",  "enroll",  "esp-prep", "esp-device",  "odj",
    "esp-account", "dpp",   "desktop", "any",      NULL,
};

/* In the order of enum requirement. */
static const char *const requirements[] = {"no", "conditional", "yes", NULL};
static const char *const supports[] = {"supported", "unsupported", NULL};

static const char *const service_keys[] = {"title", "says", NULL};
static const char *const endpoint_keys[] = {
    "host",       "service", "role",   "phases", "required", "ports",
    "inspection", "proxies", "legacy", "source", NULL,
};

/* A short list, as ports, phases and sources are; so it costs little to put together. */
enum { FEW = 32 };

static bool few_texts(struct yaml_doc *doc, const struct yaml_node *node,
                      struct yaml_node **ret_first)
{
    size_t n = 0;

    if (!yaml_texts(doc, node, ret_first, &n))
        return false;
    if (n > FEW)
        yaml_problem(doc, node, "more than %d of them", FEW);
    return n <= FEW;
}

static void append(struct yaml_doc *doc, struct str *list, struct str item, const char *between)
{
    *list = arena_printf(doc->arena, STR_FMT "%s" STR_FMT, STR_ARG(*list), list->n ? between : "",
                         STR_ARG(item));
}

/* --- hosts ------------------------------------------------------------------------------------ */

/* What is wrong with a pattern, or NULL. */
static const char *host_complaint(struct str pattern)
{
    const char *complaint = host_pattern_complaint(pattern);

    return !complaint && host_pattern_fits_all(pattern) ? "this would fit every host" : complaint;
}

/* --- the fields of an endpoint ---------------------------------------------------------------- */

static bool is_port(struct str text)
{
    struct str number = str_cut(&text, '/');
    uint64_t port = 0;

    return str_to_u64(number, &port) && port > 0 && port <= 65535 &&
           (!text.n || str_eq(text, STR("udp")) || str_eq(text, STR("tcp")));
}

static struct str read_ports(struct yaml_doc *doc, const struct yaml_node *node)
{
    struct yaml_node *item = NULL;
    struct str ports = {0};

    if (!few_texts(doc, node, &item))
        return STR("443");
    for (; item; item = item->next) {
        if (is_port(item->text))
            append(doc, &ports, item->text, ",");
        else
            yaml_problem(doc, item, "expected a port (443, 123/udp), found '" STR_FMT "'",
                         STR_ARG(str_head(item->text, 40)));
    }
    return ports;
}

static struct str read_phases(struct yaml_doc *doc, const struct yaml_node *node)
{
    struct yaml_node *item = NULL;
    struct str phases = {0};
    unsigned index = 0;

    if (few_texts(doc, node, &item))
        for (; item; item = item->next)
            if (yaml_choice(doc, item, phase_ids, &index))
                append(doc, &phases, item->text, ",");
    return phases;
}

/* Past the last problem that is shown nobody reads a hint, and none is made. */
static bool hints_are_read(const struct yaml_doc *doc)
{
    return doc->problem_count < YAML_PROBLEMS;
}

/* The document's `sources:`, when it has any that can be read. */
static const struct yaml_node *sources_of(const struct yaml_doc *doc)
{
    const struct yaml_node *sources = yaml_get(doc->root, "sources");

    return sources && sources->kind == YAML_MAP ? sources : NULL;
}

/* Their keys, for a hint. */
static const char *const *source_words(struct yaml_doc *doc, const struct yaml_node *sources)
{
    size_t n = hints_are_read(doc) ? yaml_count(sources) : 0, i = 0;
    const char **words = arena_array(doc->arena, n + 1, sizeof *words);

    for (const struct yaml_node *at = n ? sources->first : NULL; at; at = at->next)
        words[i++] = at->key->text.p;
    return words;
}

/* A key of `sources:`, or the source itself, which is more than a word. */
static struct str read_source(struct yaml_doc *doc, const struct yaml_node *sources,
                              const struct yaml_node *item)
{
    const struct yaml_node *named = yaml_get(sources, arena_str(doc->arena, item->text).p);
    bool written_out = false;
    struct str source = {0};

    if (named)
        return yaml_text(doc, named, &source) ? source : (struct str){0};
    for (size_t i = 0; i < item->text.n; i++)
        written_out = written_out || item->text.p[i] == ' ' || item->text.p[i] == '.' ||
                      item->text.p[i] == '/';
    if (written_out)
        return item->text;

    const char *near = nearest_word(item->text, source_words(doc, sources));
    yaml_problem(doc, item, "'" STR_FMT "' is not among this file's sources%s%s%s",
                 STR_ARG(str_head(item->text, 40)), near ? "; did you mean '" : "",
                 near ? near : "", near ? "'?" : "");
    return (struct str){0};
}

/* Without a source it is the file's author who says so. */
static struct str read_sources(struct yaml_doc *doc, const struct yaml_node *node)
{
    const struct yaml_node *sources = sources_of(doc);
    struct yaml_node *item = NULL;
    struct str all = {0};

    if (!few_texts(doc, node, &item))
        return doc->name;
    for (; item; item = item->next) {
        struct str source = read_source(doc, sources, item);

        if (source.n)
            append(doc, &all, source, "; ");
    }
    return all;
}

static const char *const *service_words(const struct endpoints *e, struct yaml_doc *doc)
{
    size_t n = hints_are_read(doc) ? endpoints_service_count(e) : 0;
    const char **words = arena_array(doc->arena, n + 1, sizeof *words);

    for (size_t i = 0; i < n; i++)
        words[i] = endpoints_service_at(e, i)->id.p;
    return words;
}

static bool read_service(const struct endpoints *e, struct yaml_doc *doc,
                         const struct yaml_node *node, struct str *ret)
{
    const char *near;

    if (!yaml_text(doc, node, ret))
        return false;
    if (endpoints_service(e, *ret))
        return true;
    near = nearest_word(*ret, service_words(e, doc));
    if (near)
        yaml_problem(doc, node, "no service is called '" STR_FMT "'; did you mean '%s'?",
                     STR_ARG(str_head(*ret, 40)), near);
    else
        yaml_problem(doc, node,
                     "no service is called '" STR_FMT "'; give it a title under 'services:'",
                     STR_ARG(str_head(*ret, 40)));
    return false;
}

/* --- entries ---------------------------------------------------------------------------------- */

/* Everything but the pattern; false when it says too little to be kept. */
static bool read_endpoint(const struct endpoints *e, struct yaml_doc *doc,
                          const struct yaml_node *map, struct endpoint *ret)
{
    unsigned required = REQUIRED_NO, inspection = 0, proxies = 0;
    struct endpoint endpoint = {0};
    bool good = read_service(e, doc, yaml_need(doc, map, "service"), &endpoint.service);

    good = yaml_text(doc, yaml_need(doc, map, "role"), &endpoint.role) && good;
    endpoint.phases = read_phases(doc, yaml_get(map, "phases"));
    endpoint.ports = read_ports(doc, yaml_get(map, "ports"));
    yaml_choice(doc, yaml_get(map, "required"), requirements, &required);
    yaml_choice(doc, yaml_get(map, "inspection"), supports, &inspection);
    yaml_choice(doc, yaml_get(map, "proxies"), supports, &proxies);
    yaml_bool(doc, yaml_get(map, "legacy"), &endpoint.legacy);
    endpoint.source = read_sources(doc, yaml_get(map, "source"));
    endpoint.required = (enum requirement)required;
    endpoint.inspection_unsupported = inspection == 1;
    endpoint.proxies_unsupported = proxies == 1;
    *ret = endpoint;
    return good;
}

static void load_endpoint(struct endpoints *e, struct yaml_doc *doc, const struct yaml_node *map)
{
    struct endpoint endpoint;
    struct yaml_node *host = NULL;
    size_t n = 0;

    if (!yaml_keys(doc, map, endpoint_keys))
        return;

    bool named = yaml_texts(doc, yaml_need(doc, map, "host"), &host, &n);
    if (!read_endpoint(e, doc, map, &endpoint) || !named)
        return;
    for (; host; host = host->next) {
        const char *complaint = host_complaint(host->text);

        if (complaint) {
            yaml_problem(doc, host, "%s", complaint);
            continue;
        }
        endpoint.pattern = host->text;
        endpoints_add(e, &endpoint);
    }
}

static void load_service(struct endpoints *e, struct yaml_doc *doc, const struct yaml_node *map)
{
    struct service_info service = {.id = map->key->text};

    if (!yaml_keys(doc, map, service_keys))
        return;
    yaml_text(doc, yaml_get(map, "says"), &service.says);
    if (yaml_text(doc, yaml_need(doc, map, "title"), &service.title))
        endpoints_add_service(e, &service);
}

unsigned endpoints_load(struct endpoints *e, struct yaml_doc *doc)
{
    const struct yaml_node *services = yaml_get(doc->root, "services");
    const struct yaml_node *endpoints = yaml_get(doc->root, "endpoints");
    unsigned before = doc->problem_count;

    yaml_is(doc, yaml_get(doc->root, "sources"), YAML_MAP);
    if (yaml_is(doc, services, YAML_MAP))
        for (const struct yaml_node *map = services->first; map; map = map->next)
            load_service(e, doc, map);
    if (yaml_is(doc, endpoints, YAML_LIST))
        for (const struct yaml_node *map = endpoints->first; map; map = map->next)
            load_endpoint(e, doc, map);
    return doc->problem_count - before;
}
