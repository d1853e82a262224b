/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Knowledge from files: each of a file's lists is read by its own reader, rules with the id of an
 * earlier one replace it, and what refers to other rules is resolved when all of them are there.
 */
#include "explain/knowledge.h"

#include "base/map.h"
#include "base/xalloc.h"
#include "explain/endpoints_load.h"
#include "explain/matcher.h"
#include "explain/rules.h"
#include "explain/value.h"
#include "explain/verdict.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* A list that grows by one; its entries live in the arena. */
struct list {
    void **v;
    size_t n;
    size_t newest; /* of verdicts: how many are of the file that is being read; they come first */
};

struct knowledge {
    struct arena *arena;
    struct endpoints *endpoints;
    struct list rules, phases, scenarios, outcomes;
    struct rules built;
    uint64_t digest;
};

struct knowledge *knowledge_create(void)
{
    struct knowledge *k = xalloc(sizeof *k);

    k->arena = arena_create();
    k->endpoints = endpoints_create();
    return k;
}

static void release_built(struct knowledge *k)
{
    free(k->built.conditions);
    free(k->built.ids);
    free(k->built.services);
    k->built = (struct rules){0};
}

void knowledge_destroy(struct knowledge *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->rules.n; i++)
        rule_release(k->rules.v[i]);
    free(k->rules.v);
    free(k->phases.v);
    free(k->scenarios.v);
    free(k->outcomes.v);
    release_built(k);
    endpoints_destroy(k->endpoints);
    arena_destroy(k->arena);
    free(k);
}

static void list_add(struct list *l, void *entry)
{
    l->v = xreallocarray(l->v, l->n + 1, sizeof *l->v);
    l->v[l->n++] = entry;
}

static void list_insert(struct list *l, size_t at, void *entry)
{
    list_add(l, entry);
    memmove(&l->v[at + 1], &l->v[at], (l->n - 1 - at) * sizeof *l->v);
    l->v[at] = entry;
}

/* --- one reader for each list that a file can have --- */

static bool has_room(const struct list *list, size_t max, struct yaml_doc *doc,
                     const struct yaml_node *node)
{
    if (list->n < max)
        return true;
    yaml_problem(doc, node, "more than %zu of these", max);
    return false;
}

static void add_rule(struct knowledge *k, struct yaml_doc *doc, const struct yaml_node *node,
                     enum rule_kind kind)
{
    struct rule *rule = rule_load(doc, node, kind, k->arena);

    if (!rule)
        return;
    for (size_t i = 0; i < k->rules.n; i++) {
        struct rule *earlier = k->rules.v[i];

        if (str_eq(earlier->id, rule->id)) {
            rule_release(earlier);
            k->rules.v[i] = rule;
            return;
        }
    }
    if (has_room(&k->rules, RULES_MAX, doc, node))
        list_add(&k->rules, rule);
    else
        rule_release(rule);
}

static void add_moment(struct knowledge *k, struct yaml_doc *doc, const struct yaml_node *node)
{
    add_rule(k, doc, node, RULE_MOMENT);
}

static void add_finding(struct knowledge *k, struct yaml_doc *doc, const struct yaml_node *node)
{
    add_rule(k, doc, node, RULE_FINDING);
}

static void add_phase(struct knowledge *k, struct yaml_doc *doc, const struct yaml_node *node)
{
    struct phase_rule *phase = phase_load(doc, node, k->arena);

    for (size_t i = 0; phase && i < k->phases.n; i++)
        if (str_eq(((struct phase_rule *)k->phases.v[i])->id, phase->id)) {
            k->phases.v[i] = phase;
            return;
        }
    if (phase && has_room(&k->phases, PHASES_MAX, doc, node))
        list_add(&k->phases, phase);
}

/*
 * The first verdict that fits is it, so a later file's have to be asked before an earlier one's:
 * that is how they override. Within a file the order is the file's.
 */
