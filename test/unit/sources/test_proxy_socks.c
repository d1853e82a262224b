/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SOCKS 5 through the proxy: what is said byte by byte, what is refused and how, what is observed.
 */
#include "sources/proxy/credentials.h"
#include "test/unit/loop/name_server.h"
#include "test/unit/sources/proxy_world.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAY(w, fd, text) say_bytes(w, fd, text, sizeof(text) - 1)
#define HEARS(w, fd, text) assert_hears(w, fd, text, sizeof(text) - 1)

#define GREETING "\x05\x01\x00"
#define CHOICE "\x05\x00"
#define NO_METHOD "\x05\xff"
#define REPLY(status) "\x05" status "\0\x01\0\0\0\0\0\0"
#define GRANTED REPLY("\0")

#define TO_NAME(n, name) "\x05\x01\0\x03" n name "\x01\xbb"
#define TO_ORIGIN TO_NAME("\x0b", "origin.test")
#define TO_V4(address) "\x05\x01\0\x01" address "\x01\xbb"
#define TO_V6(address) "\x05\x01\0\x04" address "\x01\xbb"

#define OPENED                                                                                     \
    "device-seen\n"                                                                                \
    "flow-opened host=origin.test port=443 how=socks\n"                                            \
    "connected address=127.0.0.1 port=ORIGIN\n"

/* These bytes and no more. */
static void assert_hears(struct world *w, int fd, const char *bytes, size_t n)
{
    char got[64];

    assert_int_equal(hear_bytes(w, fd, got, n + 1), n);
    assert_memory_equal(got, bytes, n);
}

static void say_byte_by_byte(struct world *w, int fd, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        say_bytes(w, fd, bytes + i, 1);
}

static void a_tunnel_is_asked_for_byte_by_byte(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say_byte_by_byte(w, d, GREETING, 2);
    HEARS(w, d, "");
    SAY(w, d, "\0");
    HEARS(w, d, CHOICE);
    say_byte_by_byte(w, d, TO_ORIGIN, sizeof TO_ORIGIN - 2);
    assert_false(server_was_called(w));
    assert_string_equal(seen(w), "");
    SAY(w, d, "\xbb");
    s = server(w);
    HEARS(w, d, GRANTED);
    assert_string_equal(seen(w), OPENED);
    say(w, d, "hello");
    assert_string_equal(heard(w, s), "hello");
    say(w, s, "hello yourself");
    assert_string_equal(heard(w, d), "hello yourself");
    leave(w, d);
    assert_string_equal(heard(w, s), "<FIN>");
    leave(w, s);
    assert_string_equal(seen(w), "flow-closed bytes_up=5 bytes_down=14 why=device-closed\n");
}

static void all_that_is_said_at_once_is_read(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    SAY(w, d, GREETING TO_ORIGIN "early words");
    s = server(w);
    assert_string_equal(heard(w, s), "early words");
    HEARS(w, d, CHOICE GRANTED);
    assert_string_equal(seen(w), OPENED);
    leave(w, s);
    assert_string_equal(heard(w, d), "<FIN>");
    leave(w, d);
    assert_string_equal(seen(w), "flow-closed bytes_up=11 why=server-closed\n");
}

static void addresses_of_both_families_are_places_too(void **state)
{
    struct world *w = *state;
    int d = device(w);

    SAY(w, d, GREETING TO_V4("\xc0\0\x02\x07"));
    server(w);
    HEARS(w, d, CHOICE GRANTED);
    assert_non_null(strstr(seen(w), "flow-opened host=192.0.2.7 port=443 how=socks\n"));
    d = device(w);
    SAY(w, d, GREETING TO_V6("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"));
    server(w);
    HEARS(w, d, CHOICE GRANTED);
    assert_non_null(strstr(seen(w), "flow-opened host=2001:db8::7 port=443 how=socks\n"));
    d = device(w);
    SAY(w, d, GREETING TO_NAME("\x0b", "Origin.TEST"));
    server(w);
    HEARS(w, d, CHOICE GRANTED);
    assert_non_null(strstr(seen(w), "flow-opened host=origin.test port=443 how=socks\n"));
}

static void a_tunnel_of_socks_shows_its_handshake(void **state)
{
    static const char refused_name[] = "\x15\x03\x03\x00\x02\x02\x70";
    struct world *w = *state;
    int d = device(w), s;

    SAY(w, d, GREETING TO_ORIGIN);
    s = server(w);
    seen(w);
    SAY(w, s, refused_name);
    assert_string_equal(seen(w), "tls-alert alert=112 by=server error=unrecognized name\n");
}

