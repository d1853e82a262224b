/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "explain/value.h"

#include "base/timefmt.h"
#include "explain/verdict.h"

#include <inttypes.h>

enum { HOSTS_NAMED = 4 };

struct scene {
    const struct device *d;
    const struct moment *m; /* or NULL */
};

static bool first_of(const struct device *d, struct str id, uint64_t *ret_us)
{
    size_t i = rules_id(d->rules, id);

    if (i == SIZE_MAX || !d->ids[i].times)
        return false;
    *ret_us = d->ids[i].first_us;
    return true;
}

static bool put_span(struct buf *out, uint64_t from_us, uint64_t to_us)
{
    if (to_us < from_us)
        return false;
    put_duration(out, to_us - from_us);
    return true;
}

/* One row for each name; a moment's values need a moment. */
struct value {
    const char *name;
    bool of_moment;
    bool (*put)(const struct scene *s, struct str argument, struct buf *out);
    unsigned ids; /* how many moment ids its argument names */
};

static bool put_count(const struct scene *s, struct str argument, struct buf *out)
{
    (void)argument;
    buf_printf(out, "%" PRIu64, s->m->evidence.count);
    return true;
}

static bool put_repeats(const struct scene *s, struct str argument, struct buf *out)
{
    return s->m->evidence.count > 1 && put_count(s, argument, out);
}

static bool put_over(const struct scene *s, struct str argument, struct buf *out)
{
    (void)argument;
    if (s->m->over_us)
        put_strip_time(out, s->m->over_us);
    return s->m->over_us > 0;
}

static bool put_number(const struct scene *s, struct str argument, struct buf *out)
{
    (void)argument;
    buf_printf(out, "%" PRIu64, s->m->number);
    return true;
}

static bool put_moment_duration(const struct scene *s, struct str argument, struct buf *out)
{
    (void)argument;
    if (s->m->duration_us)
        put_duration(out, s->m->duration_us);
    return s->m->duration_us > 0;
}

static bool put_moment_bytes(const struct scene *s, struct str argument, struct buf *out)
{
    (void)argument;
    if (s->m->bytes)
        put_bytes(out, s->m->bytes);
    return s->m->bytes > 0;
}

static bool put_times(const struct scene *s, struct str argument, struct buf *out)
{
    size_t i = rules_id(s->d->rules, argument);

    if (i == SIZE_MAX || !s->d->ids[i].times)
        return false;
    buf_printf(out, "%" PRIu64, s->d->ids[i].times);
    return true;
}

/* What stands of the findings of one rule, by host: "a, b and 3 more". */
static bool put_hosts(const struct scene *s, struct str argument, struct buf *out)
{
    size_t rule = rules_id(s->d->rules, argument), n = 0;

    for (size_t i = 0; i < s->d->finding_count; i++) {
        const struct moment *m = s->d->findings[i];

        if (m->rule->index != rule || m->over_us || n++ >= HOSTS_NAMED)
            continue;
        if (n > 1)
            buf_put_str(out, STR(", "));
        buf_put_str(out, captures_get(&m->captures, STR("host")));
    }
    if (n > HOSTS_NAMED)
        buf_printf(out, " and %zu more", n - HOSTS_NAMED);
    return n > 0;
}

static bool put_at(const struct scene *s, struct str argument, struct buf *out)
{
    uint64_t at_us = 0;

    if (!first_of(s->d, argument, &at_us))
        return false;
    put_strip_time(out, at_us);
    return true;
}

static bool put_since(const struct scene *s, struct str argument, struct buf *out)
{
    uint64_t from_us = 0;

    return first_of(s->d, argument, &from_us) && put_span(out, from_us, s->m->at_us);
}

static bool put_between(const struct scene *s, struct str argument, struct buf *out)
{
    uint64_t from_us = 0, to_us = 0;
    struct str to = argument, from = str_cut(&to, ':');

    return first_of(s->d, from, &from_us) && first_of(s->d, to, &to_us) &&
           put_span(out, from_us, to_us);
}

static bool put_total(const struct scene *s, struct str argument, struct buf *out)
{
    (void)argument;
    return put_span(out, s->d->start_us, s->d->now_us);
}

static bool put_flows(const struct scene *s, struct str argument, struct buf *out)
{
    (void)argument;
    buf_printf(out, "%" PRIu64, s->d->flow_total);
    return true;
}

static bool put_down(const struct scene *s, struct str argument, struct buf *out)
{
    (void)argument;
    put_bytes(out, s->d->bytes_down);
    return true;
}

static bool put_up(const struct scene *s, struct str argument, struct buf *out)
{
    (void)argument;
    if (s->d->bytes_up)
        put_bytes(out, s->d->bytes_up);
    return s->d->bytes_up > 0; /* most logs do not tell it */
}

