/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rehearse/scenario.h"

#include "test/unit/unit.h"

#include <string.h>

#define HEAD "id: x\ntitle: X\nsays: S\ninvented: all\nsources: {a: b}\n"
#define MINUTE 60000000ull
#define SECOND 1000000ull

/* Another scenario, "base", that one can be based on. */
static const char *base_text;

static bool find(void *ctx, struct str id, struct str *ret_name, struct str *ret_bytes)
{
    (void)ctx;
    if (!base_text || !str_eq(id, STR("base")))
        return false;
    *ret_name = STR("base.yaml");
    *ret_bytes = str_of(base_text);
    return true;
}

static unsigned load(const char *text, struct scenario **ret, struct buf *problems)
{
    const struct scenario_finder finder = {.find = find};

    buf_init(problems, BUF_UNBOUNDED);
    return scenario_load(STR("x.yaml"), str_of(text), &finder, ret, problems);
}

static struct scenario *load_good(const char *text)
{
    struct scenario *s = NULL;
    struct buf problems;

    if (load(text, &s, &problems))
        fail_msg(STR_FMT, STR_ARG(buf_str(&problems)));
    buf_finish(&problems);
    return s;
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "x.yaml:1:1: "},
        {HEAD "ends: 01:00\n", "'steps' is missing"},
        {HEAD "steps: []\n", "'ends' is missing"},
        {"id: x\ntitle: X\nsays: S\nends: 01:00\nsteps: []\n", "'invented' is missing"},
        {"id: ../x\ntitle: X\nsays: S\ninvented: all\nends: 01:00\nsteps: []\n",
         "x.yaml:1:5: expected lower-case letters"},
        {HEAD "ends: 01:00\nsteps: []\ndevice: {name: a=b}\n", "without '='"},
        {HEAD "ends: soon\nsteps: []\n", "x.yaml:6:7: expected a time"},
        {HEAD "ends: 25:00:00\nsteps: []\n", "x.yaml:6:7: expected a time"},
        {HEAD "ends: 01:00\nstep: []\n", "'step' is not a key here"},
        {HEAD "ends: 01:00\nsteps:\n  - {says: s, source: a}\n", "'at' is missing"},
        {HEAD "ends: 01:00\nsteps:\n  - {at: 1, says: s}\n", "'source' is missing"},
        {HEAD "ends: 01:00\nsteps:\n  - {at: 1, says: s, source: z}\n",
         "x.yaml:8:30: 'z' is not among the 'sources'"},
        {HEAD "ends: 01:00\nsteps:\n  - {at: 1, says: s, source: a, flows: [{up: 1}]}\n",
         "a flow has a 'host' (a tunnel to it) or a 'url'"},
        {HEAD "ends: 01:00\nsteps:\n"
              "  - {at: 1, says: s, source: a, flows: [{host: a.b, url: 'http://c/'}]}\n",
         "a flow has a 'host' (a tunnel to it) or a 'url'"},
        {HEAD "ends: 01:00\nsteps:\n  - {at: 1, says: s, source: a, flows: [{host: 'a b'}]}\n",
         "expected a host name"},
        {HEAD "ends: 01:00\nsteps:\n"
              "  - {at: 1, says: s, source: a, flows: [{url: 'https://a.b/'}]}\n",
         "expected a URL in the clear"},
        {HEAD "ends: 01:00\nsteps:\n"
              "  - {at: 1, says: s, source: a, flows: [{url: 'http://a.b/c d'}]}\n",
         "expected a URL in the clear"},
        {HEAD "ends: 01:00\nsteps:\n"
              "  - {at: 1, says: s, source: a, flows: [{host: a.b, every: 3s}]}\n",
         "'every' and 'until' go together"},
        {HEAD "ends: 01:00\nsteps:\n  - {at: 10, says: s, source: a, "
              "flows: [{host: a.b, every: 3s, until: 00:05}]}\n",
         "this is before the flow's first time"},
        {HEAD "ends: 01:00\nsteps:\n  - {at: 10, says: s, source: a, "
              "flows: [{host: a.b, every: 3ms, until: 00:15}]}\n",
         "expected a second or more"},
        {HEAD "ends: 01:00\nsteps:\n  - {at: 10, says: s, source: a, "
              "flows: [{host: [a.b, c.d], needed: true}]}\n",
         "only a single flow can be needed"},
        {HEAD "ends: 01:00\nsteps:\n  - {at: 10, says: s, source: a, "
              "flows: [{host: a.b, method: GET}]}\n",
         "'method' goes with 'url'"},
        {HEAD "ends: 01:00\nsteps:\n  - {at: 10, says: s, source: a, "
              "flows: [{host: a.b, count: 100000}]}\n",
         "expected a number from 1 to 200"},
        {HEAD "ends: 01:00\nsteps:\n  - {at: 10, says: s, source: a, "
              "flows: [{host: a.b, down: 90 GB}]}\n",
         "at most 4 GB"},
        {HEAD "ends: 24:00:00\nsteps:\n  - {at: 0, says: s, source: a, "
              "flows: [{host: a.b, every: 1s, until: 23:00:00}]}\n",
         "more than 50000 events"},
        {HEAD "ends: 01:00\nsteps: []\nfaults:\n  - {host: a.b, kind: blokked}\n", "blocked"},
        {HEAD "ends: 01:00\nsteps: []\nfaults:\n  - {host: a.b, kind: silent, status: 500}\n",
         "'silent' has no status of its own"},
        {HEAD "ends: 01:00\nsteps: []\nfaults:\n  - {host: a.b, kind: blocked, status: 200}\n",
         "expected a status from 400 to 599"},
        {HEAD "based-on: nothing\n", "there is no scenario 'nothing'"},
        {HEAD "ends: 01:00\nbase-until: 00:10\nsteps: []\n", "'base-until' goes with 'based-on'"},
        {HEAD "ends: 01:00\nsteps: []\ndevice: {tls: 1.1}\n", "1.2"},
    };

    (void)state;
    base_text = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scenario *s = NULL;
        struct buf problems;

        assert_true(load(cases[i].text, &s, &problems) > 0);
        assert_null(s);
        if (str_search(buf_str(&problems), str_of(cases[i].says)) == problems.n)
            fail_msg("case %zu: no '%s' in:\n" STR_FMT, i, cases[i].says,
                     STR_ARG(buf_str(&problems)));
        buf_finish(&problems);
    }
}

