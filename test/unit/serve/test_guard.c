/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/guard.h"

#include "test/unit/unit.h"

#include <stdio.h>
#include <string.h>

enum { PORT = 8088 };

static bool certifies(const void *ctx, struct str host)
{
    return str_ieq(host, str_of(ctx));
}

static struct guard open_guard(void)
{
    struct guard g;

    guard_init(&g, true, false, PORT);
    return g;
}

/* On an address that others reach, of a machine named strip.example.org. */
static struct guard closed_guard(bool uses_tls)
{
    struct guard g;

    guard_init(&g, false, uses_tls, PORT);
    strcpy(g.host_name, "strip.example.org");
    return g;
}

static struct guard_asked asked_of(const char *host)
{
    return (struct guard_asked){.is_safe = true, .host = str_of(host)};
}

static void on_loopback_its_names_alone_are_ours(void **state)
{
    static const struct {
        const char *host;
        bool is_ours;
    } cases[] = {
        {"localhost", true},          {"localhost.:80", true}, {"127.9.9.9:1", true},
        {"[::1]:80", true},           {"evil.test", false},    {"192.168.1.1", false},
        {"[fd00::1]", false},         {"::1", false},          {"", false},
        {"strip.example.org", false}, {"strip", false},        {"0.0.0.0:80", false},
    };
    struct guard g = open_guard();

    (void)state;
    strcpy(g.host_name, "strip.example.org");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct guard_asked asked = asked_of(cases[i].host);

        if (guard_judge(&g, &asked) != (cases[i].is_ours ? GUARD_WRITES : GUARD_MISDIRECTED))
            fail_msg("%s", cases[i].host);
    }
}

static void elsewhere_addresses_and_the_machine_are_ours(void **state)
{
    static const struct {
        const char *host;
        bool is_ours;
    } cases[] = {
        {"strip.example.org:8088", true},
        {"STRIP", true},
        {"strip.local", true},
        {"192.168.1.1:8088", true},
        {"[fd00::1]", true},
        {"localhost", true},
        {"example.org", false},
        {"evil.test", false},
        {"strip.evil.test", false},
        {".local", false},
        {"local", false},
        {"192.168.1.1.evil.test", false},
    };
    struct guard g = closed_guard(false);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct guard_asked asked = asked_of(cases[i].host);

        if (guard_judge(&g, &asked) != (cases[i].is_ours ? GUARD_UNKNOWN : GUARD_MISDIRECTED))
            fail_msg("%s", cases[i].host);
    }
}

static void a_machine_without_a_name_has_none(void **state)
{
    struct guard g = closed_guard(false);
    struct guard_asked asked = asked_of(".local");

    (void)state;
    g.host_name[0] = '\0';
    assert_int_equal(guard_judge(&g, &asked), GUARD_MISDIRECTED);
}

static void what_the_certificate_names_is_ours(void **state)
{
    struct guard g = closed_guard(true);
    struct guard_asked asked = asked_of("watch.example.net");

    (void)state;
    assert_int_equal(guard_judge(&g, &asked), GUARD_MISDIRECTED);
    g.certifies = certifies;
    g.ctx = "watch.example.net";
    assert_int_equal(guard_judge(&g, &asked), GUARD_UNKNOWN);
}

static void tokens_are_new_and_of_the_alphabet_of_urls(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct guard a = closed_guard(false), b = closed_guard(false);

    (void)state;
    assert_int_equal(strspn(a.read_token, digits), GUARD_TOKEN_CHARS);
    assert_int_equal(strlen(a.write_token), GUARD_TOKEN_CHARS);
    assert_string_not_equal(a.read_token, a.write_token);
    assert_string_not_equal(a.read_token, b.read_token);
}

static enum guard_verdict judge_bearer(const struct guard *g, const char *token)
{
    struct guard_asked asked = asked_of("localhost");
    char text[64];

    snprintf(text, sizeof text, "Bearer %s", token);
    asked.authorization = str_of(text);
    return guard_judge(g, &asked);
}

static void a_bearer_may_what_its_token_may(void **state)
{
    struct guard g = closed_guard(false), other = closed_guard(false);

    (void)state;
    assert_int_equal(judge_bearer(&g, g.read_token), GUARD_READS);
    assert_int_equal(judge_bearer(&g, g.write_token), GUARD_WRITES);
    assert_int_equal(judge_bearer(&g, other.write_token), GUARD_UNKNOWN);
    assert_int_equal(judge_bearer(&g, g.read_token + 1), GUARD_UNKNOWN);
    assert_int_equal(judge_bearer(&g, ""), GUARD_UNKNOWN);
}

/* In the text a ? stands for the token for reading, a ! for that for writing. */
static enum guard_verdict judge_cookies(const struct guard *g, const char *text)
{
    struct guard_asked asked = asked_of("localhost");
    enum guard_verdict verdict;
    struct buf cookies;

    buf_init(&cookies, 256);
    for (; *text; text++)
        buf_printf(&cookies, "%.*s", *text == '?' || *text == '!' ? GUARD_TOKEN_CHARS : 1,
                   *text == '?'   ? g->read_token
                   : *text == '!' ? g->write_token
                                  : text);
    asked.cookie = buf_str(&cookies);
    verdict = guard_judge(g, &asked);
    buf_finish(&cookies);
    return verdict;
}

