/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules from YAML. What is wrong becomes a problem at its place, and reading goes on: whoever wrote
 * the file sees all of it at once. knowledge/README.md describes the format.
 */
#include "explain/rule.h"

#include "explain/flow.h"
#include "explain/matcher.h"

#include <inttypes.h>

#define GATE_KEYS "after", "after-any", "before", "during"
#define SCENARIO_KEYS "only-in", "not-in"

static struct strs load_strs(struct yaml_doc *doc, const struct yaml_node *node,
                             struct arena *arena)
{
    struct yaml_node *item = NULL;
    struct strs list = {0};
    size_t n = 0;

    if (!yaml_texts(doc, node, &item, &n))
        return list;
    list.v = arena_array(arena, n, sizeof *list.v);
    for (; item && list.n < n; item = item->next)
        list.v[list.n++] = arena_str(arena, item->text);
    return list;
}

static struct strs join(struct strs a, struct strs b, struct arena *arena)
{
    struct strs both = {a.n + b.n, arena_array(arena, a.n + b.n, sizeof *both.v)};

    for (size_t i = 0; i < both.n; i++)
        both.v[i] = i < a.n ? a.v[i] : b.v[i - a.n];
    return both;
}

static void load_yes_no(struct yaml_doc *doc, const struct yaml_node *node, enum yes_no *ret)
{
    bool yes = false;

    if (yaml_bool(doc, node, &yes))
        *ret = yes ? YES : NO;
}

static struct pattern *load_pattern(struct yaml_doc *doc, const struct yaml_node *node)
{
    struct str source;
    char why[200];

    if (!yaml_text(doc, node, &source))
        return NULL;

    struct pattern *p = pattern_create(source, why, sizeof why);
    if (!p)
        yaml_problem(doc, node, "not a regular expression: %s", why);
    return p;
}

static void load_id(struct yaml_doc *doc, const struct yaml_node *map, struct str *ret,
                    struct arena *arena)
{
    const struct yaml_node *node = yaml_need(doc, map, "id");

    if (!yaml_text(doc, node, ret))
        return;
    for (size_t i = 0; i < ret->n; i++) {
        char c = ret->p[i];
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-') {
            yaml_problem(doc, node, "an id has lower-case letters, digits and hyphens alone");
            break;
        }
    }
    *ret = arena_str(arena, *ret);
}

static void load_text(struct yaml_doc *doc, const struct yaml_node *node, struct text *ret,
                      struct arena *arena)
{
    struct str source;
    const char *why;

    if (yaml_text(doc, node, &source) && (why = text_parse(arena, str_trim(source), ret)))
        yaml_problem(doc, node, "%s", why);
}

/* One sentence, or a list of them. */
static struct text *load_texts(struct yaml_doc *doc, const struct yaml_node *node,
                               struct arena *arena)
{
    struct yaml_node *item = NULL;
    struct text *first = NULL, **end = &first;
    size_t n = 0;

    if (!yaml_texts(doc, node, &item, &n))
        return NULL;
    for (; n; n--, item = item->next) {
        *end = arena_alloc(arena, sizeof **end);
        load_text(doc, item, *end, arena);
        end = &(*end)->next;
    }
    return first;
}

/* --- selectors --- */

#define SELECTOR_KEYS                                                                              \
    "host", "host-regex", "service", "url", "user-agent", "plain", "required", "no-inspection",    \
        "except"

static const char *const selector_keys[] = {SELECTOR_KEYS, NULL};

static void load_selector(struct yaml_doc *doc, const struct yaml_node *map, struct selector *s,
                          struct arena *arena)
{
    const struct yaml_node *except = yaml_get(map, "except");

    s->hosts = load_strs(doc, yaml_get(map, "host"), arena);
    s->services = load_strs(doc, yaml_get(map, "service"), arena);
    s->host_regex = load_pattern(doc, yaml_get(map, "host-regex"));
    s->url = load_pattern(doc, yaml_get(map, "url"));
    s->user_agent = load_pattern(doc, yaml_get(map, "user-agent"));
    load_yes_no(doc, yaml_get(map, "plain"), &s->plain);
    load_yes_no(doc, yaml_get(map, "required"), &s->required);
    load_yes_no(doc, yaml_get(map, "no-inspection"), &s->no_inspection);
    if (except && yaml_keys(doc, except, selector_keys)) {
        s->except = arena_alloc(arena, sizeof *s->except);
        load_selector(doc, except, s->except, arena);
    }
}

