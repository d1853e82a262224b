/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file for clients, as text, and run by node where there is one. */
#include "sources/proxy/pac.h"

#include "test/unit/store/scratch.h"

#include <sys/wait.h>

/* What a client has for the file to call, after Mozilla's description of proxy auto-configuration.
 */
static const char functions[] =
    "function isPlainHostName(host) { return host.indexOf('.') < 0; }\n"
    "function dnsDomainIs(host, domain) {\n"
    "    return host.length >= domain.length &&\n"
    "        host.substring(host.length - domain.length) == domain;\n"
    "}\n"
    "function shExpMatch(text, pattern) {\n"
    "    pattern = pattern.replace(/[.+^${}()|[\\]\\\\]/g, '\\\\$&');\n"
    "    pattern = pattern.replace(/\\*/g, '.*').replace(/\\?/g, '.');\n"
    "    return new RegExp('^' + pattern + '$').test(text);\n"
    "}\n"
    "function ask(host) { console.log(FindProxyForURL('http://' + host + '/', host)); }\n";

static void the_file_reads_well(void **state)
{
    static const char *const direct[] = {"*.corp.example", "login.example", "cp*.example"};
    struct buf out;

    (void)state;
    buf_init(&out, BUF_UNBOUNDED);
    pac_put(&out, STR("Proxy.example:8080"), direct, 3);
    buf_put_byte(&out, '\0');
    assert_string_equal(out.p,
                        "function FindProxyForURL(url, host)\n"
                        "{\n"
                        "    host = host.toLowerCase();\n"
                        "    /* An IPv6 address has no dot, and is no plain name for that. */\n"
                        "    if (isPlainHostName(host) && host.indexOf(\":\") < 0)\n"
                        "        return \"DIRECT\";\n"
                        "    if (host == \"proxy.example\")\n"
                        "        return \"DIRECT\";\n"
                        "    if (dnsDomainIs(host, \".corp.example\"))\n"
                        "        return \"DIRECT\";\n"
                        "    if (host == \"login.example\")\n"
                        "        return \"DIRECT\";\n"
                        "    if (shExpMatch(host, \"cp?*.example\"))\n"
                        "        return \"DIRECT\";\n"
                        "    return \"PROXY Proxy.example:8080\";\n"
                        "}\n");
    buf_finish(&out);
}

static void no_text_gets_out_of_its_string(void **state)
{
    static const char *const direct[] = {"a\"]b\\c\n</script>\x7f",
                                         "b\xc3\xbch.\xf0\x9f\x98\x80\xff"};
    struct buf out;

    (void)state;
    buf_init(&out, BUF_UNBOUNDED);
    pac_put(&out, STR("a\");alert(\"b:8080"), direct, 2);
    assert_true(str_search(buf_str(&out),
                           STR("host == \"a\\u0022]b\\u005cc\\u000a\\u003c/script>\\u007f\")")) <
                out.n);
    assert_true(str_search(buf_str(&out), STR("\"b\\u00fch.\\ud83d\\ude00\\ufffd\"")) < out.n);
    assert_true(str_search(buf_str(&out), STR("\"PROXY a\\u0022);alert(\\u0022b:8080\"")) < out.n);
    buf_finish(&out);
}

/* Runs a file; what it says, up to the ceiling of `out`. False: there is no node here. */
static bool run_node(struct scratch *s, const char *file, struct buf *out)
{
    FILE *said;

    if (system("command -v node >/dev/null 2>&1") != 0)
        return false;
    said = popen(arena_printf(s->arena, "node '%s'", file).p, "r");
    assert_non_null(said);
    buf_wrote(out, fread(buf_reserve(out, out->max), 1, out->max, said));
    assert_int_equal(pclose(said), 0);
    return true;
}

static void clients_find_what_was_meant(void **state)
{
    static const char *const direct[] = {".corp.example", "login.example", "cp*.*.example",
                                         "b\xc3\xbch.example", "a\"b"};
    static const struct {
        const char *host;
        bool direct;
    } cases[] = {
        {"intranet", true},           {"2001:db8::9", false},
        {"2001:db8::1", true}, /* the proxy's own, in both ways that clients write it */
        {"[2001:db8::1]", true},      {"a.corp.example", true},
        {"A.B.Corp.Example", true},   {"corp.example", false},
        {"xcorp.example", false},     {"login.example", true},
        {"x.login.example", false},   {"cp1.a.example", true},
        {"cp.a.example", false},      {"cp1..example", false},
        {"b\xc3\xbch.example", true}, {"www.example", false},
    };
    struct scratch *s = *state;
    struct buf script, said;
    struct str rest, line;

    buf_init(&script, BUF_UNBOUNDED);
    buf_init(&said, 4096);
    pac_put(&script, STR("[2001:db8::1]:8080"), direct, 5);
    buf_put_str(&script, str_of(functions));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        buf_printf(&script, "ask(\"%s\");\n", cases[i].host);
    const char *file = scratch_write(s, "pac.js", buf_str(&script));
    if (!run_node(s, file, &said)) {
        buf_finish(&script);
        buf_finish(&said);
        skip();
    }
    rest = buf_str(&said);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(str_line(&rest, &line));
        if (!str_eq(line, cases[i].direct ? STR("DIRECT") : STR("PROXY [2001:db8::1]:8080")))
            fail_msg("%s: " STR_FMT, cases[i].host, STR_ARG(line));
    }
    buf_finish(&script);
    buf_finish(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_reads_well),
        cmocka_unit_test(no_text_gets_out_of_its_string),
        cmocka_unit_test_setup_teardown(clients_find_what_was_meant, scratch_make, scratch_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
