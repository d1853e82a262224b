/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each matcher, and what every rule can ask: gates, repetition, captures, texts. */
#include "test/unit/explain/scene.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define MOMENT(rest) "moments:\n  - id: it\n    title: It\n    says: It happened.\n" rest

static void assert_str(struct str s, const char *expected)
{
    char copy[2048];

    snprintf(copy, sizeof copy, STR_FMT, STR_ARG(s));
    assert_string_equal(copy, expected);
}

static void assert_at(const struct strip_moment *m, double seconds)
{
    assert_non_null(m);
    assert_int_equal(m->at_us, (uint64_t)(seconds * 1e6));
}

static void a_flow_happens_where_it_was_opened(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, MOMENT("    when: {flow: {service: alpha}}\n"));
    scene_at(&s, 1);
    scene_visit(&s, "www.beta.test");
    scene_at(&s, 2);
    scene_visit(&s, "www.alpha.test");
    scene_at(&s, 3);
    scene_visit(&s, "www.alpha.test");

    struct strip *strip = scene_strip(&s);
    assert_at(strip_moment(strip, "it", 0), 2);
    assert_null(strip_moment(strip, "it", 1));
    assert_int_equal(strip_moment(strip, "it", 0)->confidence, CONFIDENCE_SEEN);
    scene_end(&s);
}

static void a_flow_that_did_not_work_is_no_contact(void **state)
{
    static const enum flow_why failures[] = {
        WHY_NAME_FAILED,    WHY_CONNECT_FAILED,  WHY_BLOCKED, WHY_REFUSED,
        WHY_AUTHENTICATION, WHY_UPSTREAM_FAILED, WHY_TIMEOUT, WHY_SERVER_RESET,
    };

    (void)state;
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        struct scene s;

        scene_begin(&s, MOMENT("    when: {flow: {service: alpha}}\n"));
        scene_at(&s, 1);
        scene_fail(&s, "www.alpha.test", failures[i]);

        struct strip *strip = scene_strip(&s);
        assert_null(strip_moment(strip, "it", 0));
        assert_int_equal(strip->services[0].failed, 1);
        scene_end(&s);
    }
}

static void an_attempt_counts_where_attempts_are_asked_for(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, MOMENT("    when: {flow: {attempts: yes}}\n"));
    scene_at(&s, 4);
    scene_fail(&s, "www.alpha.test", WHY_NAME_FAILED);
    assert_at(strip_moment(scene_strip(&s), "it", 0), 4);
    scene_end(&s);
}

static void a_handshake_that_the_device_ends_is_no_contact(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(
        &s,
        MOMENT("    when: {flow: {service: alpha}}\n") "findings:\n  - id: broken\n    title: "
                                                       "'{host}'\n    says: '{host}: {failure}'\n"
                                                       "    when: {failed: {how: handshake, flows: "
                                                       "2}}\n");
    for (unsigned i = 0; i < 2; i++) {
        scene_at(&s, 1 + i);
        uint64_t flow = stream_next_flow(&s.stream);
        const struct obs seen[] = {
            {.kind = OBS_FLOW_OPENED, .host = STR("www.alpha.test"), .how = HOW_CONNECT},
            {.kind = OBS_CONNECTED},
            {.kind = OBS_TLS_HELLO, .sni = STR("www.alpha.test"), .length = 517},
            {.kind = OBS_TLS_ANSWER},
            /* An encrypted alert after the ChangeCipherSpec: 517 + 6 + 24. */
            {.kind = OBS_FLOW_CLOSED,
             .bytes_up = 547,
             .bytes_down = 2900,
             .why = WHY_DEVICE_CLOSED},
        };

        for (size_t k = 0; k < sizeof seen / sizeof *seen; k++) {
            struct obs o = seen[k];
            o.flow = flow;
            o.device = 1;
            o.at_us = s.now_us;
            stream_put(&s.stream, &o);
        }
    }

    struct strip *strip = scene_strip(&s);
    assert_null(strip_moment(strip, "it", 0));
    assert_non_null(strip_finding(strip, "broken", 0));
    assert_str(strip_finding(strip, "broken", 0)->title, "www.alpha.test");
    assert_int_equal(strip_finding(strip, "broken", 0)->at_us, 1000000);
    scene_end(&s);
}

