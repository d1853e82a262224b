/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/unit/unit.h"

#include "base/url.h"

#include <stdlib.h>
#include <string.h>

#define CASES(table) (sizeof(table) / sizeof *(table))

static void assert_text(struct str got, const char *want)
{
    char *text = str_dup(got);

    assert_string_equal(text, want);
    free(text);
}

static void an_absolute_url_has_its_parts(void **state)
{
    static const struct {
        const char *text, *scheme, *host, *target;
        unsigned port;
    } cases[] = {
        {"http://host/p?q", "http", "host", "/p?q", 80},
        {"HTTPS://Host.Example", "HTTPS", "Host.Example", "", 443},
        {"http://host:8080?q#f", "http", "host", "?q", 8080},
        {"http://host:/", "http", "host", "/", 80},
        {"http://user:p@ss@host/", "http", "host", "/", 80},
        {"http://[2001:db8::1]:81/", "http", "2001:db8::1", "/", 81},
        {"http://[fe80::1%25eth0]/", "http", "fe80::1%25eth0", "/", 80},
        {"wss://host/s", "wss", "host", "/s", 443},
        {"coap://host/", "coap", "host", "/", 0},
        {"http://b\xc3\xbc"
         "cher.example/",
         "http",
         "b\xc3\xbc"
         "cher.example",
         "/", 80},
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        struct url url = {0};

        assert_true(url_parse(str_of(cases[i].text), &url));
        assert_text(url.scheme, cases[i].scheme);
        assert_text(url.host, cases[i].host);
        assert_text(url.target, cases[i].target);
        assert_int_equal(url.port, cases[i].port);
    }
}

static void what_is_not_an_absolute_url_is_refused(void **state)
{
    static const char *const cases[] = {
        "",           "/path",         "host:443",     "http:/host",   "://host",
        "1http://h/", "http://",       "http:///p",    "http://h:0/",  "http://h:65536/",
        "http://h:x", "http://a b/",   "http://[::1",  "http://[]/",   "http://[::1]x/",
        "http://[a]", "http://a:1:2/", "http://\x01/", "cache_object", "http://a\\b/",
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        struct url url = {0};

        if (url_parse(str_of(cases[i]), &url))
            fail_msg("taken as a URL: %s", cases[i]);
    }
}

static void a_host_of_more_than_255_bytes_is_no_host(void **state)
{
    char text[HOST_MAX + 1];
    struct str host = {0};
    uint16_t port = 0;

    (void)state;
    memset(text, 'a', sizeof text);
    assert_true(authority_parse((struct str){text, HOST_MAX}, 443, &host, &port));
    assert_int_equal(port, 443);
    assert_false(authority_parse((struct str){text, HOST_MAX + 1}, 443, &host, &port));
}

static void an_authority_is_written_as_it_is_read(void **state)
{
    static const char *const cases[] = {"host:443", "[2001:db8::1]:80", "192.0.2.1:8080"};

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        struct str host = {0};
        struct buf out;
        uint16_t port = 0;

        buf_init(&out, 100);
        assert_true(authority_parse(str_of(cases[i]), 0, &host, &port));
        authority_put(&out, host, port);
        assert_text(buf_str(&out), cases[i]);
        buf_finish(&out);
    }
}

static void a_host_is_kept_in_lower_case_without_its_last_dot(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    host_put(&out, STR("Login.Live.COM."));
    assert_text(buf_str(&out), "login.live.com");
    buf_finish(&out);
}

static void addresses_are_told_from_names(void **state)
{
    static const struct {
        const char *host;
        bool is_address;
    } cases[] = {
        {"192.0.2.1", true},
        {"2001:db8::1", true},
        {"fe80::1%eth0", true},
        {"", false},
        {"host.example", false},
        {"192.0.2", false},
        {"1:2", false},
        {"a.very.long.name.that.cannot.possibly.be.an.address.of.any.kind", false},
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++)
        assert_int_equal(host_is_address(str_of(cases[i].host)), cases[i].is_address);
}

static void a_port_is_taken_off_an_address(void **state)
{
    static const char *const cases[][2] = {
        {"192.0.2.1:5000", "192.0.2.1"},
        {"192.0.2.1", "192.0.2.1"},
        {"2001:db8::1", "2001:db8::1"},
        {"[2001:db8::1]:80", "2001:db8::1"},
        {"Chromium", "Chromium"},
        {"two words", "two words"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++)
        assert_text(address_without_port(str_of(cases[i][0])), cases[i][1]);
}

static void secrets_are_cut_from_a_url(void **state)
{
    static const struct {
        const char *url, *kept;
    } cases[] = {
        {"http://h/p", "http://h/p"},
        {"http://me:pw@h/p?id=7&t=9#frag", "http://h/p?id=*&t=*"},
        {"http://h/a?b=c=d&e", "http://h/a?b=*&*"},
        {"http://h/a?", "http://h/a?"},
        {"http://h/a?dG9rZW4=", "http://h/a?*"},
        {"http://h/a?dG9rZQ==", "http://h/a?*"},
        {"http://h/a?b=1&dG9rZW4=", "http://h/a?b=*&*"},
        {"http://h?sig=x", "http://h?sig=*"},
        {"http://h/a?x/y+z=1", "http://h/a?*"},
        {"http://h/?a=1&", "http://h/?a=*"},
        {"http://h/?a=1&&b=2", "http://h/?a=*&*&b=*"},
        {"/path?token=x", "/path?token=*"},
        {"http://h/u@v", "http://h/u@v"},
        {"http://h/?0123456789012345678901234567890123456789x=1", "http://h/?*"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < CASES(cases); i++) {
        struct buf once, twice;

        buf_init(&once, 1000);
        buf_init(&twice, 1000);
        url_put_redacted(&once, str_of(cases[i].url));
        assert_text(buf_str(&once), cases[i].kept);
        url_put_redacted(&twice, buf_str(&once));
        assert_text(buf_str(&twice), cases[i].kept);
        buf_finish(&once);
        buf_finish(&twice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_absolute_url_has_its_parts),
        cmocka_unit_test(what_is_not_an_absolute_url_is_refused),
        cmocka_unit_test(a_host_of_more_than_255_bytes_is_no_host),
        cmocka_unit_test(an_authority_is_written_as_it_is_read),
        cmocka_unit_test(a_host_is_kept_in_lower_case_without_its_last_dot),
        cmocka_unit_test(addresses_are_told_from_names),
        cmocka_unit_test(a_port_is_taken_off_an_address),
        cmocka_unit_test(secrets_are_cut_from_a_url),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