/* What is said after the greeting, what is answered, what is observed in the end. */
static void assert_refused(struct world *w, const char *request, size_t n, const char *reply,
                           const char *why)
{
    int d = device(w);

    SAY(w, d, GREETING);
    HEARS(w, d, CHOICE);
    seen(w);
    say_bytes(w, d, request, n);
    assert_hears(w, d, reply, sizeof GRANTED - 1);
    assert_string_equal(heard(w, d), "<FIN>");
    const char *all = seen(w);
    if (!strstr(all, "flow-opened ") || !strstr(all, "how=socks") || !strstr(all, why))
        fail_msg("%s: %s", why, all);
    leave(w, d);
}

#define REFUSED(w, request, status, why)                                                           \
    assert_refused(w, request, sizeof(request) - 1, REPLY(status), why)

static void a_refusal_says_its_reason(void **state)
{
    const char *const blocked[] = {"blocked.test"}, *const denied[] = {"denied.test"};
    struct world *w = *state;

    world_obey(w, &(struct rules_options){.block = {blocked, 1}, .deny = {denied, 1}});
    REFUSED(w, TO_V4("\x7f\0\0\x01"), "\x02", " why=refused\n");
    REFUSED(w, TO_NAME("\x0c", "blocked.test"), "\x02", " why=blocked\n");
    REFUSED(w, TO_NAME("\x0b", "denied.test"), "\x02", " why=refused\n");
    REFUSED(w, "\x05\x02\0\x03\x0borigin.test\x01\xbb", "\x07", " why=refused\n");
    REFUSED(w, "\x05\x03\0\x01\xc0\0\x02\x07\x01\xbb", "\x07", " why=refused\n");
    REFUSED(w, "\x05\x01\0\x02\xc0\0\x02\x07\x01\xbb", "\x08", " why=bad-request\n");
    REFUSED(w, "\x05\x01\0\x03\x01/\x01\xbb", "\x01", " why=bad-request\n");
    REFUSED(w, "\x05\x01\0\x03\x0borigin.test\0\0", "\x01", " why=bad-request\n");
    REFUSED(w, "GET / HTTP/1.1\r\n\r\n", "\x01", " why=bad-request\n");
    close(w->listener); /* nobody listens there any more */
    w->listener = -1;
    REFUSED(w, TO_ORIGIN, "\x05", " why=connect-failed\n");
}

static void what_is_refused_is_observed_whole(void **state)
{
    const char *const blocked[] = {"*.blocked.test"};
    struct world *w = *state;
    int d = device(w);

    world_obey(w, &(struct rules_options){.block = {blocked, 1}});
    SAY(w, d, GREETING TO_NAME("\x0e", "a.blocked.test"));
    assert_string_equal(seen(w), "device-seen\n"
                                 "flow-opened host=a.blocked.test port=443 how=socks\n"
                                 "rule-applied type=block text=block *.blocked.test\n"
                                 "flow-closed why=blocked\n");
}

static void a_name_that_is_not_found_is_unreachable(void **state)
{
    static const struct name_record zone[] = {
        {"nowhere.test", TYPE_A, NXDOMAIN, NULL, 0},
        {"nowhere.test", TYPE_AAAA, NXDOMAIN, NULL, 0},
    };
    struct world *w = *state;
    struct proxy_options options = {.listen = (const char *const[]){"127.0.0.1:0"},
                                    .listen_count = 1};
    struct name_server names;

    name_server_init(&names, w->loop, zone, 2); /* it wants the loop, and the proxy its address */
    proxy_destroy(w->proxy);
    options.name_server = names.address;
    assert_int_equal(proxy_create(w->loop, &w->stream, &w->devices, &options, &w->proxy, NULL), 0);
    REFUSED(w, TO_NAME("\x0c", "nowhere.test"), "\x04", " why=name-failed\n");
    name_server_finish(&names);
}

static void what_is_offered_has_to_fit(void **state)
{
    struct world *w = *state;
    int d = device(w);

    SAY(w, d, "\x05\x02\x01\x02"); /* GSSAPI, and a password that nobody wants */
    HEARS(w, d, NO_METHOD);
    assert_string_equal(heard(w, d), "<FIN>");
    assert_string_equal(seen(w), "device-seen\nflow-opened how=socks\n"
                                 "flow-closed bytes_up=4 why=authentication\n");
}