static void quiet_tells_each_burst_from_the_one_before(void **state)
{
    static const double visits[] = {1, 2, 20, 49, 80, 81};
    static const double expected[] = {1, 80};
    struct scene s;

    (void)state;
    scene_begin(&s, "moments:\n  - id: it\n    title: 'Burst {n}'\n    says: It.\n    fires: each\n"
                    "    when: {flow: {service: alpha, quiet: 30s}}\n");
    for (size_t i = 0; i < sizeof visits / sizeof *visits; i++) {
        scene_at(&s, visits[i]);
        scene_visit(&s, "www.alpha.test");
    }

    struct strip *strip = scene_strip(&s);
    for (unsigned i = 0; i < 2; i++)
        assert_at(strip_moment(strip, "it", i), expected[i]);
    assert_null(strip_moment(strip, "it", 2));
    assert_str(strip_moment(strip, "it", 1)->title, "Burst 2");
    scene_end(&s);
}

static void a_count_grows(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, "moments:\n  - id: it\n    title: It\n    says: '{count} times.'\n"
                    "    fires: count\n    when: {flow: {plain: yes}}\n");
    for (unsigned i = 0; i < 20; i++) {
        scene_at(&s, 1 + i);
        scene_get(&s, "http://www.alpha.test/a");
    }
    scene_visit(&s, "www.alpha.test");

    const struct strip_moment *m = strip_moment(scene_strip(&s), "it", 0);
    assert_at(m, 1);
    assert_str(m->says, "20 times.");
    assert_int_equal(m->evidence.count, 20);
    assert_int_equal(m->evidence.n, EVIDENCE_MAX);
    scene_end(&s);
}

static void a_burst_is_placed_at_its_first_flow(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, MOMENT("    when:\n      burst: {service: [alpha, beta], flows: 3, within: 2s, "
                           "including: {service: beta}}\n"));
    scene_at(&s, 1);
    scene_visit(&s, "a.alpha.test");
    scene_at(&s, 10);
    scene_visit(&s, "a.alpha.test");
    scene_visit(&s, "a.alpha.test");
    scene_visit(&s, "a.alpha.test"); /* three, and none of beta */
    scene_at(&s, 20);
    scene_visit(&s, "a.alpha.test");
    scene_at(&s, 21);
    scene_visit(&s, "b.beta.test");
    scene_at(&s, 21.5);
    scene_visit(&s, "a.alpha.test");
    assert_at(strip_moment(scene_strip(&s), "it", 0), 20);
    scene_end(&s);
}

static void a_burst_can_ask_for_quiet_before_it(void **state)
{
    static const double visits[] = {1, 30, 31, 100, 101};
    struct scene s;

    (void)state;
    scene_begin(&s,
                MOMENT("    when: {burst: {service: alpha, flows: 2, within: 2s, quiet: 60s}}\n"));
    for (size_t i = 0; i < sizeof visits / sizeof *visits; i++) {
        scene_at(&s, visits[i]);
        scene_visit(&s, "a.alpha.test");
    }
    assert_at(strip_moment(scene_strip(&s), "it", 0), 100);
    scene_end(&s);
}

static void bytes_are_placed_where_the_run_began(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, MOMENT("    when: {bytes: {service: alpha, bytes: 1 MB}}\n"));
    scene_at(&s, 1);
    uint64_t flow = scene_tunnel(&s, "a.alpha.test");
    scene_at(&s, 60);
    scene_bytes(&s, flow, 1000, 500000);
    scene_at(&s, 61);
    scene_bytes(&s, flow, 1000, 900000);
    scene_at(&s, 62);
    scene_bytes(&s, flow, 1000, 2000000);
    assert_at(strip_moment(scene_strip(&s), "it", 0), 60);
    scene_end(&s);
}

static void an_end_is_placed_at_the_last_byte(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, MOMENT("    when: {ended: {service: alpha, quiet: 60s, bytes: 1 MB}}\n"));
    scene_at(&s, 1);
    uint64_t flow = scene_tunnel(&s, "a.alpha.test");
    for (unsigned i = 2; i < 40; i++) {
        scene_at(&s, i);
        scene_bytes(&s, flow, 1000, i * 100000);
    }
    scene_at(&s, 99);
    scene_visit(&s, "b.beta.test"); /* 60 s have just passed */
    assert_at(strip_moment(scene_strip(&s), "it", 0), 39);
    scene_end(&s);
}

