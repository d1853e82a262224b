/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may use the proxy. The hashes are of `openssl passwd -5` and `-6`. */
#include "sources/proxy/credentials.h"

#include "base/base64.h"
#include "test/unit/store/scratch.h"

#define SECOND UINT64_C(1000000)

static const char five[] = "$5$s5$2B5.lLgLytpZaNOB.qnLiBXGGJSNQmTZWG8ot44eLZD"; /* "five" */
static const char six[] = "$6$s6$uUU4USgGxWIFJaNPqehRHc9fbKrYei3ytGpvdtu4KTlEGzfY/"
                          "aXDm4ZOEFF23.8CMojLQj7Ie1O2hjLDDIkIa0"; /* "p:w d" */
static const char tenk[] = "$6$rounds=10000$saltsalt$VJrMK0NymXM49IIidlSOW2Ou1gL3Ex7x7dyTI0QzrpPpVj"
                           "Oj/nor1cRFse34V9805eTq5gjivlbtiztNl8xxw0"; /* "tenk" */

static struct checker *checker_of(struct scratch *s)
{
    struct str file =
        arena_printf(s->arena, "# who may\n\nanna:%s\r\nben:%s\nzehn:%s\n", five, six, tenk);
    struct credentials *c = NULL;
    struct checker *k;
    struct err err;

    if (credentials_open(scratch_write(s, "users", file), &c, &err) < 0)
        fail_msg("%s", err.text);
    k = checker_create(c);
    credentials_unref(c);
    return k;
}

static void assert_opens_not(struct scratch *s, struct str file, const char *says)
{
    struct credentials *c = NULL;
    struct err err;

    assert_true(credentials_open(scratch_write(s, "users", file), &c, &err) < 0);
    assert_null(c);
    assert_true(str_starts(str_of(err.text), s->path));
    assert_string_equal(err.text + s->path.n + 1, says);
}

static enum credentials_verdict basic(struct checker *k, const char *scheme, struct str credentials,
                                      uint64_t now_us)
{
    enum credentials_verdict verdict;
    struct buf value;

    buf_init(&value, BUF_UNBOUNDED);
    buf_put_str(&value, str_of(scheme));
    base64_put(&value, credentials);
    verdict = checker_basic(k, buf_str(&value), now_us);
    buf_finish(&value);
    return verdict;
}

static void the_right_password_is_ok(void **state)
{
    static const struct {
        struct str user, password;
        enum credentials_verdict verdict;
    } cases[] = {
        {STR("anna"), STR("five"), CREDENTIALS_OK},
        {STR("ben"), STR("p:w d"), CREDENTIALS_OK},
        {STR("zehn"), STR("tenk"), CREDENTIALS_OK},
        {STR("anna"), STR("five "), CREDENTIALS_WRONG},
        {STR("anna"), STR("p:w d"), CREDENTIALS_WRONG},
        {STR("anna"), STR(""), CREDENTIALS_WRONG},
        {STR("anna"), STR("five\0x"), CREDENTIALS_WRONG},
        {STR("Anna"), STR("five"), CREDENTIALS_WRONG},
        {STR("nobody"), STR("five"), CREDENTIALS_WRONG},
        {STR(""), STR("five"), CREDENTIALS_WRONG},
    };
    struct checker *k = checker_of(*state);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (checker_password(k, cases[i].user, cases[i].password, i * SECOND) != cases[i].verdict)
            fail_msg("case %zu", i);
    checker_destroy(k);
    checker_destroy(NULL);
}

static void basic_is_read_as_the_rfc_has_it(void **state)
{
    struct checker *k = checker_of(*state);
    uint64_t now = 0;

    assert_int_equal(basic(k, "Basic ", STR("ben:p:w d"), now), CREDENTIALS_OK);
    assert_int_equal(basic(k, "bASIC  ", STR("ben:p:w d"), now), CREDENTIALS_OK);
    assert_int_equal(basic(k, "Bearer ", STR("ben:p:w d"), now), CREDENTIALS_WRONG);
    assert_int_equal(basic(k, "Basic", STR("ben:p:w d"), now), CREDENTIALS_WRONG);
    assert_int_equal(basic(k, "Basic ", STR("ben"), now), CREDENTIALS_WRONG);
    assert_int_equal(basic(k, "Basic ", STR(":"), now), CREDENTIALS_WRONG);
    assert_int_equal(checker_basic(k, STR(""), now), CREDENTIALS_WRONG);
    assert_int_equal(checker_basic(k, STR("Basic"), now), CREDENTIALS_WRONG);
    assert_int_equal(checker_basic(k, STR("Basic ben:five"), now), CREDENTIALS_WRONG);
    checker_destroy(k);
}

