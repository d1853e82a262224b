/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The knowledge that is built in: it is free of problems, and says all that the list of facts says.
 */
#include "base/auto.h"
#include "explain/knowledge.h"
#include "explain/shipped.h"
#include "test/unit/unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct knowledge *shipped(void)
{
    struct knowledge *k = knowledge_create();
    struct buf problems;

    buf_init(&problems, BUF_UNBOUNDED);
    for (const struct embedded *f = knowledge_files; f->name; f++)
        knowledge_add(k, str_of(f->name), embedded_str(f), &problems);
    knowledge_build(k, &problems);
    if (problems.n)
        fail_msg(STR_FMT, STR_ARG(buf_str(&problems)));
    buf_finish(&problems);
    return k;
}

static void every_endpoint_is_whole(void **state)
{
    struct knowledge *k = shipped();
    const struct endpoints *e = knowledge_endpoints(k);

    (void)state;
    for (size_t i = 0; i < endpoints_count(e); i++) {
        const struct endpoint *at = endpoints_at(e, i);
        const struct service_info *service = endpoints_service(e, at->service);

        if (!service || !service->title.n || !service->says.n || !at->source.n || at->role.n < 10 ||
            !str_ends(at->role, STR(".")) || !at->ports.n)
            fail_msg(STR_FMT " lacks something", STR_ARG(at->pattern));
        assert_true(endpoints_match(e, at->pattern) != NULL || at->pattern.n == 0);
    }
    knowledge_destroy(k);
}

static void every_service_has_an_endpoint(void **state)
{
    struct knowledge *k = shipped();
    const struct endpoints *e = knowledge_endpoints(k);

    (void)state;
    for (size_t s = 0; s < endpoints_service_count(e); s++) {
        struct str id = endpoints_service_at(e, s)->id;
        size_t i = 0;

        while (i < endpoints_count(e) && !str_eq(endpoints_at(e, i)->service, id))
            i++;
        if (i == endpoints_count(e))
            fail_msg("no host belongs to " STR_FMT, STR_ARG(id));
    }
    knowledge_destroy(k);
}

/* --- the list of facts ------------------------------------------------------------------------ */

/* Its columns, in order. */
enum { PATTERN, PORTS, PROTO, SERVICE, ROLE, PHASE, REQUIRED, INSPECTION, SOURCE, COLUMNS };

static const struct endpoint *endpoint_of(const struct endpoints *e, struct str pattern)
{
    for (size_t i = 0; i < endpoints_count(e); i++)
        if (str_eq(endpoints_at(e, i)->pattern, pattern))
            return endpoints_at(e, i);
    return NULL;
}

static void compare(const struct endpoints *e, struct str row)
{
    struct str cells[COLUMNS];

    for (size_t i = 0; i < COLUMNS; i++)
        cells[i] = str_cut(&row, '\t');

    const struct endpoint *at = endpoint_of(e, cells[PATTERN]);
    struct str phases = str_eq(cells[PHASE], STR("-")) ? STR("") : cells[PHASE];
    if (!at)
        fail_msg(STR_FMT " is not there", STR_ARG(cells[PATTERN]));
    else if (!str_eq(at->service, cells[SERVICE]) || !str_eq(at->phases, phases) ||
             !str_eq(str_of(requirement_name(at->required)), cells[REQUIRED]) ||
             at->inspection_unsupported != str_eq(cells[INSPECTION], STR("unsupported")) ||
             (str_eq(cells[PROTO], STR("tcp")) && !str_eq(at->ports, cells[PORTS])))
        fail_msg(STR_FMT " is not as in the list", STR_ARG(cells[PATTERN]));
    else if (str_search(cells[ROLE], STR("[legacy")) < cells[ROLE].n && !at->legacy)
        fail_msg(STR_FMT " is not marked as legacy", STR_ARG(cells[PATTERN]));
}

static FILE *open_list(void)
{
    const char *shared = getenv("FLIGHTSTRIP_SHARED");
    AUTO(auto_free) char *path = NULL;

    if (asprintf(&path, "%s/knowledge/endpoints.tsv", shared ? shared : "../shared") < 0)
        return NULL;
    return fopen(path, "r");
}

static void every_fact_of_the_list_is_there(void **state)
{
    AUTO(auto_fclose) FILE *list = open_list();
    AUTO(auto_free) char *line = NULL;
    size_t room = 0, rows = 0;
    ssize_t n;

    (void)state;
    if (!list) {
        print_message("skipped: no knowledge/endpoints.tsv in FLIGHTSTRIP_SHARED or ../shared\n");
        skip();
    }

    struct knowledge *k = shipped();
    while ((n = getline(&line, &room, list)) > 0)
        if (rows++ > 0) /* the first names the columns */
            compare(knowledge_endpoints(k), str_trim(str_from(line, (size_t)n)));
    assert_true(rows > 500);
    knowledge_destroy(k);
}