static void traffic_that_goes_on_has_not_ended(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, MOMENT("    when: {ended: {service: alpha, quiet: 60s, bytes: 1 MB}}\n"));
    uint64_t flow = scene_tunnel(&s, "a.alpha.test");
    scene_at(&s, 1);
    scene_bytes(&s, flow, 1000, 5000000);
    scene_at(&s, 60.9);
    scene_visit(&s, "b.beta.test");
    assert_null(strip_moment(scene_strip(&s), "it", 0));
    scene_end(&s);
}

static void silence_and_then_life_is_placed_where_the_silence_began(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, "moments:\n  - id: it\n    title: It\n    says: 'Away for {duration}.'\n"
                    "    when: {silence: {quiet: 10s, then: {service: alpha}, within: 5s}}\n");
    scene_at(&s, 1);
    scene_visit(&s, "a.alpha.test"); /* no silence before it: it is the first */
    scene_at(&s, 20);
    scene_visit(&s, "b.beta.test"); /* silence, but then something else */
    scene_at(&s, 26);
    scene_visit(&s, "a.alpha.test");
    scene_at(&s, 30);
    uint64_t flow = scene_tunnel(&s, "b.beta.test");
    scene_at(&s, 33);
    scene_close(&s, flow);
    scene_at(&s, 50);
    scene_visit(&s, "b.beta.test");
    scene_at(&s, 53);
    scene_visit(&s, "a.alpha.test");

    const struct strip_moment *m = strip_moment(scene_strip(&s), "it", 0);
    assert_at(m, 33);
    assert_str(m->says, "Away for 17 s.");
    scene_end(&s);
}

static void tunnels_are_idle_when_enough_have_not_moved(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, MOMENT("    when: {idle: {flows: 3, quiet: 60s}}\n"));
    for (unsigned i = 0; i < 2; i++)
        scene_tunnel(&s, "a.alpha.test");
    scene_at(&s, 100);
    uint64_t third = scene_tunnel(&s, "a.alpha.test");
    scene_at(&s, 120);
    scene_bytes(&s, third, 1000, 10000);
    scene_at(&s, 300);
    scene_visit(&s, "b.beta.test");
    assert_at(strip_moment(scene_strip(&s), "it", 0), 180);
    scene_end(&s);
}

static void what_is_absent_is_missed_when_the_time_is_up(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s,
                MOMENT("    when: {flow: {service: alpha}}\n") "findings:\n  - id: missing\n    "
                                                               "title: M\n    says: M.\n"
                                                               "    when: {absent: {service: beta, "
                                                               "moment: it, quiet: 5m}}\n");
    scene_at(&s, 10);
    scene_visit(&s, "a.alpha.test");
    scene_at(&s, 100);
    scene_visit(&s, "b.beta.test");
    scene_at(&s, 500);
    scene_visit(&s, "a.alpha.test");

    const struct strip_finding *f = strip_finding(scene_strip(&s), "missing", 0);
    assert_non_null(f);
    assert_int_equal(f->at_us, 400000000);
    scene_end(&s);
}

static void a_device_that_is_off_misses_nothing(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(
        &s, MOMENT("    when: {flow: {service: alpha}}\n") "findings:\n  - id: missing\n    title: "
                                                           "M\n    says: M.\n"
                                                           "    when: {absent: {service: beta, "
                                                           "moment: it, quiet: 5m, within: 1m}}\n");
    scene_at(&s, 10);
    scene_visit(&s, "a.alpha.test");
    scene_at(&s, 4000);
    scene_visit(&s, "a.alpha.test");
    assert_null(strip_finding(scene_strip(&s), "missing", 0));
    scene_end(&s);
}

static void a_finding_is_over_when_the_host_works(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(
        &s, "findings:\n  - id: f\n    title: F\n    says: ['{host}.', 'It worked at {over}.']\n"
            "    severity: error\n    each: host\n    when: {failed: {}}\n");
    scene_at(&s, 1);
    scene_fail(&s, "a.alpha.test", WHY_CONNECT_FAILED);
    scene_fail(&s, "b.alpha.test", WHY_CONNECT_FAILED);
    scene_at(&s, 65);
    scene_visit(&s, "a.alpha.test");

    struct strip *strip = scene_strip(&s);
    assert_int_equal(strip->finding_count, 2);
    assert_int_equal(strip->findings[0].severity, SEVERITY_ERROR);
    assert_str(strip->findings[0].says, "b.alpha.test.");
    assert_int_equal(strip->findings[1].severity, SEVERITY_INFO);
    assert_str(strip->findings[1].says, "a.alpha.test. It worked at 01:05.");
    scene_end(&s);
}