static void who_was_verified_is_not_held_up_by_others(void **state)
{
    struct checker *k = checker_of(*state);

    assert_int_equal(checker_password(k, STR("anna"), STR("five"), 0), CREDENTIALS_OK);
    for (unsigned i = 1; i < CREDENTIALS_HASHES_A_SECOND; i++)
        assert_int_equal(checker_password(k, STR("nobody"), STR("guess"), 0), CREDENTIALS_WRONG);
    assert_int_equal(checker_password(k, STR("nobody"), STR("guess"), 0), CREDENTIALS_LATER);
    assert_int_equal(checker_password(k, STR("ben"), STR("p:w d"), 0), CREDENTIALS_LATER);
    assert_int_equal(checker_password(k, STR("anna"), STR("guess"), 0), CREDENTIALS_LATER);
    assert_int_equal(checker_password(k, STR("anna"), STR("five"), 0), CREDENTIALS_OK);
    checker_destroy(k);
}

static void attempts_come_back_with_time(void **state)
{
    const uint64_t one = SECOND / CREDENTIALS_HASHES_A_SECOND;
    struct checker *k = checker_of(*state);

    for (unsigned i = 0; i < CREDENTIALS_HASHES_A_SECOND; i++)
        assert_int_equal(checker_password(k, STR("nobody"), STR("guess"), 0), CREDENTIALS_WRONG);
    assert_int_equal(checker_password(k, STR("ben"), STR("p:w d"), one - 1), CREDENTIALS_LATER);
    assert_int_equal(checker_password(k, STR("ben"), STR("p:w d"), one), CREDENTIALS_OK);
    assert_int_equal(checker_password(k, STR("nobody"), STR("guess"), one), CREDENTIALS_LATER);
    checker_destroy(k);
}

static void what_cannot_be_a_password_costs_no_hash(void **state)
{
    static char longer[CREDENTIALS_PASSWORD_BYTES_MAX + 1];
    struct checker *k = checker_of(*state);

    memset(longer, 'x', sizeof longer);
    for (unsigned i = 0; i < 2 * CREDENTIALS_HASHES_A_SECOND; i++)
        assert_int_equal(checker_password(k, STR("anna"), str_from(longer, sizeof longer), 0),
                         CREDENTIALS_WRONG);
    assert_int_equal(checker_password(k, STR("anna"), STR("five"), 0), CREDENTIALS_OK);
    checker_destroy(k);
}

static void each_checker_has_its_own_state_over_one_table(void **state)
{
    struct scratch *s = *state;
    struct credentials *c = NULL;
    struct str file = arena_printf(s->arena, "anna:%s\n", five);

    assert_int_equal(credentials_open(scratch_write(s, "users", file), &c, NULL), 0);
    struct checker *one = checker_create(c), *two = checker_create(c);
    credentials_unref(c);
    for (unsigned i = 0; i < CREDENTIALS_HASHES_A_SECOND; i++)
        checker_password(one, STR("anna"), STR("guess"), 0);
    assert_int_equal(checker_password(one, STR("anna"), STR("five"), 0), CREDENTIALS_LATER);
    checker_destroy(one);
    assert_int_equal(checker_password(two, STR("anna"), STR("five"), 0), CREDENTIALS_OK);
    checker_destroy(two);
}

static void a_name_that_is_no_users_costs_what_a_users_does(void **state)
{
    static const char *const names[] = {"", "nobody", "Anna", "root", "zehn ", "admin", "x", "y"};
    struct scratch *s = *state;
    struct str file = arena_printf(s->arena, "anna:%s\nzehn:%s\n", five, tenk);
    struct credentials *c = NULL;
    unsigned fives = 0, tenks = 0;

    assert_int_equal(credentials_open(scratch_write(s, "users", file), &c, NULL), 0);
    assert_string_equal(credentials_setting(c, STR("anna")), five);
    assert_string_equal(credentials_setting(c, STR("zehn")), tenk);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *setting = credentials_setting(c, str_of(names[i]));

        assert_ptr_equal(credentials_setting(c, str_of(names[i])), setting);
        fives += strcmp(setting, five) == 0;
        tenks += strcmp(setting, tenk) == 0;
    }
    assert_true(fives && tenks);
    assert_int_equal(fives + tenks, sizeof names / sizeof *names);
    credentials_unref(c);
}

