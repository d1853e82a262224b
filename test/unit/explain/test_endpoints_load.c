/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "explain/endpoints_load.h"

#include "test/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCES "sources: {docs: the vendor's documentation, capture: a capture of 2019}\n"
#define SERVICES "services: {alpha: {title: Alpha, says: The first.}, beta: {title: Beta}}\n"

/* Loads a text; the problems are the caller's to free. */
static char *load(struct endpoints *e, const char *text)
{
    struct yaml_doc *doc = yaml_parse(STR("f.yaml"), str_of(text));
    unsigned n = endpoints_load(e, doc);
    char *problems = str_dup(buf_str(&doc->problems));

    assert_int_equal(n, doc->problem_count);
    yaml_destroy(doc); /* what was loaded does not need it any more */
    endpoints_build(e);
    return problems;
}

static void assert_loads(struct endpoints *e, const char *text, const char *expected)
{
    char *problems = load(e, text);

    assert_string_equal(problems, expected);
    free(problems);
}

static void assert_str(struct str found, const char *expected)
{
    char *text = str_dup(found);

    assert_string_equal(text, expected);
    free(text);
}

static void an_entry_says_all_about_its_hosts(void **state)
{
    struct endpoints *e = endpoints_create();

    (void)state;
    assert_loads(e,
                 SOURCES SERVICES "endpoints:\n"
                                  "  - host: [a.example, .b.example]\n"
                                  "    service: alpha\n"
                                  "    role: Does things.\n"
                                  "    phases: [net, esp-device]\n"
                                  "    required: conditional\n"
                                  "    ports: [80, 123/udp]\n"
                                  "    inspection: unsupported\n"
                                  "    legacy: yes\n"
                                  "    source: [docs, example.com/page, capture]\n",
                 "");
    assert_int_equal(endpoints_count(e), 2);

    const struct endpoint *at = endpoints_match(e, STR("x.b.example"));
    assert_non_null(at);
    assert_str(at->pattern, "*.b.example");
    assert_str(at->service, "alpha");
    assert_str(at->role, "Does things.");
    assert_str(at->phases, "net,esp-device");
    assert_str(at->ports, "80,123/udp");
    assert_str(at->source, "the vendor's documentation; example.com/page; a capture of 2019");
    assert_int_equal(at->required, REQUIRED_CONDITIONAL);
    assert_true(at->inspection_unsupported);
    assert_true(at->legacy);
    assert_str(endpoints_service(e, STR("alpha"))->says, "The first.");
    endpoints_destroy(e);
}

static void little_has_to_be_said(void **state)
{
    struct endpoints *e = endpoints_create();

    (void)state;
    assert_loads(e, SERVICES "endpoints: [{host: a.example, service: beta, role: Does it.}]\n", "");

    const struct endpoint *at = endpoints_match(e, STR("a.example"));
    assert_str(at->phases, "");
    assert_str(at->ports, "443");
    assert_str(at->source, "f.yaml");
    assert_int_equal(at->required, REQUIRED_NO);
    assert_false(at->inspection_unsupported);
    assert_false(at->legacy);
    endpoints_destroy(e);
}

static void a_later_file_overrides_and_knows_earlier_services(void **state)
{
    struct endpoints *e = endpoints_create();

    (void)state;
    assert_loads(e, SERVICES "endpoints: [{host: '*.x', service: beta, role: Does it.}]\n", "");
    assert_loads(e, "endpoints: [{host: .X, service: alpha, role: Does more.}]\n", "");
    assert_int_equal(endpoints_count(e), 1);
    assert_str(endpoints_match(e, STR("a.x"))->role, "Does more.");
    endpoints_destroy(e);
}

