/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The knowledge that is built in: it has no problems, every moment that the program promises has a
 * rule, and machines that nobody provisions are not explained as if somebody did.
 */
#include "cmd/knowledge_files.h"
#include "explain/explainer.h"
#include "explain/rules.h"
#include "obs/stream.h"
#include "test/unit/unit.h"

static struct knowledge *shipped(void)
{
    struct knowledge *k = NULL;
    struct err err;

    if (knowledge_load(NULL, 0, &k, &err) < 0)
        fail_msg("%s", err.text);
    return k;
}

static void every_promised_moment_has_a_rule(void **state)
{
    static const char *const ids[] = {
        "first-traffic",
        "device-identity",
        "certificate-checks",
        "profile-download",
        "activation",
        "update-check",
        "reboot",
        "telemetry",
        "delivery-optimization",
        "sign-in-page",
        "user-sign-in",
        "terms-of-use",
        "defender",
        "intune-first-contact",
        "device-registration",
        "mdm-enrollment",
        "tenant-location",
        "esp-shown",
        "office-install-started",
        "ime-download",
        "push-notifications",
        "office-services",
        "onedrive-install",
        "esp-preparation-done",
        "app-download",
        "office-nearly-done",
        "idle-tunnels",
        "office-installed",
        "root-certificates",
        "app-installer",
        "device-esp-done",
        "user-logged-on",
        "teams",
        "live-tiles",
        "desktop",
        "summary",
    };
    struct knowledge *k = shipped();

    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        if (rules_id(knowledge_rules(k), str_of(ids[i])) == SIZE_MAX)
            fail_msg("no rule has the id %s", ids[i]);
    knowledge_destroy(k);
}

static void each_rule_says_where_it_is_from(void **state)
{
    struct knowledge *k = shipped();

    (void)state;
    for (size_t i = 0; i < knowledge_rule_count(k); i++) {
        struct rule_info rule = knowledge_rule(k, i);

        assert_true(rule.file.n > 0);
        assert_true(rule.line > 0);
        assert_true(rule.title.n > 0);
    }
    knowledge_destroy(k);
}

/* What a desk's machine does all day: it browses, syncs, updates, and asks for its tokens. */
static void an_ordinary_machine_is_not_provisioned(void **state)
{
    static const char *const hosts[] = {
        "login.live.com",
        "v10.events.data.microsoft.com",
        "www.bing.com",
        "edge.microsoft.com",
        "teams.microsoft.com",
        "r.manage.microsoft.com",
        "outlook.office365.com",
        "officecdn.microsoft.com",
        "manage.microsoft.com",
        "client.wns.windows.com",
        "fe3cr.delivery.mp.microsoft.com",
        "login.microsoftonline.com",
        "www.msftconnecttest.com",
        "g.live.com",
        "config.teams.microsoft.com",
        "mobile.pipe.aria.microsoft.com",
        "fef.msua01.manage.microsoft.com",
        "example.org",
    };
    static const char *const never[] = {
        "profile-download", "reboot",          "user-sign-in",         "intune-first-contact",
        "mdm-enrollment",   "esp-shown",       "esp-preparation-done", "office-install-started",
        "app-download",     "device-esp-done", "user-logged-on",       "desktop",
        "live-tiles",       "ime-download",    "onedrive-install",     "office-installed",
    };
    struct knowledge *k = shipped();
    struct explainer *ex = explainer_create(k);
    struct arena *arena = arena_create();
    struct stream stream;
    uint64_t at_us = 0;

    (void)state;
    stream_init(&stream, NULL);
    stream_add_sink(&stream, explainer_put, ex);
    for (unsigned i = 0; i < 2000; i++) {
        struct str host = str_of(hosts[(i * 7 + i / 11) % (sizeof hosts / sizeof *hosts)]);
        uint64_t flow = stream_next_flow(&stream);
        const struct obs seen[] = {
            {.kind = OBS_FLOW_OPENED, .host = host, .port = 443, .how = HOW_CONNECT},
            {.kind = OBS_CONNECTED},
            {.kind = OBS_FLOW_PROGRESS, .bytes_up = 3000, .bytes_down = 9000 + i % 13 * 300000},
            {.kind = OBS_FLOW_CLOSED,
             .bytes_up = 3000,
             .bytes_down = 9000,
             .why = WHY_DEVICE_CLOSED},
        };

        at_us += 500000 + i % 7 * 5000000;
        for (size_t n = 0; n < sizeof seen / sizeof *seen; n++) {
            struct obs o = seen[n];

            o.flow = flow;
            o.device = 1;
            o.source = SOURCE_PROXY;
            o.at_us = at_us + n * 200000;
            stream_put(&stream, &o);
        }
    }
    explainer_finish(ex);

    const struct strip *strip = explainer_strip(ex, 0, arena);
    for (size_t i = 0; i < strip->moment_count; i++)
        for (size_t n = 0; n < sizeof never / sizeof *never; n++)
            if (str_eq(strip->moments[i].id, str_of(never[n])))
                fail_msg("an ordinary machine had the moment %s", never[n]);
    assert_int_equal(strip->phase_count, 0);
    assert_true(str_eq(strip->outcome, STR("not-provisioning")));
    assert_int_equal(strip->unattributed_us, strip->end_us - strip->start_us);
    arena_destroy(arena);
    explainer_destroy(ex);
    knowledge_destroy(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_promised_moment_has_a_rule),
        cmocka_unit_test(each_rule_says_where_it_is_from),
        cmocka_unit_test(an_ordinary_machine_is_not_provisioned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
