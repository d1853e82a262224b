/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes are a knowledge file, added to a small one that is right, and once more as an override
 * of itself. Whatever was kept can be built, listed and matched, and says the same when it is all
 * done again.
 */
#include "base/host_pattern.h"
#include "explain/explainer.h"
#include "explain/knowledge.h"

#include <assert.h>

static const char right[] =
    "services: {alpha: {title: Alpha}, beta: {title: Beta}}\n"
    "endpoints: [{host: '*.alpha.test', service: alpha, role: Does it.}]\n"
    "moments:\n"
    "  - {id: first, title: First, says: Yes., when: {flow: {service: alpha}}}\n"
    "phases: [{id: net, title: Network, starts: first}]\n"
    "scenarios: [{id: some, title: Some, needs: first}]\n";

static const char *const hosts[] = {"a.alpha.test", "b.test", "x", "", "a.b.c.d.e.f"};

static void match_some(const struct endpoints *e)
{
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct str host = str_of(hosts[i]);
        const struct endpoint *found = endpoints_match(e, host);

        if (found) {
            assert(host_pattern_fits(found->pattern, host));
            assert(endpoints_service(e, found->service));
        }
    }
    for (size_t i = 0; i < endpoints_count(e); i++) {
        const struct endpoint *at = endpoints_at(e, i);

        /* A pattern without a star is a host, and its own best match. */
        if (str_find(at->pattern, '*') == at->pattern.n)
            assert(endpoints_match(e, at->pattern) == at);
    }
}

static void list_rules(const struct knowledge *k)
{
    for (size_t i = 0; i < knowledge_rule_count(k); i++) {
        struct rule_info info = knowledge_rule(k, i);

        assert(info.kind.n && info.file.n && info.line > 0);
    }
}

/* An explainer stands on what was built. */
static void explain_nothing(const struct knowledge *k)
{
    struct explainer *ex = explainer_create(k);

    explainer_finish(ex);
    explainer_destroy(ex);
}

static struct knowledge *load(struct str bytes, unsigned *ret_problems)
{
    struct knowledge *k = knowledge_create();
    struct buf problems;
    unsigned n;

    buf_init(&problems, BUF_UNBOUNDED);
    n = knowledge_add(k, STR("right.yaml"), str_of(right), &problems);
    assert(!n);
    n += knowledge_add(k, STR("one.yaml"), bytes, &problems);
    n += knowledge_add(k, STR("two.yaml"), bytes, &problems);
    n += knowledge_build(k, &problems);
    assert((n == 0) == (problems.n == 0));
    buf_finish(&problems);
    *ret_problems = n;
    return k;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned n = 0, again_n = 0;
    struct knowledge *k = load(str_from(data, size), &n);
    struct knowledge *again = load(str_from(data, size), &again_n);

    assert(n == again_n && knowledge_digest(k) == knowledge_digest(again));
    assert(knowledge_rule_count(k) == knowledge_rule_count(again));
    match_some(knowledge_endpoints(k));
    list_rules(k);
    explain_nothing(k);
    knowledge_destroy(k);
    knowledge_destroy(again);
    return 0;
}