static void gates_ask_for_what_came_before(void **state)
{
    static const char rules[] =
        "moments:\n"
        "  - {id: first, title: F, says: F., when: {flow: {host: f.alpha.test}}}\n"
        "  - {id: after, title: A, says: A., when: {flow: {service: beta}}, after: first}\n"
        "  - {id: never, title: N, says: N., when: {flow: {service: beta}}, before: first}\n"
        "  - {id: either, title: E, says: E., when: {flow: {service: beta}}, after-any: [never, "
        "first]}\n";
    struct scene s;

    (void)state;
    scene_begin(&s, rules);
    scene_at(&s, 1);
    scene_visit(&s, "f.alpha.test");
    scene_at(&s, 2);
    scene_visit(&s, "b.beta.test");

    struct strip *strip = scene_strip(&s);
    assert_at(strip_moment(strip, "after", 0), 2);
    assert_at(strip_moment(strip, "either", 0), 2);
    assert_null(strip_moment(strip, "never", 0));
    scene_end(&s);
}

/* What ended is noticed late. It still was before whatever came in the meantime. */
static void before_asks_for_the_time_at_which_it_is_placed(void **state)
{
    static const struct {
        bool goes_on, found;
    } cases[] = {{false, true}, {true, false}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct scene s;

        scene_begin(&s, "moments:\n"
                        "  - {id: user, title: U, says: U., when: {flow: {service: beta}}}\n"
                        "  - {id: it, title: I, says: I., before: user,\n"
                        "     when: {ended: {service: alpha, quiet: 60s}}}\n");
        uint64_t flow = scene_tunnel(&s, "a.alpha.test");
        scene_at(&s, 25);
        scene_bytes(&s, flow, 10000, 100000);
        scene_at(&s, 30);
        scene_visit(&s, "b.beta.test");
        if (cases[i].goes_on) {
            scene_at(&s, 35);
            scene_bytes(&s, flow, 10000, 200000);
        }
        scene_at(&s, 200);
        scene_visit(&s, "nobody.test");
        assert_int_equal(strip_moment(scene_strip(&s), "it", 0) != NULL, cases[i].found);
        scene_end(&s);
    }
}

static void a_moment_that_moves_is_told_of_where_it_stands(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s,
                "moments:\n"
                "  - {id: last, title: L, says: L., fires: last, when: {flow: {service: alpha}}}\n"
                "  - {id: sum, title: 'at {at:last}', says: S., when: {end: {}}}\n");
    scene_at(&s, 10);
    scene_visit(&s, "a.alpha.test");
    scene_at(&s, 70);
    scene_visit(&s, "a.alpha.test");
    assert_str(strip_moment(scene_strip(&s), "sum", 0)->title, "at 01:10");
    scene_end(&s);
}

static void what_is_not_for_unknown_scenarios_waits_for_a_known_one(void **state)
{
    static const char rules[] =
        "moments:\n"
        "  - {id: it, title: I, says: I., not-in: unknown, when: {flow: {service: alpha}}}\n"
        "  - {id: b, title: B, says: B., when: {flow: {service: beta}}}\n"
        "scenarios:\n"
        "  - {id: known, title: Known, needs: b}\n";

    (void)state;
    for (unsigned known = 0; known < 2; known++) {
        struct scene s;

        scene_begin(&s, rules);
        scene_visit(&s, "a.alpha.test");
        if (known)
            scene_visit(&s, "b.beta.test");
        assert_int_equal(strip_moment(scene_strip(&s), "it", 0) != NULL, known);
        scene_end(&s);
    }
}