static void load_nested_selector(struct yaml_doc *doc, const struct yaml_node *map,
                                 struct selector *s, struct arena *arena)
{
    if (map && yaml_keys(doc, map, selector_keys))
        load_selector(doc, map, s, arena);
}

static void release_selector(struct selector *s)
{
    pattern_destroy(s->host_regex);
    pattern_destroy(s->url);
    pattern_destroy(s->user_agent);
    if (s->except)
        release_selector(s->except);
}

/* --- conditions --- */

struct key_name {
    unsigned key;
    const char *name;
};

static const struct key_name key_names[] = {
    {KEY_COUNT, "flows"},         {KEY_WITHIN, "within"}, {KEY_QUIET, "quiet"},
    {KEY_BYTES, "bytes"},         {KEY_THEN, "then"},     {KEY_INCLUDING, "including"},
    {KEY_ATTEMPTS, "attempts"},   {KEY_FAILURES, "how"},  {KEY_TEXT, "text"},
    {KEY_COMPONENT, "component"}, {KEY_MOMENT, "moment"}, {KEY_TOLD, "rule"},
};

enum { KEY_NAMES = sizeof key_names / sizeof *key_names };

/* Allowed keys of a matcher's map, as yaml_keys wants them. */
static void list_keys(const struct matcher *m, const char **keys)
{
    size_t n = 0;

    for (size_t i = 0; (m->keys & KEY_SELECT) && selector_keys[i]; i++)
        keys[n++] = selector_keys[i];
    for (size_t i = 0; i < KEY_NAMES; i++)
        if (m->keys & key_names[i].key)
            keys[n++] = key_names[i].name;
    keys[n] = NULL;
}

/* Some of the words, as a set by bit; 0: none is given. */
static uint64_t load_set(struct yaml_doc *doc, const struct yaml_node *node,
                         const char *const *words)
{
    struct yaml_node *item = NULL;
    uint64_t set = 0;
    unsigned which = 0;
    size_t n = 0;

    if (!yaml_texts(doc, node, &item, &n))
        return 0;
    for (; n; n--, item = item->next)
        if (yaml_choice(doc, item, words, &which))
            set |= 1ull << which;
    return set;
}

static void load_gate(struct yaml_doc *doc, const struct yaml_node *map, struct gate *gate,
                      struct arena *arena)
{
    gate->after = join(gate->after, load_strs(doc, yaml_get(map, "after"), arena), arena);
    gate->after_any =
        join(gate->after_any, load_strs(doc, yaml_get(map, "after-any"), arena), arena);
    gate->before = join(gate->before, load_strs(doc, yaml_get(map, "before"), arena), arena);
    gate->during = join(gate->during, load_strs(doc, yaml_get(map, "during"), arena), arena);
}

static void load_count(struct yaml_doc *doc, const struct yaml_node *node, struct condition *c)
{
    if (yaml_u64(doc, node, &c->count) && (!c->count || c->count > c->matcher->most_flows))
        yaml_problem(doc, node, "expected 1 to %" PRIu64, c->matcher->most_flows);
}

static void load_parameters(struct yaml_doc *doc, const struct yaml_node *map, struct condition *c,
                            struct arena *arena)
{
    const char *keys[sizeof selector_keys / sizeof *selector_keys + KEY_NAMES];

    list_keys(c->matcher, keys);
    if (!yaml_keys(doc, map, keys))
        return;
    for (size_t i = 0; i < KEY_NAMES; i++)
        if (c->matcher->needs & key_names[i].key)
            yaml_need(doc, map, key_names[i].name);
    if (c->matcher->keys & KEY_SELECT)
        load_selector(doc, map, &c->select, arena);
    load_count(doc, yaml_get(map, "flows"), c);
    yaml_duration(doc, yaml_get(map, "within"), &c->within_us);
    yaml_duration(doc, yaml_get(map, "quiet"), &c->quiet_us);
    yaml_bytes(doc, yaml_get(map, "bytes"), &c->bytes);
    yaml_bool(doc, yaml_get(map, "attempts"), &c->attempts);
    load_nested_selector(doc, yaml_get(map, "then"), &c->then, arena);
    load_nested_selector(doc, yaml_get(map, "including"), &c->then, arena);
    c->failures = load_set(doc, yaml_get(map, "how"), flow_failure_names + 1) << 1;
    c->told = load_set(doc, yaml_get(map, "rule"), told_names);
    c->pattern = load_pattern(doc, yaml_get(map, "text"));
    c->component = load_pattern(doc, yaml_get(map, "component"));
    if (yaml_text(doc, yaml_get(map, "moment"), &c->moment))
        c->moment = arena_str(arena, c->moment);
}