static void the_password_of_another_is_not_a_nobodys(void **state)
{
    struct scratch *s = *state;
    struct str file = arena_printf(s->arena, "anna:%s\n", five);
    struct credentials *c = NULL;

    assert_int_equal(credentials_open(scratch_write(s, "users", file), &c, NULL), 0);
    struct checker *k = checker_create(c);
    credentials_unref(c);
    assert_int_equal(checker_password(k, STR("nobody"), STR("five"), 0), CREDENTIALS_WRONG);
    assert_int_equal(checker_password(k, STR("nobody"), STR("five"), 0), CREDENTIALS_WRONG);
    checker_destroy(k);
}

static void who_was_verified_still_is_under_another_table(void **state)
{
    struct scratch *s = *state;
    struct credentials *c = NULL;
    struct checker *k = checker_of(s);
    struct str file = arena_printf(s->arena, "neu:%s\nben:%s\nanna:%s\n", six, five, five);

    assert_int_equal(checker_password(k, STR("anna"), STR("five"), 0), CREDENTIALS_OK);
    assert_int_equal(checker_password(k, STR("ben"), STR("p:w d"), 0), CREDENTIALS_OK);
    assert_int_equal(credentials_open(scratch_write(s, "users", file), &c, NULL), 0);
    checker_use(k, c);
    credentials_unref(c);
    assert_int_equal(checker_password(k, STR("zehn"), STR("tenk"), 0), CREDENTIALS_WRONG);
    assert_int_equal(checker_password(k, STR("ben"), STR("p:w d"), 0), CREDENTIALS_WRONG);
    assert_int_equal(checker_password(k, STR("neu"), STR("p:w d"), 0), CREDENTIALS_LATER);
    assert_int_equal(checker_password(k, STR("anna"), STR("five"), 0), CREDENTIALS_OK);
    assert_int_equal(checker_password(k, STR("neu"), STR("p:w d"), SECOND), CREDENTIALS_OK);
    checker_destroy(k);
}

static void what_a_file_has_wrong_is_named(void **state)
{
    static const struct {
        const char *before, *hash, *after, *says;
    } cases[] = {
        {"", "", "", "users: there is no user in it"},
        {"# none\n", "", "", "users: there is no user in it"},
        {"anna", "", "\n",
         "users:1: expected a hash as `openssl passwd -6` writes it: $6$SALT$DIGEST"},
        {":", five, "\n", "users:1: expected USER:HASH"},
        {"\nanna:geheim", "", "\n",
         "users:2: expected a hash as `openssl passwd -6` writes it: $6$SALT$DIGEST"},
        {"anna:", "$1$abc$BXBqpb9BZcZhXLgbee.0s/", "\n",
         "users:1: expected a hash as `openssl passwd -6` writes it: $6$SALT$DIGEST"},
        {"anna:", "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC", "\n",
         "users:1: expected a hash as `openssl passwd -6` writes it: $6$SALT$DIGEST"},
        {"anna:", five, "x\n",
         "users:1: this hash is not whole: write it anew with `openssl passwd -6`"},
        {"anna:", "$6$", "\n",
         "users:1: this hash is not whole: write it anew with `openssl passwd -6`"},
        {"anna:", "$6$rounds=10001$s$x", "\n",
         "users:1: expected from 1,000 to 10,000 rounds: write the hash anew with `openssl passwd "
         "-6`"},
        {"anna:", "$6$rounds=10$s$x", "\n",
         "users:1: expected from 1,000 to 10,000 rounds: write the hash anew with `openssl passwd "
         "-6`"},
        {"anna:", "$6$rounds=$s$x", "\n",
         "users:1: expected from 1,000 to 10,000 rounds: write the hash anew with `openssl passwd "
         "-6`"},
    };
    struct scratch *s = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_opens_not(
            s, arena_printf(s->arena, "%s%s%s", cases[i].before, cases[i].hash, cases[i].after),
            cases[i].says);
    assert_opens_not(s, arena_printf(s->arena, "anna:%s\nanna:%s\n", five, six),
                     "users:2: this user stands here twice");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_right_password_is_ok),
        TEST(basic_is_read_as_the_rfc_has_it),
        TEST(who_was_verified_is_not_held_up_by_others),
        TEST(attempts_come_back_with_time),
        TEST(what_cannot_be_a_password_costs_no_hash),
        TEST(each_checker_has_its_own_state_over_one_table),
        TEST(a_name_that_is_no_users_costs_what_a_users_does),
        TEST(the_password_of_another_is_not_a_nobodys),
        TEST(who_was_verified_still_is_under_another_table),
        TEST(what_a_file_has_wrong_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