static void socks_4_is_refused_in_its_own_words(void **state)
{
    struct world *w = *state;
    int d = device(w);

    SAY(w, d, "\x04\x01\x01\xbb\xc0\0\x02\x07me\0");
    HEARS(w, d, "\0\x5b\0\0\0\0\0\0");
    assert_string_equal(heard(w, d), "<FIN>");
    assert_string_equal(seen(w), "device-seen\nflow-opened how=socks\n"
                                 "flow-closed bytes_up=11 why=bad-request\n");
}

static void who_has_spoken_http_goes_on_so(void **state)
{
    struct world *w = *state;
    int d = device(w), s;

    say(w, d, "GET http://origin.test/ HTTP/1.1\r\nHost: a\r\n\r\n");
    s = server(w);
    heard(w, s);
    say(w, s, "HTTP/1.1 204 None\r\n\r\n");
    heard(w, d);
    seen(w);
    SAY(w, d, GREETING "\r\n\r\n");
    assert_non_null(strstr(heard(w, d), "HTTP/1.1 400 Bad Request\r\n"));
    assert_non_null(strstr(seen(w), " why=bad-request\n"));
}

static void http_after_a_greeting_is_no_http(void **state)
{
    struct world *w = *state;
    int d = device(w);

    SAY(w, d, GREETING "GET http://origin.test/ HTTP/1.1\r\nHost: a\r\n\r\n");
    HEARS(w, d, CHOICE REPLY("\x01"));
    assert_false(server_was_called(w));
}

/* Time and leaving */

static void a_greeting_that_does_not_end_is_cut_off(void **state)
{
    struct world *w = *state;
    int d = device(w);

    SAY(w, d, "\x05");
    pass_time(w, 29 * SECOND);
    assert_string_equal(seen(w), "");
    pass_time(w, 2 * SECOND);
    HEARS(w, d, NO_METHOD);
    assert_string_equal(heard(w, d), "<FIN>");
    assert_non_null(strstr(seen(w), "flow-closed bytes_up=1 why=timeout\n"));
}

static void a_request_that_does_not_end_is_cut_off(void **state)
{
    struct world *w = *state;
    int d = device(w);

    SAY(w, d, GREETING "\x05\x01\0\x03\xff");
    for (int i = 0; i < 25; i++) { /* a byte a second does not help */
        pass_time(w, SECOND);
        say(w, d, "x");
    }
    pass_time(w, 6 * SECOND);
    HEARS(w, d, CHOICE REPLY("\x01"));
    assert_non_null(strstr(seen(w), " why=timeout\n"));
}

static void a_greeting_without_a_request_is_cut_off(void **state)
{
    struct world *w = *state;
    int d = device(w);

    SAY(w, d, GREETING);
    HEARS(w, d, CHOICE);
    pass_time(w, 29 * SECOND);
    assert_string_equal(seen(w), "");
    pass_time(w, 2 * SECOND);
    HEARS(w, d, REPLY("\x01"));
    assert_string_equal(heard(w, d), "<FIN>");
    assert_string_equal(seen(w), "device-seen\nflow-opened how=socks\nflow-closed why=timeout\n");
}

static void a_device_that_only_greets_has_asked_for_nothing(void **state)
{
    struct world *w = *state;
    int d = device(w);

    SAY(w, d, GREETING);
    HEARS(w, d, CHOICE);
    leave(w, d);
    assert_string_equal(seen(w), "");
}

static void a_device_that_leaves_within_its_words_is_observed(void **state)
{
    struct world *w = *state;
    int d = device(w);

    SAY(w, d, GREETING "\x05\x01");
    HEARS(w, d, CHOICE);
    leave(w, d);
    assert_non_null(strstr(seen(w), "flow-closed bytes_up=2 why=device-aborted\n"));
}

/* With credentials: anna's password is "five". */

static int set_up_with_users(void **state)
{
    static const char users[] = "anna:$5$s5$2B5.lLgLytpZaNOB.qnLiBXGGJSNQmTZWG8ot44eLZD\n";
    struct world *w = calloc(1, sizeof *w);
    struct proxy_options options = {0};

    assert_int_equal(credentials_parse("users", str_of(users), &options.credentials, NULL), 0);
    world_init(w, &options);
    credentials_unref(options.credentials);
    *state = w;
    return 0;
}

#define LOGIN_GREETING "\x05\x02\x00\x02"
#define LOGIN_CHOICE "\x05\x02"
#define LOGIN(password)                                                                            \
    "\x01\x04"                                                                                     \
    "anna\x04" password