static void add_verdict(struct knowledge *k, struct list *list, struct yaml_doc *doc,
                        const struct yaml_node *node)
{
    struct verdict_rule *v = verdict_load(doc, node, k->arena);

    if (v && has_room(list, VERDICTS_MAX, doc, node))
        list_insert(list, list->newest++, v);
}

static void add_scenario(struct knowledge *k, struct yaml_doc *doc, const struct yaml_node *node)
{
    add_verdict(k, &k->scenarios, doc, node);
}

static void add_outcome(struct knowledge *k, struct yaml_doc *doc, const struct yaml_node *node)
{
    add_verdict(k, &k->outcomes, doc, node);
}

struct reader_row {
    const char *key;
    void (*add)(struct knowledge *k, struct yaml_doc *doc, const struct yaml_node *node);
};

static const struct reader_row readers[] = {
    {"moments", add_moment},     {"findings", add_finding}, {"phases", add_phase},
    {"scenarios", add_scenario}, {"outcomes", add_outcome},
};

enum { READERS = sizeof readers / sizeof *readers };

static void read_list(struct knowledge *k, struct yaml_doc *doc, const struct reader_row *row)
{
    const struct yaml_node *list = yaml_get(doc->root, row->key);

    if (!list || !yaml_is(doc, list, YAML_LIST))
        return;
    for (const struct yaml_node *node = list->first; node; node = node->next)
        row->add(k, doc, node);
}

unsigned knowledge_add(struct knowledge *k, struct str file_name, struct str bytes,
                       struct buf *problems)
{
    static const char *const keys[] = {"services", "sources",   "endpoints", "moments", "findings",
                                       "phases",   "scenarios", "outcomes",  NULL};
    struct yaml_doc *doc = yaml_parse(file_name, bytes);

    k->digest = k->digest * 0x100000001b3ull + str_hash(bytes);
    k->scenarios.newest = k->outcomes.newest = 0;
    if (doc->root && yaml_keys(doc, doc->root, keys)) {
        endpoints_load(k->endpoints, doc);
        for (size_t i = 0; i < READERS; i++)
            read_list(k, doc, &readers[i]);
    }

    unsigned count = doc->problem_count;
    buf_put_str(problems, buf_str(&doc->problems));
    yaml_destroy(doc);
    return count;
}

/* --- building --- */

struct builder {
    struct knowledge *k;
    struct buf *problems;
    unsigned count;
};

static void complain(struct builder *b, struct str file, unsigned line, const char *what,
                     struct str name, const char *why)
{
    buf_printf(b->problems, STR_FMT ":%u: %s '" STR_FMT "' %s\n", STR_ARG(file), line, what,
               STR_ARG(name), why);
    b->count++;
}

static uint64_t *resolve(struct builder *b, const struct rule *rule, const struct strs *ids)
{
    uint64_t *found = arena_array(b->k->arena, ids->n, sizeof *found);

    for (size_t i = 0; i < ids->n; i++) {
        found[i] = rules_id(&b->k->built, ids->v[i]);
        if (found[i] == SIZE_MAX) {
            complain(b, rule->file, rule->line, "the moment", ids->v[i],
                     "is not the id of any rule");
            found[i] = rule->index;
        }
    }
    return found;
}

static bool phase_exists(const struct knowledge *k, struct str id)
{
    for (size_t i = 0; i < k->phases.n; i++)
        if (str_eq(((const struct phase_rule *)k->phases.v[i])->id, id))
            return true;
    return false;
}

static void check_services(struct builder *b, const struct rule *rule, const struct selector *s)
{
    for (size_t i = 0; i < s->services.n; i++)
        if (!rules_service(&b->k->built, s->services.v[i]))
            complain(b, rule->file, rule->line, "the service", s->services.v[i],
                     "is not that of any endpoint");
    if (s->except)
        check_services(b, rule, s->except);
}

