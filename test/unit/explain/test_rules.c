/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is wrong in a rule file is named with its place, and the rest of the file still counts. */
#include "test/unit/explain/scene.h"
#include "test/unit/unit.h"

#include <stdlib.h>
#include <string.h>

struct bad {
    const char *rules;
    const char *says; /* has to be in the problems */
};

#define RULE(rest) "moments:\n  - id: it\n    title: It\n    says: It.\n" rest

static const struct bad bads[] = {
    {"moments:\n  - {title: T, says: S., when: {end: {}}}\n", "rules.yaml:2:5: "},
    {"moments:\n  - {id: It, title: T, says: S., when: {end: {}}}\n",
     "rules.yaml:2:10: an id has lower-case"},
    {RULE("    when: {burst: {flows: 3}}\n"), "within"},
    {RULE("    when: {burst: {flows: 33, within: 5s}}\n"), "rules.yaml:5:27: expected 1 to 32"},
    {RULE("    when: {idle: {flows: 0, quiet: 5s}}\n"), "expected 1 to 64"},
    {RULE("    when: {brust: {flows: 3}}\n"), "rules.yaml:5:12: "},
    {RULE("    when: {}\n"), "a condition names its evidence"},
    {RULE("    when: []\n"), "could never happen"},
    {RULE("    wen: {end: {}}\n"), "did you mean"},
    {RULE("    when: {flow: {hosts: a.test}}\n"), "'hosts'"},
    {RULE("    when: {flow: {url: '('}}\n"), "not a regular expression"},
    {RULE("    when: {flow: {plain: maybe}}\n"), "rules.yaml:5:26: "},
    {RULE("    when: {failed: {how: [block]}}\n"), "'block'"},
    {RULE("    when: {flow: {service: gamma}}\n"),
     "the service 'gamma' is not that of any endpoint"},
    {RULE("    when: {end: {}}\n    after: that\n"), "the moment 'that' is not the id of any rule"},
    {RULE("    when: {end: {}}\n    during: night\n"),
     "the phase 'night' is not the id of any phase"},
    {RULE("    when: {end: {}}\n    phase: night\n"), "the phase 'night'"},
    {RULE("    when: {end: {}}\n    at-most: 0\n"), "expected 1 to"},
    {RULE("    when: {end: {}}\n    fires: twice\n"), "twice"},
    {RULE("    when: {absent: {moment: that, quiet: 5s}}\n"), "'that'"},
    {"moments:\n  - {id: a, title: 'An {unknown}', says: S., when: {end: {}}}\n",
     "the value 'unknown'"},
    {"moments:\n  - {id: a, title: 'A { brace', says: S., when: {end: {}}}\n", "without its '}'"},
    {"moments:\n  - {id: a, title: 'A {since:b}', says: S., when: {end: {}}}\n", "no rule has"},
    {"moments:\n  - {id: a, title: 'A {since}', says: S., when: {end: {}}}\n", "wants the ids"},
    {"moments: 3\n", "rules.yaml:1:10: "},
    {"phases:\n  - {id: p, title: P}\n", "starts"},
    {"phases:\n  - {id: p, title: P, starts: nothing}\n", "the moment 'nothing'"},
    {"scenarios:\n  - {id: s, title: S, needs: nothing}\n", "the moment 'nothing'"},
    {"outcomes:\n  - {id: s, title: S, says: 'It {is}.'}\n", "the value 'is'"},
    {"outcomes:\n  - {id: s, title: S, says: 'It is: {outcome}'}\n",
     "an outcome is of the whole run"},
    {"moment:\n  - {id: a}\n", "'moment'"},
};

static void a_problem_names_its_place_and_thing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        char *problems = scene_problems(bads[i].rules);

        if (!strstr(problems, bads[i].says))
            fail_msg("%s\ngave: %s\nwithout: %s", bads[i].rules, problems, bads[i].says);
        free(problems);
    }
}

static void a_later_rule_replaces_an_earlier_one(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, "moments:\n"
                    "  - {id: a, title: Old, says: S., when: {flow: {service: alpha}}}\n"
                    "  - {id: a, title: New, says: S., when: {flow: {service: beta}}}\n");
    assert_int_equal(knowledge_rule_count(s.knowledge), 1);
    scene_visit(&s, "x.alpha.test");
    scene_at(&s, 1);
    scene_visit(&s, "x.beta.test");

    const struct strip_moment *m = strip_moment(scene_strip(&s), "a", 0);
    assert_int_equal(m->at_us, 1000000);
    assert_true(str_eq(m->title, STR("New")));
    scene_end(&s);
}

static void an_expression_that_explodes_matches_nothing(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, RULE("    when: {flow: {url: '^http://x/(a+)+$'}}\n"));
    scene_get(
        &s,
        "http://x/"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
    assert_null(strip_moment(scene_strip(&s), "it", 0));
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_problem_names_its_place_and_thing),
        cmocka_unit_test(a_later_rule_replaces_an_earlier_one),
        cmocka_unit_test(an_expression_that_explodes_matches_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