#define LOGGED_IN "\x01\0"
#define NOT_LOGGED_IN "\x01\x01"

static void who_logs_in_is_served(void **state)
{
    struct world *w = *state;
    int d = device(w);

    SAY(w, d, LOGIN_GREETING);
    HEARS(w, d, LOGIN_CHOICE);
    say_byte_by_byte(w, d, LOGIN("five"), sizeof LOGIN("five") - 1);
    HEARS(w, d, LOGGED_IN);
    SAY(w, d, TO_ORIGIN "early");
    assert_string_equal(heard(w, server(w)), "early");
    HEARS(w, d, GRANTED);
    assert_string_equal(seen(w), OPENED); /* and no word of anna */
}

static void who_logs_in_wrongly_is_not(void **state)
{
    struct world *w = *state;
    int d = device(w);

    SAY(w, d, LOGIN_GREETING LOGIN("six!") TO_ORIGIN);
    HEARS(w, d, LOGIN_CHOICE NOT_LOGGED_IN);
    assert_string_equal(heard(w, d), "<FIN>");
    assert_false(server_was_called(w));
    assert_non_null(strstr(seen(w), " why=authentication\n"));
}

static void who_tries_too_many_is_not_told_to_be_wrong(void **state)
{
    struct world *w = *state;

    for (int i = 0; i <= CREDENTIALS_HASHES_A_SECOND; i++) {
        bool too_many = i == CREDENTIALS_HASHES_A_SECOND;
        int d = device(w);

        SAY(w, d, LOGIN_GREETING LOGIN("six!"));
        HEARS(w, d, LOGIN_CHOICE NOT_LOGGED_IN);
        assert_non_null(strstr(seen(w), too_many ? " why=too-many\n" : " why=authentication\n"));
    }
}

static void a_whole_dialogue_has_one_time(void **state)
{
    struct world *w = *state;
    int d = device(w);

    SAY(w, d, LOGIN_GREETING);
    pass_time(w, 20 * SECOND);
    SAY(w, d, LOGIN("five"));
    HEARS(w, d, LOGIN_CHOICE LOGGED_IN);
    pass_time(w, 11 * SECOND);
    HEARS(w, d, REPLY("\x01"));
    assert_non_null(strstr(seen(w), "flow-closed why=timeout\n"));
}

static void who_does_not_offer_to_log_in_is_not_served(void **state)
{
    struct world *w = *state;
    int d = device(w);

    SAY(w, d, GREETING TO_ORIGIN);
    HEARS(w, d, NO_METHOD);
    assert_string_equal(heard(w, d), "<FIN>");
    assert_non_null(strstr(seen(w), " why=authentication\n"));
}

static void a_login_that_is_none_is_refused(void **state)
{
    struct world *w = *state;
    int d = device(w);

    SAY(w, d, LOGIN_GREETING "\x05\x01\0\x01");
    HEARS(w, d, LOGIN_CHOICE NOT_LOGGED_IN);
    assert_non_null(strstr(seen(w), " why=bad-request\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
#define TEST_LOGIN(name) cmocka_unit_test_setup_teardown(name, set_up_with_users, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_tunnel_is_asked_for_byte_by_byte),
        TEST(all_that_is_said_at_once_is_read),
        TEST(addresses_of_both_families_are_places_too),
        TEST(a_tunnel_of_socks_shows_its_handshake),
        TEST(a_refusal_says_its_reason),
        TEST(what_is_refused_is_observed_whole),
        TEST(a_name_that_is_not_found_is_unreachable),
        TEST(what_is_offered_has_to_fit),
        TEST(socks_4_is_refused_in_its_own_words),
        TEST(who_has_spoken_http_goes_on_so),
        TEST(http_after_a_greeting_is_no_http),
        TEST(a_greeting_that_does_not_end_is_cut_off),
        TEST(a_request_that_does_not_end_is_cut_off),
        TEST(a_greeting_without_a_request_is_cut_off),
        TEST(a_device_that_only_greets_has_asked_for_nothing),
        TEST(a_device_that_leaves_within_its_words_is_observed),
        TEST_LOGIN(who_logs_in_is_served),
        TEST_LOGIN(who_logs_in_wrongly_is_not),
        TEST_LOGIN(who_tries_too_many_is_not_told_to_be_wrong),
        TEST_LOGIN(a_whole_dialogue_has_one_time),
        TEST_LOGIN(who_does_not_offer_to_log_in_is_not_served),
        TEST_LOGIN(a_login_that_is_none_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