static bool put_outcome(const struct scene *s, struct str argument, struct buf *out)
{
    size_t began = out->n;

    (void)argument;
    verdict_put_outcome(s->d, true, out);
    return out->n > began;
}

static bool put_scenario(const struct scene *s, struct str argument, struct buf *out)
{
    const struct verdict_rule *v = verdict_scenario(s->d);

    (void)argument;
    if (v)
        buf_put_str(out, v->title);
    return v;
}

static const struct value values[] = {
    {"count", true, put_count, 0},
    {"repeats", true, put_repeats, 0},
    {"over", true, put_over, 0},
    {"n", true, put_number, 0},
    {"duration", true, put_moment_duration, 0},
    {"bytes", true, put_moment_bytes, 0},
    {"since", true, put_since, 1},
    {"times", false, put_times, 1},
    {"hosts", false, put_hosts, 1},
    {"at", false, put_at, 1},
    {"between", false, put_between, 2},
    {"total", false, put_total, 0},
    {"flows", false, put_flows, 0},
    {"down", false, put_down, 0},
    {"up", false, put_up, 0},
    {"outcome", true, put_outcome, 0}, /* so an outcome cannot tell of itself */
    {"scenario", false, put_scenario, 0},
};

enum { VALUES = sizeof values / sizeof *values };

static const struct value *find(struct str name)
{
    for (size_t i = 0; i < VALUES; i++)
        if (str_eq(str_of(values[i].name), name))
            return &values[i];
    return NULL;
}

/* Captures that matchers add themselves. */
static bool is_given(struct str name)
{
    static const struct str given[] = {STR("host"), STR("role"), STR("failure"), STR("rule"),
                                       STR("status")};

    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (str_eq(name, given[i]))
            return true;
    return false;
}

static bool selector_catches(const struct selector *s, struct str name)
{
    return pattern_has(s->host_regex, name) || pattern_has(s->url, name) ||
           pattern_has(s->user_agent, name);
}

static bool rule_catches(const struct rule *rule, struct str name)
{
    for (const struct condition *c = rule->conditions; c; c = c->next)
        if (selector_catches(&c->select, name) || selector_catches(&c->then, name) ||
            pattern_has(c->pattern, name) || pattern_has(c->component, name))
            return true;
    return false;
}

const char *value_check(const struct rule *rule, const struct rules *rules, struct str name,
                        struct str argument)
{
    const struct value *v = find(name);
    bool of_run = !rule->conditions; /* an outcome's */
    bool caught = (!of_run && is_given(name)) || rule_catches(rule, name);

    if (!v && !caught)
        return "is neither a value of every rule nor a group of this rule's expressions";
    if (caught)
        return !argument.n || str_eq(argument, STR("upper")) ? NULL
                                                             : "takes no argument but :upper";

    if (of_run && v->of_moment)
        return "is of a moment, and an outcome is of the whole run";

    unsigned ids = 0;
    while (argument.n) {
        if (rules_id(rules, str_cut(&argument, ':')) == SIZE_MAX)
            return "names a moment that no rule has";
        ids++;
    }
    return ids == v->ids ? NULL : "wants the ids of moments: {since:ID}, {between:ID:ID}";
}

static bool put_capture(const struct moment *m, struct str name, struct str argument,
                        struct buf *out)
{
    struct str value = captures_get(&m->captures, name);
    bool upper = str_eq(argument, STR("upper"));

    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        buf_put_byte(out, (uint8_t)(upper && c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
    }
    return value.n > 0;
}

static bool put_value(const void *ctx, struct str name, struct str argument, struct buf *out)
{
    const struct scene *s = ctx;
    const struct value *v = find(name);

    /* What the rule's own expression caught comes first: {total} of a screen is not the run's. */
    if (s->m && put_capture(s->m, name, argument, out))
        return true;
    return v && (s->m || !v->of_moment) && v->put(s, argument, out);
}

void moment_put_title(const struct device *d, const struct moment *m, struct buf *out)
{
    struct scene scene = {d, m};

    /* A title stands in any case: a value that is missing is left out of it. */
    for (const struct text_piece *p = m->rule->title.pieces; p; p = p->next) {
        buf_put_str(out, p->literal);
        if (p->name.n)
            put_value(&scene, p->name, p->argument, out);
    }
}

void moment_put_says(const struct device *d, const struct moment *m, struct buf *out)
{
    texts_put(m->rule->says, &(struct text_values){put_value, &(struct scene){d, m}}, out);
}

void moment_put_remedy(const struct device *d, const struct moment *m, struct buf *out)
{
    texts_put(m->rule->remedy, &(struct text_values){put_value, &(struct scene){d, m}}, out);
}

void device_put_texts(const struct device *d, const struct text *texts, struct buf *out)
{
    texts_put(texts, &(struct text_values){put_value, &(struct scene){d, NULL}}, out);
}