static void all_problems_are_told_at_once(void **state)
{
    struct scenario *s = NULL;
    struct buf problems;

    (void)state;
    assert_int_equal(load(HEAD "ends: 01:00\nsteps:\n"
                               "  - {at: x, says: s, source: a}\n"
                               "  - {at: 1, says: s, source: z, flows: [{host: '*'}]}\n",
                          &s, &problems),
                     3);
    buf_finish(&problems);
}

static void events_come_in_order_with_repeats_unrolled(void **state)
{
    static const struct {
        uint64_t at_us;
        const char *host;
    } want[] = {
        {5 * SECOND, "b.example"},  {10 * SECOND, "a.example"}, {11 * SECOND, "a.example"},
        {15 * SECOND, "b.example"}, {25 * SECOND, "b.example"},
    };
    struct scenario *s =
        load_good(HEAD "ends: 01:00\nsteps:\n"
                       "  - {at: 10, says: s, source: a, flows: [{host: A.Example, count: 2, "
                       "apart: 1s}]}\n"
                       "  - {at: 3, says: s, source: invented, flows: [{host: b.example, "
                       "after: 2s, every: 10s, until: 00:25}]}\n");

    (void)state;
    assert_int_equal(s->event_count, sizeof want / sizeof *want);
    for (size_t i = 0; i < s->event_count; i++) {
        assert_int_equal(s->events[i].at_us, want[i].at_us);
        assert_true(str_eq(s->events[i].flow->host, str_of(want[i].host)));
    }
    scenario_destroy(s);
}

static void a_device_that_is_off_opens_nothing(void **state)
{
    struct scenario *s =
        load_good(HEAD "ends: 01:00\nsteps:\n"
                       "  - {at: 20, says: s, source: a, off: 10s}\n"
                       "  - {at: 19, says: s, source: a, flows: [{host: a.example, "
                       "every: 1s, until: 00:31}]}\n");
    size_t flows = 0;

    (void)state;
    for (size_t i = 0; i < s->event_count; i++) {
        if (s->events[i].what != SCENARIO_FLOW)
            continue;
        flows++;
        assert_true(s->events[i].at_us < 20 * SECOND || s->events[i].at_us >= 30 * SECOND);
    }
    assert_int_equal(flows, 3); /* at 19, 30 and 31 */
    scenario_destroy(s);
}

