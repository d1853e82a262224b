/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The shipped scenarios, played through the real proxy under a held clock and explained with the
 * shipped knowledge: what a person sees after `flightstrip rehearse`.
 */
#include "rehearse/scenarios.h"

#include "explain/explainer.h"
#include "explain/shipped.h"
#include "test/unit/rehearse/stage.h"

#include "test/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#define SECOND 1000000ull
#define TOLERANCE_US (2 * SECOND)

static struct knowledge *knowledge;

static int read_knowledge(void **state)
{
    struct buf problems;

    (void)state;
    buf_init(&problems, BUF_UNBOUNDED);
    knowledge = knowledge_create();
    for (const struct embedded *f = knowledge_files; f->name; f++)
        knowledge_add(knowledge, str_of(f->name), embedded_str(f), &problems);
    knowledge_build(knowledge, &problems);
    if (problems.n)
        print_error(STR_FMT, STR_ARG(buf_str(&problems)));
    return (int)problems.n;
}

static int drop_knowledge(void **state)
{
    (void)state;
    knowledge_destroy(knowledge);
    return 0;
}

static struct scenario *load(const char *id)
{
    struct scenario *s = NULL;
    struct buf problems;
    struct err err = {{0}};

    buf_init(&problems, BUF_UNBOUNDED);
    if (scenarios_load(id, &s, &problems, &err))
        fail_msg("%s\n" STR_FMT, err.text, STR_ARG(buf_str(&problems)));
    buf_finish(&problems);
    return s;
}

/* A scenario, played and explained. */
struct explained {
    struct scenario *scenario;
    struct stage stage;
    struct explainer *explainer;
    struct arena *arena;
    struct strip *strip;
};

static void explain(struct explained *e, const char *id)
{
    *e = (struct explained){
        .scenario = load(id), .explainer = explainer_create(knowledge), .arena = arena_create()};
    stage_play(&e->stage, e->scenario, explainer_put, e->explainer);
    explainer_finish(e->explainer);
    assert_int_equal(explainer_device_count(e->explainer), 1);
    e->strip = explainer_strip(e->explainer, 0, e->arena);
}

static void explained_close(struct explained *e)
{
    explainer_destroy(e->explainer);
    stage_close(&e->stage);
    scenario_destroy(e->scenario);
    arena_destroy(e->arena);
}

static const struct strip_moment *moment_near(const struct strip *s, const char *id, uint64_t at_us)
{
    for (size_t i = 0; i < s->moment_count; i++) {
        const struct strip_moment *m = &s->moments[i];
        uint64_t apart_us = m->at_us > at_us ? m->at_us - at_us : at_us - m->at_us;

        if (str_eq(m->id, str_of(id)) && apart_us <= TOLERANCE_US)
            return m;
    }
    return NULL;
}

static size_t moments_called(const struct strip *s, const char *id)
{
    size_t n = 0;

    for (size_t i = 0; i < s->moment_count; i++)
        n += str_eq(s->moments[i].id, str_of(id));
    return n;
}

#define AT(minutes, seconds) ((minutes)*60 + (seconds))

/* What the author of the published run noted by hand, and when. */
static void the_run_of_2019_has_all_its_moments(void **state)
{
    static const struct {
        unsigned at_s;
        const char *id;
    } moments[] = {
        {AT(0, 10), "first-traffic"},
        {AT(0, 10), "device-identity"},
        {AT(0, 10), "certificate-checks"},
        {AT(0, 12), "profile-download"},
        {AT(0, 18), "activation"},
        {AT(0, 18), "update-check"},
        {AT(0, 45), "reboot"},
        {AT(1, 2), "telemetry"},
        {AT(1, 20), "delivery-optimization"},
        {AT(1, 28), "sign-in-page"},
        {AT(1, 44), "user-sign-in"},
        {AT(1, 56), "terms-of-use"},
        {AT(1, 56), "defender"},
        {AT(2, 0), "intune-first-contact"},
        {AT(2, 1), "device-registration"},
        {AT(2, 10), "mdm-enrollment"},
        {AT(2, 10), "tenant-location"},
        {AT(2, 16), "esp-shown"},
        {AT(2, 56), "office-install-started"},
        {AT(2, 56), "ime-download"},
        {AT(3, 22), "push-notifications"},
        {AT(3, 22), "office-services"},
        {AT(3, 51), "onedrive-install"},
        {AT(3, 51), "esp-preparation-done"},
        {AT(4, 6), "app-download"},
        {AT(4, 45), "office-nearly-done"},
        {AT(5, 10), "app-download"},
        {AT(6, 54), "idle-tunnels"},
        {AT(8, 5), "office-installed"},
        {AT(11, 39), "root-certificates"},
        {AT(16, 19), "app-installer"},
        {AT(16, 19), "device-esp-done"},
        {AT(16, 19), "user-logged-on"},
        {AT(16, 45), "teams"},
        {AT(17, 28), "live-tiles"},
        {AT(17, 54), "live-tiles"},
        {AT(19, 5), "desktop"},
        {AT(20, 13), "teams"},
        {AT(20, 20), "summary"},
    };
    static const char *const once[] = {
        "first-traffic", "device-identity",        "reboot",           "sign-in-page",
        "user-sign-in",  "office-install-started", "office-installed", "root-certificates",
        "desktop",       "device-esp-done",        "idle-tunnels",     "app-installer",
    };
    struct explained e;

    (void)state;
    explain(&e, "user-driven-2019");
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++)
        if (!moment_near(e.strip, moments[i].id, moments[i].at_s * SECOND))
            fail_msg("no %s at %02u:%02u", moments[i].id, moments[i].at_s / 60,
                     moments[i].at_s % 60);
    for (size_t i = 0; i < sizeof once / sizeof *once; i++)
        if (moments_called(e.strip, once[i]) != 1)
            fail_msg("%s: %zu times", once[i], moments_called(e.strip, once[i]));
    assert_true(
        str_search(moment_near(e.strip, "tenant-location", 130 * SECOND)->title, STR("MSUA01")) <
        moment_near(e.strip, "tenant-location", 130 * SECOND)->title.n);
    assert_int_equal(e.strip->finding_count, 0);
    explained_close(&e);
}