static void captures_come_from_host_and_url(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s,
                "moments:\n"
                "  - id: file\n    title: 'Got {file}'\n    says: 'From {host}.'\n    each: file\n"
                "    when: {flow: {url: '/(?<file>[a-z]+\\.exe)'}}\n"
                "  - id: unit\n    title: 'Unit {unit:upper}'\n"
                "    says: ['Nobody knows {count}.', 'Since {since:missing} it is.']\n"
                "    when: {flow: {host-regex: '^fef\\.(?<unit>[a-z]+\\d+)'}}\n"
                "  - {id: missing, title: M, says: M., when: {flow: {host: nobody.test}}}\n");
    scene_get(&s, "http://dl.beta.test/a/setup.exe");
    scene_get(&s, "http://dl.beta.test/a/setup.exe");
    scene_get(&s, "http://dl.beta.test/a/other.exe");
    scene_visit(&s, "fef.msua01.alpha.test");

    struct strip *strip = scene_strip(&s);
    assert_str(strip_moment(strip, "file", 0)->title, "Got setup.exe");
    assert_int_equal(strip_moment(strip, "file", 0)->evidence.count, 2);
    assert_str(strip_moment(strip, "file", 1)->title, "Got other.exe");
    assert_null(strip_moment(strip, "file", 2));
    assert_str(strip_moment(strip, "unit", 0)->title, "Unit MSUA01");
    assert_str(strip_moment(strip, "unit", 0)->says, "Nobody knows 1.");
    scene_end(&s);
}

static void screen_and_log_lines_are_evidence(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, "moments:\n"
                    "  - id: apps\n    title: '{done} of {total}'\n    says: S.\n    fires: last\n"
                    "    when: {screen: {text: '(?<done>\\d+) of (?<total>\\d+)'}}\n"
                    "  - id: agent\n    title: '{app}'\n    says: S.\n"
                    "    when: {log: {component: 'IME', text: 'installed (?<app>.+)'}}\n");
    stream_put(&s.stream,
               &(struct obs){
                   .kind = OBS_SCREEN_TEXT, .device = 1, .at_us = 1, .text = STR("2 of 8 apps")});
    stream_put(&s.stream,
               &(struct obs){
                   .kind = OBS_SCREEN_TEXT, .device = 1, .at_us = 9, .text = STR("3 of 8 apps")});
    stream_put(&s.stream, &(struct obs){.kind = OBS_LOG_EVENT,
                                        .device = 1,
                                        .at_us = 10,
                                        .component = STR("other"),
                                        .text = STR("installed X")});
    stream_put(&s.stream, &(struct obs){.kind = OBS_LOG_EVENT,
                                        .device = 1,
                                        .at_us = 11,
                                        .component = STR("IME"),
                                        .text = STR("installed Chrome")});

    struct strip *strip = scene_strip(&s);
    assert_str(strip_moment(strip, "apps", 0)->title, "3 of 8");
    assert_int_equal(strip_moment(strip, "apps", 0)->at_us, 9);
    assert_null(strip_moment(strip, "apps", 1));
    assert_str(strip_moment(strip, "agent", 0)->title, "Chrome");
    scene_end(&s);
}

static void phases_and_what_is_unattributed_make_the_whole(void **state)
{
    static const char rules[] =
        "moments:\n"
        "  - {id: a, title: A, says: A., when: {flow: {service: alpha}}}\n"
        "  - {id: b, title: B, says: B., when: {flow: {service: beta}}}\n"
        "  - {id: over, title: O, says: O., when: {flow: {host: over.test}}}\n"
        "phases:\n"
        "  - {id: one, title: One, starts: a}\n"
        "  - {id: two, title: Two, starts: b, ends: over}\n"
        "scenarios:\n"
        "  - {id: any, title: Any, needs: a}\n";
    struct scene s;

    (void)state;
    scene_begin(&s, rules);
    scene_at(&s, 10);
    scene_visit(&s, "nobody.test");
    scene_at(&s, 20);
    scene_visit(&s, "a.alpha.test");
    scene_at(&s, 50);
    scene_visit(&s, "b.beta.test");
    scene_at(&s, 60);
    scene_visit(&s, "a.alpha.test");
    scene_at(&s, 70);
    scene_visit(&s, "over.test");
    scene_at(&s, 75);
    scene_visit(&s, "nobody.test");

    struct strip *strip = scene_strip(&s);
    assert_int_equal(strip->phase_count, 2);
    assert_int_equal(strip->phases[0].start_us, 20000000);
    assert_int_equal(strip->phases[0].end_us, 50000000);
    assert_int_equal(strip->phases[1].end_us, 70000000);
    assert_int_equal(strip->unattributed_us, 15000000);
    assert_str(strip->scenario, "any");
    scene_end(&s);
}