static void build_condition(struct builder *b, struct rule *rule, struct condition *c)
{
    struct rules *r = &b->k->built;
    size_t align = alignof(max_align_t);

    c->index = (unsigned)r->condition_count;
    c->state_offset = r->state_bytes;
    r->state_bytes += (c->matcher->state_bytes + align - 1) & ~(align - 1);
    r->conditions = xreallocarray(r->conditions, r->condition_count + 1, sizeof *r->conditions);
    r->conditions[r->condition_count++] = c;

    c->gate.after_ids = resolve(b, rule, &c->gate.after);
    c->gate.after_any_ids = resolve(b, rule, &c->gate.after_any);
    c->gate.before_ids = resolve(b, rule, &c->gate.before);
    if (c->moment.n)
        c->moment_index = resolve(b, rule, &(struct strs){1, &c->moment})[0];
    for (size_t i = 0; i < c->gate.during.n; i++)
        if (!phase_exists(b->k, c->gate.during.v[i]))
            complain(b, rule->file, rule->line, "the phase", c->gate.during.v[i],
                     "is not the id of any phase");
    check_services(b, rule, &c->select);
    check_services(b, rule, &c->then);
}

static void check_text(struct builder *b, const struct rule *rule, const struct text *text)
{
    for (const struct text_piece *p = text->pieces; p; p = p->next) {
        const char *why = p->name.n ? value_check(rule, &b->k->built, p->name, p->argument) : NULL;

        if (why)
            complain(b, rule->file, rule->line, "the value", p->name, why);
    }
}

static bool scenario_exists(const struct knowledge *k, struct str id)
{
    for (size_t i = 0; i < k->scenarios.n; i++)
        if (str_eq(((const struct verdict_rule *)k->scenarios.v[i])->id, id))
            return true;
    return false;
}

static void check_scenarios(struct builder *b, struct str file, unsigned line,
                            const struct strs *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        if (!str_eq(ids->v[i], SCENARIO_UNKNOWN) && !scenario_exists(b->k, ids->v[i]))
            complain(b, file, line, "the scenario", ids->v[i], "is not the id of any scenario");
}

static void check_texts(struct builder *b, const struct rule *rule)
{
    check_text(b, rule, &rule->title);
    for (const struct text *t = rule->says; t; t = t->next)
        check_text(b, rule, t);
    for (const struct text *t = rule->remedy; t; t = t->next)
        check_text(b, rule, t);
    if (rule->phase.n && !phase_exists(b->k, rule->phase))
        complain(b, rule->file, rule->line, "the phase", rule->phase, "is not the id of any phase");
}

static void check_ids(struct builder *b, struct str file, unsigned line, const struct strs *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        if (rules_id(&b->k->built, ids->v[i]) == SIZE_MAX)
            complain(b, file, line, "the moment", ids->v[i], "is not the id of any rule");
}

static void check_verdict(struct builder *b, const struct verdict_rule *v)
{
    const struct rule anyone = {.file = v->file, .line = v->line};

    check_ids(b, v->file, v->line, &v->needs);
    check_ids(b, v->file, v->line, &v->needs_any);
    check_ids(b, v->file, v->line, &v->without);
    check_ids(b, v->file, v->line, &v->order);
    check_ids(b, v->file, v->line, &v->finding_any);
    for (const struct text *t = v->says; t; t = t->next)
        check_text(b, &anyone, t);
}

/* The services that endpoints have, each once; 0 is the unknown one. */
static void collect_services(struct knowledge *k)
{
    struct rules *r = &k->built;
    struct str_map seen = {0};
    size_t n = endpoints_count(k->endpoints);

    r->services = xreallocarray(NULL, n + 1, sizeof *r->services);
    r->services[0] = (struct str){0};
    r->service_count = 1;
    for (size_t i = 0; i < n; i++) {
        struct str service = endpoints_at(k->endpoints, i)->service;

        if (str_map_get(&seen, service))
            continue;
        str_map_put(&seen, service, k);
        r->services[r->service_count++] = service;
    }
    str_map_finish(&seen);
}