/* What is wrong, and how many hosts are kept all the same. */
static void what_is_wrong_is_said_and_the_rest_is_kept(void **state)
{
    static const struct {
        const char *entry, *says;
        const char *at; /* where in the entry */
        size_t kept;
    } cases[] = {
        {"{host: a.x, service: alhpa, role: R.}",
         "no service is called 'alhpa'; did you mean 'alpha'?", "alhpa", 0},
        {"{host: a.x, service: mine, role: R.}",
         "no service is called 'mine'; give it a title under 'services:'", "mine", 0},
        {"{host: a.x, service: alpha}", "'role' is missing here", "{host", 0},
        {"{service: alpha, role: R.}", "'host' is missing here", "{service", 0},
        {"{hosts: a.x, host: b.x, service: alpha, role: R.}",
         "'hosts' is not a key here; did you mean 'host'?", "hosts", 1},
        {"{host: a.x, service: alpha, role: R., phases: esp-devcie}",
         "'esp-devcie' is not known here; did you mean 'esp-device'?", "esp-devcie", 1},
        {"{host: a.x, service: alpha, role: R., required: perhaps}",
         "'perhaps' is not known here; expected one of: no, conditional, yes", "perhaps", 1},
        {"{host: a.x, service: alpha, role: R., ports: 0}",
         "expected a port (443, 123/udp), found '0'", "0}", 1},
        {"{host: a.x, service: alpha, role: R., ports: 53/icmp}",
         "expected a port (443, 123/udp), found '53/icmp'", "53/icmp", 1},
        {"{host: a.x, service: alpha, role: R., inspection: broken}",
         "'broken' is not known here; expected one of: supported, unsupported", "broken", 1},
        {"{host: a.x, service: alpha, role: R., source: dosc}",
         "'dosc' is not among this file's sources; did you mean 'docs'?", "dosc", 1},
        {"{host: a.x, service: alpha, role: R., source: rumour}",
         "'rumour' is not among this file's sources", "rumour", 1},
        {"{host: ['https://a.x/', b.x], service: alpha, role: R.}",
         "a host is a name alone, without https://, port or path", "'https", 1},
        {"{host: 'a.x:443', service: alpha, role: R.}",
         "a host is a name alone, without https://, port or path", "'a.x:443", 0},
        {"{host: a b, service: alpha, role: R.}",
         "a host name has letters, digits, '-', '_' and '.', and '*' for any text", "a b", 0},
        {"{host: '*', service: alpha, role: R.}", "this would fit every host", "'*'", 0},
        {"{host: '**.x', service: alpha, role: R.}",
         "'..' and '**' fit nothing that '.' and '*' do not say", "'**.x'", 0},
        {"a.x", "expected a map (key: value), found 'a.x'", "a.x", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct endpoints *e = endpoints_create();
        char text[600], expected[600];
        int column = 3 + (int)(strstr(cases[i].entry, cases[i].at) - cases[i].entry);

        snprintf(text, sizeof text, SOURCES SERVICES "endpoints:\n- %s\n", cases[i].entry);
        snprintf(expected, sizeof expected, "f.yaml:4:%d: %s\n    4 | - %s\n      | %*s^\n", column,
                 cases[i].says, cases[i].entry, column - 1, "");
        assert_loads(e, text, expected);
        assert_int_equal(endpoints_count(e), cases[i].kept);
        endpoints_destroy(e);
    }
}

static void sources_that_are_no_map_name_nothing(void **state)
{
    struct endpoints *e = endpoints_create();

    (void)state;
    assert_loads(e,
                 "sources: [docs]\n" SERVICES
                 "endpoints: [{host: a.x, service: alpha, role: R., source: docs}]\n",
                 "f.yaml:1:10: expected a map (key: value), found a list\n"
                 "    1 | sources: [docs]\n"
                 "      |          ^\n"
                 "f.yaml:3:59: 'docs' is not among this file's sources\n"
                 "    3 | endpoints: [{host: a.x, service: alpha, role: R., source: docs}]\n"
                 "      |                                                           ^\n");
    endpoints_destroy(e);
}

static void lists_stay_short(void **state)
{
    struct endpoints *e = endpoints_create();

    (void)state;
    assert_loads(e,
                 SERVICES "endpoints:\n"
                          "- host: a.x\n"
                          "  service: alpha\n"
                          "  role: R.\n"
                          "  ports: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
                          "1,1,1]\n",
                 "f.yaml:6:10: more than 32 of them\n"
                 "    6 |   ports: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
                 "1,1,1]\n"
                 "      |          ^\n");
    endpoints_destroy(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_says_all_about_its_hosts),
        cmocka_unit_test(little_has_to_be_said),
        cmocka_unit_test(a_later_file_overrides_and_knows_earlier_services),
        cmocka_unit_test(what_is_wrong_is_said_and_the_rest_is_kept),
        cmocka_unit_test(sources_that_are_no_map_name_nothing),
        cmocka_unit_test(lists_stay_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