#define FINDING(condition)                                                                         \
    "findings:\n  - id: f\n    title: '{host}'\n    says: ['By {rule}.', 'Status {status}.']\n"    \
    "    fires: each\n    when: {" condition "}\n"

static void what_was_told_is_not_the_networks(void **state)
{
    static const struct {
        const char *type;
        enum flow_why why;
        const char *failure;
    } cases[] = {
        {"block", WHY_BLOCKED, "told"},         {"deny", WHY_BLOCKED, "told"},
        {"port", WHY_REFUSED, "told"},          {"client", WHY_REFUSED, "told"},
        {"delay", WHY_DEVICE_CLOSED, "slowed"}, {"throttle", WHY_TIMEOUT, "slowed"},
        {"delay", WHY_SERVER_RESET, "slowed"},  {"delay", WHY_CONNECT_FAILED, "connect"},
        {"upstream", WHY_NAME_FAILED, "name"},  {"a later kind", WHY_BLOCKED, "blocked"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool ours =
            strcmp(cases[i].failure, "told") == 0 || strcmp(cases[i].failure, "slowed") == 0;
        struct scene s;
        char rules[512];

        scene_begin(&s, FINDING("failed: {}"));
        scene_fail_told(&s, "www.alpha.test", cases[i].type, "r", cases[i].why);
        assert_int_equal(!strip_finding(scene_strip(&s), "f", 0), ours);
        scene_end(&s);

        snprintf(rules, sizeof rules, FINDING("failed: {how: %s}"), cases[i].failure);
        scene_begin(&s, rules);
        scene_fail_told(&s, "www.alpha.test", cases[i].type, "r", cases[i].why);
        assert_non_null(strip_finding(scene_strip(&s), "f", 0));
        scene_end(&s);
    }
}

static void what_was_told_counts_also_where_it_worked_before(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, FINDING("failed: {how: told}"));
    scene_at(&s, 1);
    scene_visit(&s, "www.alpha.test");
    scene_at(&s, 2);
    scene_fail_told(&s, "www.alpha.test", "block", "block *.test", WHY_BLOCKED);

    const struct strip_finding *f = strip_finding(scene_strip(&s), "f", 0);
    assert_non_null(f);
    assert_int_equal(f->at_us, 2000000);
    assert_str(f->says, "By block *.test.");
    scene_end(&s);
}

static void told_asks_for_kinds_of_rules(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, FINDING("told: {rule: [throttle, delay]}"));
    scene_fail_told(&s, "www.alpha.test", "block", "block alpha", WHY_BLOCKED);
    scene_fail_told(&s, "www.alpha.test", "upstream", "upstream u", WHY_BLOCKED);
    scene_fail_told(&s, "www.beta.test", "delay", "delay beta=1s", WHY_FINISHED);

    struct strip *strip = scene_strip(&s);
    assert_str(strip_finding(strip, "f", 0)->title, "www.beta.test");
    assert_str(strip_finding(strip, "f", 0)->says, "By delay beta=1s.");
    assert_null(strip_finding(strip, "f", 1));
    scene_end(&s);
}

static void told_is_over_when_the_host_works_without(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s,
                "findings:\n  - {id: f, title: F, says: '{over}', severity: error, when: {told: "
                "{}}}\noutcomes:\n  - {id: completed, title: O, says: 'Not {hosts:f}.'}\n");
    scene_at(&s, 1);
    scene_fail_told(&s, "a.alpha.test", "block", "block alpha", WHY_BLOCKED);
    assert_str(explainer_strip(s.explainer, 0, s.arena)->outcome_why, "Not a.alpha.test.");
    scene_at(&s, 65);
    scene_visit(&s, "a.alpha.test");

    struct strip *strip = scene_strip(&s);
    assert_str(strip_finding(strip, "f", 0)->says, "01:05");
    assert_str(strip->outcome_why, "");
    scene_end(&s);
}