static void the_best_of_the_cookies_counts(void **state)
{
    static const struct {
        const char *cookies;
        enum guard_verdict verdict;
    } cases[] = {
        {"flightstrip-8088=?; x=!", GUARD_READS},
        {"a=b;flightstrip-8088=?;flightstrip-8088=!", GUARD_WRITES},
        {"flightstrip-8088=!; flightstrip-8088=?", GUARD_WRITES},
        {"flightstrip-8088=old; flightstrip-8088=?", GUARD_READS},
        {"flightstrip-8088=?; flightstrip-8088=old", GUARD_READS},
        {"flightstrip-8089=!; flightstrip=!", GUARD_UNKNOWN},
        {"flightstrip-8088=!x", GUARD_UNKNOWN},
        {"", GUARD_UNKNOWN},
    };
    struct guard g = closed_guard(false);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (judge_cookies(&g, cases[i].cookies) != cases[i].verdict)
            fail_msg("%s", cases[i].cookies);
}

static void who_opens_the_page_with_a_token_enters(void **state)
{
    struct guard g = closed_guard(false);
    struct guard_asked asked = asked_of("localhost");

    (void)state;
    asked.token = str_of(g.read_token);
    assert_int_equal(guard_judge(&g, &asked), GUARD_UNKNOWN); /* at another path */
    asked.opens_page = true;
    assert_int_equal(guard_judge(&g, &asked), GUARD_ENTERS);
    asked.token = STR("wrong");
    assert_int_equal(guard_judge(&g, &asked), GUARD_UNKNOWN);
    asked.token = STR("");
    assert_int_equal(guard_judge(&g, &asked), GUARD_UNKNOWN);
}

static void the_cookie_is_for_us_alone(void **state)
{
    struct guard g = closed_guard(true);
    struct buf out;

    (void)state;
    buf_init(&out, 256);
    guard_put_cookie(&g, STR("abc"), &out);
    buf_put_byte(&out, '\0');
    assert_string_equal(out.p, "flightstrip-8088=abc; Path=/; HttpOnly; SameSite=Strict; Secure");
    buf_clear(&out);
    g.uses_tls = false;
    guard_put_cookie(&g, STR("abc"), &out);
    buf_put_byte(&out, '\0');
    assert_string_equal(out.p, "flightstrip-8088=abc; Path=/; HttpOnly; SameSite=Strict");
    buf_finish(&out);
}

static void what_another_page_writes_is_refused(void **state)
{
    static const struct {
        const char *host, *origin, *site;
        bool uses_tls, is_ours;
    } cases[] = {
        {"localhost:8088", "", "", false, true},
        {"localhost:8088", "http://localhost:8088", "same-origin", false, true},
        {"localhost:8088", "HTTP://LOCALHOST:8088", "", false, true},
        {"localhost:8088", "https://localhost:8088", "", false, true}, /* TLS ends before us */
        {"localhost:8088", "http://localhost:8089", "same-site", false, false},
        {"localhost:8088", "http://localhost", "", false, false},
        {"localhost:8088", "http://evil.test", "", false, false},
        {"localhost:8088", "http://evil.test", "same-origin", false, false},
        {"localhost:8088", "null", "", false, false},
        {"localhost:8088", "localhost:8088", "", false, false},
        {"localhost:8088", "", "cross-site", false, false},
        {"localhost:8088", "", "none", false, true},
        {"localhost:8088", "https://localhost:8088", "", true, true},
        {"localhost:8088", "http://localhost:8088", "", true, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct guard g = open_guard();
        struct guard_asked asked = {.host = str_of(cases[i].host),
                                    .origin = str_of(cases[i].origin),
                                    .fetch_site = str_of(cases[i].site)};

        g.uses_tls = cases[i].uses_tls;
        if (guard_judge(&g, &asked) != (cases[i].is_ours ? GUARD_WRITES : GUARD_FOREIGN))
            fail_msg("case %zu: %s", i, cases[i].origin);
    }
}

static void another_page_may_lead_here_and_load_nothing(void **state)
{
    static const struct {
        const char *site, *mode, *dest;
        bool is_ours;
    } cases[] = {
        {"cross-site", "navigate", "document", true}, {"same-site", "navigate", "document", true},
        {"cross-site", "navigate", "iframe", false},  {"cross-site", "no-cors", "image", false},
        {"same-site", "cors", "empty", false},        {"same-origin", "cors", "empty", true},
        {"none", "navigate", "document", true},       {"", "", "", true},
    };
    struct guard g = open_guard();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct guard_asked asked = asked_of("localhost");

        asked.fetch_site = str_of(cases[i].site);
        asked.fetch_mode = str_of(cases[i].mode);
        asked.fetch_dest = str_of(cases[i].dest);
        if (guard_judge(&g, &asked) != (cases[i].is_ours ? GUARD_WRITES : GUARD_FOREIGN))
            fail_msg("case %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_loopback_its_names_alone_are_ours),
        cmocka_unit_test(elsewhere_addresses_and_the_machine_are_ours),
        cmocka_unit_test(a_machine_without_a_name_has_none),
        cmocka_unit_test(what_the_certificate_names_is_ours),
        cmocka_unit_test(tokens_are_new_and_of_the_alphabet_of_urls),
        cmocka_unit_test(a_bearer_may_what_its_token_may),
        cmocka_unit_test(the_best_of_the_cookies_counts),
        cmocka_unit_test(who_opens_the_page_with_a_token_enters),
        cmocka_unit_test(the_cookie_is_for_us_alone),
        cmocka_unit_test(what_another_page_writes_is_refused),
        cmocka_unit_test(another_page_may_lead_here_and_load_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
