/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/auto.h"
#include "cmd/cmd_list.h"

#include "test/unit/unit.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As the parser fills it: the row's options in their order. */
static char *run(int *ret_status, const char *const *words)
{
    enum { WORDS = 16 };
    AUTO(auto_free) void *options = calloc(1, cmd_endpoints.options_size);
    char *argv[WORDS] = {NULL};
    FILE *out = tmpfile();
    int argc = 0, first = 0, was = dup(STDOUT_FILENO);
    bool help = false;
    struct err err;

    while (words[argc] && argc < WORDS - 1) {
        argv[argc] = (char *)words[argc];
        argc++;
    }
    assert_non_null(out);
    assert_int_equal(options_parse(cmd_endpoints.options, argc, argv, options, &first, &help, &err),
                     0);

    fflush(stdout);
    dup2(fileno(out), STDOUT_FILENO);
    *ret_status = cmd_endpoints.run(options, argv + first);
    fflush(stdout);
    dup2(was, STDOUT_FILENO);
    close(was);
    options_finish(cmd_endpoints.options, options);

    char *text = calloc(1, 1 << 20);
    rewind(out);
    assert_true(fread(text, 1, (1 << 20) - 1, out) < (1 << 20) - 1);
    fclose(out);
    return text;
}

static void a_known_host_is_explained(void **state)
{
    static const char *const words[] = {"endpoints", "https://CP802.prod.do.dsp.mp.microsoft.com/x",
                                        NULL};
    int status;
    char *text = run(&status, words);

    (void)state;
    assert_int_equal(status, EXIT_OK);
    assert_non_null(strstr(text, "CP802.prod.do.dsp.mp.microsoft.com  Delivery Optimization\n"));
    assert_non_null(strstr(text, "\n  pattern     cp*.prod.do.dsp.mp.microsoft.com\n"));
    assert_non_null(strstr(text, "\n  phases      esp-device, esp-account, dpp\n"));
    assert_non_null(strstr(text, "\n  required    conditional\n"));
    assert_non_null(strstr(text, "\n  source      MicrosoftDocs/"));
    free(text);
}

static void an_unknown_host_is_said_so(void **state)
{
    static const char *const words[] = {"endpoints", "login.live.com", "www.contoso.com:443", NULL};
    int status;
    char *text = run(&status, words);

    (void)state;
    assert_int_equal(status, EXIT_FOUND);
    assert_non_null(strstr(text, "login.live.com  Device identity"));
    assert_non_null(strstr(text, "\nwww.contoso.com\n  Not known: no pattern fits it.\n"));
    free(text);
}

static void json_says_the_same(void **state)
{
    static const char *const words[] = {"endpoints", "-f", "json", "r.manage.microsoft.com",
                                        "x.y",       NULL};
    int status;
    char *text = run(&status, words);
    json_t *all = json_loads(text, 0, NULL), *known = json_array_get(all, 0);

    (void)state;
    assert_int_equal(status, EXIT_FOUND);
    assert_int_equal(json_array_size(all), 2);
    assert_string_equal(json_string_value(json_object_get(known, "service")), "intune-mdm");
    assert_string_equal(json_string_value(json_object_get(known, "required")), "yes");
    assert_true(json_is_true(json_object_get(known, "inspection_unsupported")));
    assert_int_equal(json_array_size(json_object_get(known, "phases")), 4);
    assert_int_equal(json_array_size(json_object_get(known, "sources")), 2);
    assert_true(json_is_false(json_object_get(json_array_get(all, 1), "known")));
    json_decref(all);
    free(text);
}

static void the_list_has_a_line_for_every_pattern(void **state)
{
    static const char *const as_text[] = {"endpoints", "--list", NULL};
    static const char *const as_json[] = {"endpoints", "--list", "--format", "json", NULL};
    int status;
    size_t lines = 0;
    char *text = run(&status, as_text);

    (void)state;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    free(text);
    text = run(&status, as_json);

    json_t *all = json_loads(text, 0, NULL);
    assert_true(lines > 500);
    assert_int_equal(json_array_size(all), lines);
    json_decref(all);
    free(text);
}

static void hosts_or_the_list_but_not_both(void **state)
{
    static const char *const neither[] = {"endpoints", NULL};
    static const char *const both[] = {"endpoints", "--list", "a.b", NULL};
    int status;

    (void)state;
    free(run(&status, neither));
    assert_int_equal(status, EXIT_TROUBLE);
    free(run(&status, both));
    assert_int_equal(status, EXIT_TROUBLE);
}

static int without_user_files(void **state)
{
    (void)state;
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_host_is_explained),
        cmocka_unit_test(an_unknown_host_is_said_so),
        cmocka_unit_test(json_says_the_same),
        cmocka_unit_test(the_list_has_a_line_for_every_pattern),
        cmocka_unit_test(hosts_or_the_list_but_not_both),
    };

    return cmocka_run_group_tests(tests, without_user_files, NULL);
}