static void nothing_is_missed_that_was_refused_by_us(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s,
                MOMENT("    when: {flow: {service: alpha}}\n") "findings:\n  - {id: f, title: F, "
                                                               "says: F, when: {absent: {service: "
                                                               "beta, moment: it, quiet: 60s}}}\n");
    scene_at(&s, 1);
    scene_visit(&s, "www.alpha.test");
    scene_at(&s, 5);
    scene_fail_told(&s, "www.beta.test", "block", "block beta", WHY_BLOCKED);
    scene_at(&s, 200);
    scene_visit(&s, "www.alpha.test");
    assert_null(strip_finding(scene_strip(&s), "f", 0));
    scene_end(&s);
}

static void an_upstream_proxy_is_told_from_any_other(void **state)
{
    static const struct {
        uint64_t status;
        enum obs_by by;
        enum flow_why why;
        const char *failure;
    } cases[] = {
        {407, BY_UPSTREAM, WHY_UPSTREAM_FAILED, "upstream"},
        {407, BY_UPSTREAM, WHY_AUTHENTICATION, "upstream"},
        {403, BY_UPSTREAM, WHY_UPSTREAM_FAILED, "upstream"},
        {502, BY_PROXY, WHY_UPSTREAM_FAILED, "no-upstream"},
        {407, BY_PROXY, WHY_AUTHENTICATION, "authentication"},
        {403, BY_PROXY, WHY_REFUSED, "blocked"},
        {503, BY_PROXY, WHY_FINISHED, "proxy"},
    };
    static const char *const failures[] = {"upstream", "no-upstream", "authentication", "blocked",
                                           "proxy"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t k = 0; k < sizeof failures / sizeof *failures; k++) {
            struct scene s;
            char rules[512];

            snprintf(rules, sizeof rules, FINDING("failed: {how: %s}"), failures[k]);
            scene_begin(&s, rules);
            scene_answer(&s, "www.alpha.test", cases[i].status, cases[i].by, cases[i].why);

            const struct strip_finding *f = strip_finding(scene_strip(&s), "f", 0);
            assert_int_equal(f != NULL, strcmp(failures[k], cases[i].failure) == 0);
            snprintf(rules, sizeof rules, "Status %u.", (unsigned)cases[i].status);
            if (f)
                assert_str(f->says, rules);
            scene_end(&s);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_happens_where_it_was_opened),
        cmocka_unit_test(a_flow_that_did_not_work_is_no_contact),
        cmocka_unit_test(an_attempt_counts_where_attempts_are_asked_for),
        cmocka_unit_test(a_handshake_that_the_device_ends_is_no_contact),
        cmocka_unit_test(quiet_tells_each_burst_from_the_one_before),
        cmocka_unit_test(a_count_grows),
        cmocka_unit_test(a_burst_is_placed_at_its_first_flow),
        cmocka_unit_test(a_burst_can_ask_for_quiet_before_it),
        cmocka_unit_test(a_device_that_is_off_misses_nothing),
        cmocka_unit_test(a_finding_is_over_when_the_host_works),
        cmocka_unit_test(bytes_are_placed_where_the_run_began),
        cmocka_unit_test(an_end_is_placed_at_the_last_byte),
        cmocka_unit_test(traffic_that_goes_on_has_not_ended),
        cmocka_unit_test(silence_and_then_life_is_placed_where_the_silence_began),
        cmocka_unit_test(tunnels_are_idle_when_enough_have_not_moved),
        cmocka_unit_test(what_is_absent_is_missed_when_the_time_is_up),
        cmocka_unit_test(gates_ask_for_what_came_before),
        cmocka_unit_test(before_asks_for_the_time_at_which_it_is_placed),
        cmocka_unit_test(a_moment_that_moves_is_told_of_where_it_stands),
        cmocka_unit_test(what_is_not_for_unknown_scenarios_waits_for_a_known_one),
        cmocka_unit_test(captures_come_from_host_and_url),
        cmocka_unit_test(screen_and_log_lines_are_evidence),
        cmocka_unit_test(phases_and_what_is_unattributed_make_the_whole),
        cmocka_unit_test(what_was_told_is_not_the_networks),
        cmocka_unit_test(what_was_told_counts_also_where_it_worked_before),
        cmocka_unit_test(told_asks_for_kinds_of_rules),
        cmocka_unit_test(told_is_over_when_the_host_works_without),
        cmocka_unit_test(nothing_is_missed_that_was_refused_by_us),
        cmocka_unit_test(an_upstream_proxy_is_told_from_any_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