/* Hosts from runs of 2019 and of today. */
static void hosts_of_real_runs_are_known(void **state)
{
    static const struct {
        const char *host, *service;
    } cases[] = {
        {"login.live.com", "device-identity"},
        {"ztd.dds.microsoft.com", "autopilot"},
        {"cp601-prod.do.dsp.mp.microsoft.com", "delivery-optimization"},
        {"cp801.prod.do.dsp.mp.microsoft.com", "delivery-optimization"},
        {"kv401-prod.do.dsp.mp.microsoft.com", "delivery-optimization"},
        {"fef.msua01.manage.microsoft.com", "intune-mdm"},
        {"swda01-mscdn.manage.microsoft.com", "intune-ime"},
        {"imeswdb-afd-primary.manage.microsoft.com", "intune-ime"},
        {"lgmsapeuk.blob.core.windows.net", "autopilot-diagnostics"},
        {"contoso.blob.core.windows.net", "azure-storage"},
        {"ifx-keyid-0123abcd.microsoftaik.azure.net", "tpm-attestation"},
        {"enterpriseenrollment.contoso.com", "intune-mdm"},
        {"wpad.corp.contoso.com", "proxy-discovery"},
        {"watson.ppe.microsoft.com", "telemetry"},
        {"store-images.s-microsoft.com", "store"},
        {"tenant.sharepoint.com", "onedrive"},
        {"www.contoso.com", NULL},
    };
    struct knowledge *k = shipped();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct endpoint *at = endpoints_match(knowledge_endpoints(k), str_of(cases[i].host));

        if (cases[i].service ? !at || !str_eq(at->service, str_of(cases[i].service)) : at != NULL)
            fail_msg("%s", cases[i].host);
    }
    knowledge_destroy(k);
}

/* --- the folder ------------------------------------------------------------------------------- */

static bool is_built_in(struct str name)
{
    for (const struct embedded *f = knowledge_files; f->name; f++)
        if (str_eq(str_of(f->name), name))
            return true;
    return false;
}

/* What lies in scenarios/ is built in by the rehearsal. */
static int check_built_in(const char *path, const struct stat *st, int type, struct FTW *at)
{
    struct str name = str_skip(str_of(path), strlen("knowledge/"));

    (void)st;
    (void)at;
    if (type == FTW_F && str_ends(name, STR(".yaml")) && !str_starts(name, STR("scenarios/")) &&
        !is_built_in(name))
        fail_msg("%s is not in knowledge/meson.build", path);
    return 0;
}

static void every_file_of_the_folder_is_built_in(void **state)
{
    (void)state;
    if (access("knowledge/meson.build", R_OK)) {
        print_message("skipped: no folder knowledge here\n");
        skip();
    }
    assert_int_equal(nftw("knowledge", check_built_in, 8, FTW_PHYS), 0);
}

/* --- the manual ------------------------------------------------------------------------------- */

static char *read_all(const char *path)
{
    AUTO(auto_fclose) FILE *file = fopen(path, "r");
    char *text = calloc(1, 1 << 18);

    if (!file) {
        free(text);
        return NULL;
    }
    assert_true(fread(text, 1, (1 << 18) - 1, file) < (1 << 18) - 1);
    return text;
}

/* Every example loads, on top of what is shipped, as it would for whoever copies it. */
static void the_examples_of_the_readme_are_right(void **state)
{
    AUTO(auto_free) char *readme = read_all("knowledge/README.md");
    struct str rest = str_of(readme), begin = STR("```yaml\n"), end = STR("```\n");
    unsigned examples = 0;

    (void)state;
    if (!readme) {
        print_message("skipped: no knowledge/README.md here\n");
        skip();
    }
    while (str_search(rest, begin) < rest.n) {
        rest = str_skip(rest, str_search(rest, begin) + begin.n);

        struct str example = str_head(rest, str_search(rest, end));
        struct knowledge *k = shipped();
        struct buf problems;

        buf_init(&problems, BUF_UNBOUNDED);
        knowledge_add(k, STR("README.md"), example, &problems);
        knowledge_build(k, &problems);
        if (problems.n)
            fail_msg(STR_FMT, STR_ARG(buf_str(&problems)));
        buf_finish(&problems);
        knowledge_destroy(k);
        examples++;
    }
    assert_true(examples >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_endpoint_is_whole),
        cmocka_unit_test(every_service_has_an_endpoint),
        cmocka_unit_test(every_fact_of_the_list_is_there),
        cmocka_unit_test(hosts_of_real_runs_are_known),
        cmocka_unit_test(every_file_of_the_folder_is_built_in),
        cmocka_unit_test(the_examples_of_the_readme_are_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