static const struct matcher *find_matcher(const struct yaml_node *map, const struct yaml_node **ret)
{
    for (size_t i = 0; matchers[i]; i++)
        if ((*ret = yaml_get(map, matchers[i]->name)))
            return matchers[i];
    return NULL;
}

/* The matchers' names and the gate's keys: what a condition may have. */
static const char *const *condition_keys(void)
{
    static const char *keys[32] = {GATE_KEYS};

    for (size_t i = 0; matchers[i]; i++)
        keys[4 + i] = matchers[i]->name;
    return keys;
}

static struct condition *load_condition(struct yaml_doc *doc, const struct yaml_node *map,
                                        struct rule *rule, struct arena *arena)
{
    const struct yaml_node *parameters = NULL;

    if (!yaml_keys(doc, map, condition_keys()))
        return NULL;

    const struct matcher *matcher = find_matcher(map, &parameters);
    if (!matcher) {
        yaml_problem(doc, map, "a condition names its evidence: flow, burst, bytes, ended, …");
        return NULL;
    }

    struct condition *c = arena_alloc(arena, sizeof *c);
    c->rule = rule;
    c->matcher = matcher;
    c->line = map->line;
    load_parameters(doc, parameters, c, arena);
    load_gate(doc, map, &c->gate, arena);
    return c;
}

/* `when` is one condition, or a list of which any is enough. */
static void load_when(struct yaml_doc *doc, const struct yaml_node *rule_map, struct rule *rule,
                      struct arena *arena)
{
    const struct yaml_node *when = yaml_need(doc, rule_map, "when");
    const struct yaml_node *item = when && when->kind == YAML_LIST ? when->first : when;
    struct condition **end = &rule->conditions;

    for (; item; item = when->kind == YAML_LIST ? item->next : NULL) {
        *end = load_condition(doc, item, rule, arena);
        if (*end) {
            load_gate(doc, rule_map, &(*end)->gate, arena);
            end = &(*end)->next;
        }
    }
    if (when && !rule->conditions && when->kind == YAML_LIST && !when->first)
        yaml_problem(doc, when, "no condition: the rule could never happen");
}

/* --- rules --- */

static const char *const fires_words[] = {"once", "each", "count", "last", NULL};
static const char *const confidence_words[] = {"inferred", "seen", NULL};
static const char *const severity_words[] = {"info", "warning", "error", NULL};

struct rule *rule_load(struct yaml_doc *doc, const struct yaml_node *node, enum rule_kind kind,
                       struct arena *arena)
{
    static const char *const moment_keys[] = {"id",         "title",       "says",    "phase",
                                              "confidence", "fires",       "each",    "at-most",
                                              "when",       SCENARIO_KEYS, GATE_KEYS, NULL};
    static const char *const finding_keys[] = {
        "id",   "title",   "says", "remedy",      "severity", "confidence", "fires",
        "each", "at-most", "when", SCENARIO_KEYS, GATE_KEYS,  NULL};
    unsigned before = doc->problem_count, which = 0;

    if (!yaml_keys(doc, node, kind == RULE_MOMENT ? moment_keys : finding_keys))
        return NULL;

