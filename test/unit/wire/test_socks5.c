/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/socks5.h"

#include "test/unit/unit.h"

#include <string.h>

static enum parsed read_request(struct str bytes, struct socks5_request *ret, size_t *ret_taken,
                                enum socks5_status *ret_status)
{
    const char *why = NULL;
    enum parsed parsed = socks5_read_request(bytes, ret, ret_taken, ret_status, &why);

    assert_true((parsed == PARSED_ODD) == (why != NULL));
    return parsed;
}

static void a_greeting_offers_methods(void **state)
{
    static const struct {
        struct str bytes;
        bool no_login, password;
    } cases[] = {
        {STR("\x05\x01\x00"), true, false},        {STR("\x05\x01\x02"), false, true},
        {STR("\x05\x03\x00\x01\x02"), true, true}, {STR("\x05\x02\x01\x80"), false, false},
        {STR("\x05\x00"), false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct socks5_greeting greeting;
        const char *why = NULL;
        size_t taken = 0;

        assert_int_equal(socks5_read_greeting(cases[i].bytes, &greeting, &taken, &why),
                         PARSED_DONE);
        assert_int_equal(taken, cases[i].bytes.n);
        assert_int_equal(greeting.offers_no_login, cases[i].no_login);
        assert_int_equal(greeting.offers_password, cases[i].password);
    }
}

static void a_login_is_a_name_and_a_password(void **state)
{
    struct socks5_login login;
    const char *why = NULL;
    size_t taken = 0;

    (void)state;
    assert_int_equal(socks5_read_login(STR("\x01\x04user\x03p:w\x05"), &login, &taken, &why),
                     PARSED_DONE);
    assert_true(str_eq(login.user, STR("user")));
    assert_true(str_eq(login.password, STR("p:w")));
    assert_int_equal(taken, 10);
    assert_int_equal(socks5_read_login(STR("\x05"), &login, &taken, &why), PARSED_ODD);
    assert_non_null(why);
}

static void a_request_asks_for_an_address_or_a_name(void **state)
{
    static const struct {
        struct str bytes;
        const char *host;
        uint16_t port;
    } cases[] = {
        {STR("\x05\x01\x00\x01\xc0\x00\x02\x07\x01\xbb"), "192.0.2.7", 443},
        {STR("\x05\x01\x00\x03\x06"
             "a.test\x00\x50"),
         "a.test", 80},
        {STR("\x05\x01\x00\x04\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
             "\xff\xff"),
         "2001:db8::1", 65535},
        {STR("\x05\x01\x00\x03\x03::1\x00\x50"), "::1", 80},
        {STR("\x05\x01\x00\x03\x09"
             "192.0.2.7\x00\x50"),
         "192.0.2.7", 80},
        {STR("\x05\x01\xff\x03\x02\xc3\xa9\x00\x50"), "\xc3\xa9", 80},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct socks5_request request;
        enum socks5_status status;
        size_t taken = 0;

        assert_int_equal(read_request(cases[i].bytes, &request, &taken, &status), PARSED_DONE);
        assert_int_equal(taken, cases[i].bytes.n);
        assert_int_equal(request.command, SOCKS5_CONNECT);
        assert_string_equal(request.host, cases[i].host);
        assert_int_equal(request.port, cases[i].port);
    }
}

static void the_longest_name_is_read(void **state)
{
    char bytes[SOCKS5_MESSAGE_MAX] = "\x05\x01\x00\x03\xff";
    struct socks5_request request;
    enum socks5_status status;
    size_t taken = 0;

    (void)state;
    memset(bytes + 5, 'x', 255);
    bytes[5 + 255 + 1] = 80;
    assert_int_equal(read_request(str_from(bytes, sizeof bytes), &request, &taken, &status),
                     PARSED_DONE);
    assert_int_equal(strlen(request.host), 255);
    assert_int_equal(taken, 5 + 255 + 2);
}

static void what_cannot_be_granted_has_its_reply(void **state)
{
    static const struct {
        struct str bytes;
        enum socks5_status status;
    } cases[] = {
        {STR("\x04"), SOCKS5_FAILED},
        {STR("\x05\x01\x00\x02"), SOCKS5_NO_SUCH_ADDRESS_TYPE},
        {STR("\x05\x01\x00\x03\x00\x00\x50"), SOCKS5_FAILED},
        {STR("\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x00"), SOCKS5_FAILED},
        {STR("\x05\x01\x00\x03\x03"
             "a\0b\x00\x50"),
         SOCKS5_FAILED},
        {STR("\x05\x01\x00\x03\x03"
             "a b\x00\x50"),
         SOCKS5_FAILED},
        {STR("\x05\x01\x00\x03\x04"
             "a:80\x00\x50"),
         SOCKS5_FAILED},
        {STR("\x05\x01\x00\x03\x03"
             "a\r\n\x00\x50"),
         SOCKS5_FAILED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct socks5_request request;
        enum socks5_status status = SOCKS5_GRANTED;
        size_t taken = 0;

        assert_int_equal(read_request(cases[i].bytes, &request, &taken, &status), PARSED_ODD);
        assert_int_equal(status, cases[i].status);
    }
}

static void other_commands_are_read_and_left_to_the_caller(void **state)
{
    struct socks5_request request;
    enum socks5_status status;
    size_t taken = 0;

    (void)state;
    assert_int_equal(
        read_request(STR("\x05\x03\x00\x01\x00\x00\x00\x00\x00\x01"), &request, &taken, &status),
        PARSED_DONE);
    assert_int_equal(request.command, SOCKS5_UDP_ASSOCIATE);
}

static void a_message_that_is_not_whole_waits_for_more(void **state)
{
    static const struct str all = STR("\x05\x01\x00\x03\x06"
                                      "a.test\x00\x50");
    struct socks5_request request;
    struct socks5_greeting greeting;
    struct socks5_login login;
    enum socks5_status status;
    const char *why = NULL;
    size_t taken = 77;

    (void)state;
    for (size_t n = 0; n < all.n; n++)
        assert_int_equal(read_request(str_head(all, n), &request, &taken, &status), PARSED_MORE);
    for (size_t n = 0; n < 4; n++) {
        assert_int_equal(
            socks5_read_greeting(str_head(STR("\x05\x02\x00\x02"), n), &greeting, &taken, &why),
            PARSED_MORE);
        assert_int_equal(
            socks5_read_login(str_head(STR("\x01\x01x\x01y"), n), &login, &taken, &why),
            PARSED_MORE);
    }
    assert_int_equal(taken, 77);
}

static void what_follows_a_message_is_left(void **state)
{
    struct socks5_greeting greeting;
    const char *why = NULL;
    size_t taken = 0;

    (void)state;
    assert_int_equal(socks5_read_greeting(STR("\x05\x01\x00\x05\x01"), &greeting, &taken, &why),
                     PARSED_DONE);
    assert_int_equal(taken, 3);
}

static void socks_4_is_named(void **state)
{
    struct socks5_greeting greeting;
    const char *why = NULL;
    size_t taken = 0;

    (void)state;
    assert_int_equal(socks5_read_greeting(STR("\x04\x01\x00\x50"), &greeting, &taken, &why),
                     PARSED_ODD);
    assert_non_null(strstr(why, "SOCKS 4"));
    assert_int_equal(socks5_read_greeting(STR("GET /"), &greeting, &taken, &why), PARSED_ODD);
    assert_string_equal(why, "this is not SOCKS 5");
}

static void what_is_said_is_as_the_rfcs_have_it(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 64);
    socks5_put_choice(&out, SOCKS5_NO_LOGIN);
    socks5_put_choice(&out, SOCKS5_NO_METHOD);
    socks5_put_login_status(&out, true);
    socks5_put_login_status(&out, false);
    socks5_put_reply(&out, SOCKS5_GRANTED);
    socks5_put_reply(&out, SOCKS5_NOT_ALLOWED);
    socks4_put_refusal(&out);
    assert_true(str_eq(buf_str(&out), STR("\x05\x00"
                                          "\x05\xff"
                                          "\x01\x00"
                                          "\x01\x01"
                                          "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
                                          "\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00"
                                          "\x00\x5b\x00\x00\x00\x00\x00\x00")));
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_greeting_offers_methods),
        cmocka_unit_test(a_login_is_a_name_and_a_password),
        cmocka_unit_test(a_request_asks_for_an_address_or_a_name),
        cmocka_unit_test(the_longest_name_is_read),
        cmocka_unit_test(what_cannot_be_granted_has_its_reply),
        cmocka_unit_test(other_commands_are_read_and_left_to_the_caller),
        cmocka_unit_test(a_message_that_is_not_whole_waits_for_more),
        cmocka_unit_test(what_follows_a_message_is_left),
        cmocka_unit_test(socks_4_is_named),
        cmocka_unit_test(what_is_said_is_as_the_rfcs_have_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