unsigned knowledge_build(struct knowledge *k, struct buf *problems)
{
    struct builder b = {k, problems, 0};
    struct rules *r = &k->built;

    release_built(k);
    endpoints_build(k->endpoints);
    r->endpoints = k->endpoints;
    collect_services(k);

    r->rules = (const struct rule **)k->rules.v;
    r->rule_count = k->rules.n;
    r->phases = (const struct phase_rule **)k->phases.v;
    r->phase_count = k->phases.n;
    r->scenarios = (const struct verdict_rule **)k->scenarios.v;
    r->scenario_count = k->scenarios.n;
    r->outcomes = (const struct verdict_rule **)k->outcomes.v;
    r->outcome_count = k->outcomes.n;

    r->ids = xreallocarray(NULL, r->rule_count, sizeof *r->ids);
    for (size_t i = 0; i < r->rule_count; i++) {
        struct rule *rule = k->rules.v[i];
        rule->index = i;
        r->ids[i] = rule->id;
    }
    for (size_t i = 0; i < r->rule_count; i++) {
        struct rule *rule = k->rules.v[i];

        for (struct condition *c = rule->conditions; c; c = c->next)
            build_condition(&b, rule, c);
        check_texts(&b, rule);
        check_scenarios(&b, rule->file, rule->line, &rule->only_in);
        check_scenarios(&b, rule->file, rule->line, &rule->not_in);
    }
    for (size_t i = 0; i < r->phase_count; i++) {
        check_ids(&b, r->phases[i]->file, r->phases[i]->line, &r->phases[i]->starts);
        check_ids(&b, r->phases[i]->file, r->phases[i]->line, &r->phases[i]->ends);
        check_scenarios(&b, r->phases[i]->file, r->phases[i]->line, &r->phases[i]->only_in);
        check_scenarios(&b, r->phases[i]->file, r->phases[i]->line, &r->phases[i]->not_in);
    }
    for (size_t i = 0; i < r->scenario_count; i++)
        check_verdict(&b, r->scenarios[i]);
    for (size_t i = 0; i < r->outcome_count; i++)
        check_verdict(&b, r->outcomes[i]);
    return b.count;
}

/* --- reading it --- */

const struct endpoints *knowledge_endpoints(const struct knowledge *k)
{
    return k->endpoints;
}

const struct rules *knowledge_rules(const struct knowledge *k)
{
    return &k->built;
}

uint64_t knowledge_digest(const struct knowledge *k)
{
    return k->digest;
}

size_t rules_id(const struct rules *r, struct str id)
{
    for (size_t i = 0; i < r->rule_count; i++)
        if (str_eq(r->ids[i], id))
            return i;
    return SIZE_MAX;
}

unsigned rules_service(const struct rules *r, struct str id)
{
    for (size_t i = 1; i < r->service_count; i++)
        if (str_eq(r->services[i], id))
            return (unsigned)i;
    return 0;
}

size_t knowledge_rule_count(const struct knowledge *k)
{
    return k->rules.n + k->phases.n + k->scenarios.n + k->outcomes.n;
}

struct rule_info knowledge_rule(const struct knowledge *k, size_t i)
{
    if (i < k->rules.n) {
        const struct rule *rule = k->rules.v[i];
        return (struct rule_info){rule->kind == RULE_MOMENT ? STR("moment") : STR("finding"),
                                  rule->id,
                                  rule->title_source,
                                  rule->file,
                                  rule->line,
                                  rule->says};
    }
    i -= k->rules.n;
    if (i < k->phases.n) {
        const struct phase_rule *p = k->phases.v[i];
        return (struct rule_info){STR("phase"), p->id, p->title, p->file, p->line, NULL};
    }
    i -= k->phases.n;

    bool scenario = i < k->scenarios.n;
    const struct verdict_rule *v = scenario ? k->scenarios.v[i] : k->outcomes.v[i - k->scenarios.n];
    return (struct rule_info){
        scenario ? STR("scenario") : STR("outcome"), v->id, v->title, v->file, v->line, v->says};
}