static void every_scenario_ends_as_it_says(void **state)
{
    static const struct {
        const char *id, *scenario, *outcome, *finding; /* finding NULL: there is no error */
    } cases[] = {
        {"user-driven-2019", "user-driven", "completed", NULL},
        {"user-driven", "user-driven", "completed", NULL},
        {"pre-provisioning", "pre-provisioning", "completed", NULL},
        {"self-deploying", "self-deploying", "completed", NULL},
        {"device-preparation", "device-preparation", "completed", NULL},
        {"login-blocked", "autopilot", "failed", "identity-blocked"},
        {"enrollment-blocked", "user-driven", "failed", "host-blocked"},
        {"tls-inspected", "user-driven", "failed", "tls-inspected"},
        {"esp-timeout", "user-driven", "failed", "diagnostics-uploaded"},
        {"proxy-authentication", "autopilot", "failed", "proxy-authentication"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct strip_finding *error = NULL;
        struct explained e;

        explain(&e, cases[i].id);
        assert_int_equal(clock_now_us(&e.stage.clock), e.scenario->ends_us);
        if (!str_eq(e.strip->scenario, str_of(cases[i].scenario)) ||
            !str_eq(e.strip->outcome, str_of(cases[i].outcome)))
            fail_msg("%s: " STR_FMT ", " STR_FMT, cases[i].id, STR_ARG(e.strip->scenario),
                     STR_ARG(e.strip->outcome));
        for (size_t f = 0; f < e.strip->finding_count; f++) {
            const struct strip_finding *finding = &e.strip->findings[f];

            if (finding->severity != SEVERITY_ERROR)
                continue;
            if (!error || (cases[i].finding && str_eq(finding->id, str_of(cases[i].finding))))
                error = finding;
        }
        if (!cases[i].finding && error)
            fail_msg("%s: " STR_FMT, cases[i].id, STR_ARG(error->says));
        if (cases[i].finding && (!error || !str_eq(error->id, str_of(cases[i].finding))))
            fail_msg("%s: no %s", cases[i].id, cases[i].finding);
        explained_close(&e);
    }
}

static void a_shipped_scenario_is_called_as_its_file(void **state)
{
    size_t n = 0;

    (void)state;
    for (; scenarios_id(n).n; n++) {
        char *id = str_dup(scenarios_id(n));
        struct scenario *s = load(id);

        assert_true(str_eq(s->id, scenarios_id(n)));
        scenario_destroy(s);
        free(id);
    }
    assert_int_equal(n, 10);
}

static void the_knowledge_has_every_host_of_a_scenario(void **state)
{
    (void)state;
    for (size_t n = 0; scenarios_id(n).n; n++) {
        char *id = str_dup(scenarios_id(n));
        struct scenario *s = load(id);

        for (size_t i = 0; i < s->event_count; i++)
            if (s->events[i].what == SCENARIO_FLOW &&
                !endpoints_match(knowledge_endpoints(knowledge), s->events[i].flow->host))
                fail_msg("%s: " STR_FMT, id, STR_ARG(s->events[i].flow->host));
        scenario_destroy(s);
        free(id);
    }
}

static void what_is_no_scenario_is_said(void **state)
{
    static const struct {
        const char *name, *says;
    } cases[] = {
        {"user-driven-2091",
         "there is no scenario 'user-driven-2091'; did you mean 'user-driven-2019'?"},
        {"something-else", "there is no scenario 'something-else'; flightstrip rehearse --list"},
        {"./not-there.yaml", "./not-there.yaml: No such file or directory"},
        {"/", "/: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scenario *s = NULL;
        struct buf problems;
        struct err err = {{0}};

        buf_init(&problems, BUF_UNBOUNDED);
        assert_true(scenarios_load(cases[i].name, &s, &problems, &err) < 0);
        assert_null(s);
        if (!str_starts(str_of(err.text), str_of(cases[i].says)))
            fail_msg("%s", err.text);
        buf_finish(&problems);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shipped_scenario_is_called_as_its_file),
        cmocka_unit_test(the_knowledge_has_every_host_of_a_scenario),
        cmocka_unit_test(what_is_no_scenario_is_said),
        cmocka_unit_test(the_run_of_2019_has_all_its_moments),
        cmocka_unit_test(every_scenario_ends_as_it_says),
    };

    return cmocka_run_group_tests(tests, read_knowledge, drop_knowledge);
}