    struct rule *rule = arena_alloc(arena, sizeof *rule);
    *rule = (struct rule){.kind = kind,
                          .confidence = CONFIDENCE_SEEN,
                          .severity = SEVERITY_WARNING,
                          .at_most = RULE_TIMES_MAX,
                          .file = arena_str(arena, doc->name),
                          .line = node->line};
    load_id(doc, node, &rule->id, arena);
    load_text(doc, yaml_need(doc, node, "title"), &rule->title, arena);
    if (yaml_text(doc, yaml_get(node, "title"), &rule->title_source))
        rule->title_source = arena_str(arena, rule->title_source);
    rule->says = load_texts(doc, yaml_need(doc, node, "says"), arena);
    rule->remedy = load_texts(doc, yaml_get(node, "remedy"), arena);
    if (yaml_text(doc, yaml_get(node, "phase"), &rule->phase))
        rule->phase = arena_str(arena, rule->phase);
    if (yaml_choice(doc, yaml_get(node, "confidence"), confidence_words, &which))
        rule->confidence = which ? CONFIDENCE_SEEN : CONFIDENCE_INFERRED;
    if (yaml_choice(doc, yaml_get(node, "severity"), severity_words, &which))
        rule->severity = (enum severity)which;
    if (yaml_choice(doc, yaml_get(node, "fires"), fires_words, &which))
        rule->fires = (enum rule_fires)which;
    if (yaml_text(doc, yaml_get(node, "each"), &rule->each)) {
        rule->each = arena_str(arena, rule->each);
        rule->fires = FIRES_EACH;
    }
    if (yaml_u64(doc, yaml_get(node, "at-most"), &rule->at_most) &&
        (!rule->at_most || rule->at_most > RULE_TIMES_MAX))
        yaml_problem(doc, yaml_get(node, "at-most"), "expected 1 to %d", RULE_TIMES_MAX);
    rule->only_in = load_strs(doc, yaml_get(node, "only-in"), arena);
    rule->not_in = load_strs(doc, yaml_get(node, "not-in"), arena);
    load_when(doc, node, rule, arena);
    if (doc->problem_count == before)
        return rule;
    rule_release(rule);
    return NULL;
}

void rule_release(struct rule *rule)
{
    for (struct condition *c = rule->conditions; c; c = c->next) {
        release_selector(&c->select);
        release_selector(&c->then);
        pattern_destroy(c->pattern);
        pattern_destroy(c->component);
    }
}

struct phase_rule *phase_load(struct yaml_doc *doc, const struct yaml_node *node,
                              struct arena *arena)
{
    static const char *const keys[] = {"id", "title", "starts", "ends", SCENARIO_KEYS, NULL};
    unsigned before = doc->problem_count;

    if (!yaml_keys(doc, node, keys))
        return NULL;

    struct phase_rule *phase = arena_alloc(arena, sizeof *phase);
    phase->file = arena_str(arena, doc->name);
    phase->line = node->line;
    load_id(doc, node, &phase->id, arena);
    if (yaml_text(doc, yaml_need(doc, node, "title"), &phase->title))
        phase->title = arena_str(arena, phase->title);
    phase->starts = load_strs(doc, yaml_need(doc, node, "starts"), arena);
    phase->ends = load_strs(doc, yaml_get(node, "ends"), arena);
    phase->only_in = load_strs(doc, yaml_get(node, "only-in"), arena);
    phase->not_in = load_strs(doc, yaml_get(node, "not-in"), arena);
    return doc->problem_count == before ? phase : NULL;
}

struct verdict_rule *verdict_load(struct yaml_doc *doc, const struct yaml_node *node,
                                  struct arena *arena)
{
    static const char *const keys[] = {"id",      "title",      "says",  "needs", "needs-any",
                                       "without", "order",      "ended", "gaps",  "findings",
                                       "quiet",   "confidence", NULL};
    unsigned before = doc->problem_count, which = 0;

    if (!yaml_keys(doc, node, keys))
        return NULL;

    struct verdict_rule *v = arena_alloc(arena, sizeof *v);
    v->confidence = CONFIDENCE_INFERRED;
    v->file = arena_str(arena, doc->name);
    v->line = node->line;
    load_id(doc, node, &v->id, arena);
    if (yaml_text(doc, yaml_need(doc, node, "title"), &v->title))
        v->title = arena_str(arena, v->title);
    v->says = load_texts(doc, yaml_get(node, "says"), arena);
    v->needs = load_strs(doc, yaml_get(node, "needs"), arena);
    v->needs_any = load_strs(doc, yaml_get(node, "needs-any"), arena);
    v->without = load_strs(doc, yaml_get(node, "without"), arena);
    v->order = load_strs(doc, yaml_get(node, "order"), arena);
    v->finding_any = load_strs(doc, yaml_get(node, "findings"), arena);
    load_yes_no(doc, yaml_get(node, "ended"), &v->ended);
    load_yes_no(doc, yaml_get(node, "gaps"), &v->gaps);
    yaml_duration(doc, yaml_get(node, "quiet"), &v->quiet_us);
    if (yaml_choice(doc, yaml_get(node, "confidence"), confidence_words, &which))
        v->confidence = which ? CONFIDENCE_SEEN : CONFIDENCE_INFERRED;
    return doc->problem_count == before ? v : NULL;
}