static void a_flow_has_what_the_file_says_and_defaults_for_the_rest(void **state)
{
    struct scenario *s =
        load_good(HEAD "ends: 01:00\nsteps:\n  - at: 1\n    says: s\n    source: a\n    flows:\n"
                       "      - {host: a.example, up: 2 kB, down: 3 MB, over: 9s, keep: open, "
                       "needed: true}\n"
                       "      - {url: 'http://b.example/p?q', method: POST, agent: Me, "
                       "type: text/plain, up: 7, tries: 5, again: 2s, keep: 4s}\n");
    const struct scenario_flow *tunnel = s->events[0].flow, *plain = s->events[1].flow;

    (void)state;
    assert_false(tunnel->method.n);
    assert_int_equal(tunnel->up, 2000);
    assert_int_equal(tunnel->down, 3000000);
    assert_int_equal(tunnel->over_us, 9 * SECOND);
    assert_true(tunnel->keep_us == KEEP_OPEN);
    assert_true(tunnel->needed);
    assert_int_equal(tunnel->tries, 3);
    assert_true(str_eq(plain->method, STR("POST")));
    assert_true(str_eq(plain->host, STR("b.example")));
    assert_true(str_eq(plain->path, STR("/p?q")));
    assert_true(str_eq(plain->agent, STR("Me")));
    assert_true(str_eq(plain->type, STR("text/plain")));
    assert_int_equal(plain->tries, 5);
    assert_int_equal(plain->try_again_us, 2 * SECOND);
    assert_int_equal(plain->keep_us, 4 * SECOND);
    assert_false(plain->needed);
    scenario_destroy(s);
}

static void a_scenario_adds_to_the_one_it_is_based_on(void **state)
{
    struct scenario *s;

    (void)state;
    base_text =
        "id: base\ntitle: B\nsays: S\ninvented: [p, q]\nends: 10:00\ndevice: {name: d, tls: "
        "1.2}\nsteps:\n"
        "  - {at: 01:00, says: s, source: invented, flows: [{host: early.example}]}\n"
        "  - {at: 05:00, says: s, source: invented, flows: [{host: late.example}]}\n";
    s = load_good(HEAD
                  "based-on: base\nbase-until: 02:00\nfaults: [{host: '*', kind: silent}]\n"
                  "steps:\n  - {at: 03:00, says: s, source: a, flows: [{host: own.example}]}\n");
    assert_int_equal(s->event_count, 2);
    assert_true(str_eq(s->events[0].flow->host, STR("early.example")));
    assert_false(s->events[0].aside);
    assert_true(str_eq(s->events[1].flow->host, STR("own.example")));
    assert_true(s->events[1].aside);
    assert_int_equal(s->ends_us, 10 * MINUTE);
    assert_true(s->tls12);
    assert_true(str_eq(s->device, STR("d")));
    assert_int_equal(s->invented_count, 3);
    assert_int_equal(s->faults.n, 1);
    scenario_destroy(s);
}

static void what_is_wrong_in_the_base_is_told_too(void **state)
{
    struct scenario *s = NULL;
    struct buf problems;

    (void)state;
    base_text =
        "id: base\ntitle: B\nsays: S\ninvented: all\nends: 10:00\nbased-on: base\nsteps: 3\n";
    assert_true(load(HEAD "based-on: base\n", &s, &problems) > 0);
    assert_null(s);
    assert_true(str_search(buf_str(&problems), STR("base.yaml:6:11: ")) < problems.n);
    assert_true(str_search(buf_str(&problems), STR("base.yaml:7:8: ")) < problems.n);
    buf_finish(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(all_problems_are_told_at_once),
        cmocka_unit_test(events_come_in_order_with_repeats_unrolled),
        cmocka_unit_test(a_device_that_is_off_opens_nothing),
        cmocka_unit_test(a_flow_has_what_the_file_says_and_defaults_for_the_rest),
        cmocka_unit_test(a_scenario_adds_to_the_one_it_is_based_on),
        cmocka_unit_test(what_is_wrong_in_the_base_is_told_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
