/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/cidr.h"

#include "test/unit/unit.h"

#include <string.h>

/* An address alone is a network of one: its prefix is its bytes. */
static void bytes_of(const char *address, uint8_t ret_address[16])
{
    struct cidr alone;

    assert_null(cidr_parse(str_of(address), &alone));
    assert_int_equal(alone.bits, CIDR_BITS);
    memcpy(ret_address, alone.prefix, 16);
}

static void a_network_contains_its_addresses_alone(void **state)
{
    static const struct {
        const char *network, *address;
        bool inside;
    } cases[] = {
        {"192.168.0.0/16", "192.168.255.1", true},
        {"192.168.0.0/16", "192.169.0.1", false},
        {"172.16.0.0/12", "172.31.255.255", true},
        {"172.16.0.0/12", "172.32.0.0", false},
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.6", false},
        {"192.0.2.6/31", "192.0.2.7", true},
        {"0.0.0.0/0", "8.8.8.8", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"10.0.0.0/8", "::ffff:10.1.2.3", true},
        {"10.0.0.0/8", "::10.1.2.3", false},
        {"::ffff:10.0.0.0/104", "10.1.2.3", true},
        {"2001:db8::/32", "2001:db8:ffff::1", true},
        {"2001:db8::/32", "2001:db9::", false},
        {"fc00::/7", "fdff::1", true},
        {"fc00::/7", "fe00::1", false},
        {"::/0", "1.2.3.4", true},
        {"::1", "::1", true},
        {"::1", "::", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cidr network;
        uint8_t address[16];

        assert_null(cidr_parse(str_of(cases[i].network), &network));
        bytes_of(cases[i].address, address);
        if (cidr_contains(&network, address) != cases[i].inside)
            fail_msg("%s and %s", cases[i].network, cases[i].address);
    }
}

static void a_network_is_written_as_it_is_read(void **state)
{
    static const char *const cases[] = {"10.0.0.0/8",    "192.0.2.7/32", "0.0.0.0/0",
                                        "2001:db8::/32", "::1/128",      "::/0"};
    struct buf out;

    (void)state;
    buf_init(&out, 64);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cidr network, again;

        buf_clear(&out);
        assert_null(cidr_parse(str_of(cases[i]), &network));
        cidr_put(&out, &network);
        assert_null(cidr_parse(buf_str(&out), &again));
        assert_memory_equal(&again, &network, sizeof again);
        assert_true(str_eq(buf_str(&out), str_of(cases[i])));
    }
    buf_finish(&out);
}

static void what_is_no_network_says_why(void **state)
{
    static const struct {
        struct str text;
        const char *why;
    } cases[] = {
        {STR(""), "expected an address"},
        {STR("/8"), "expected an address"},
        {STR("host.test"), "expected an address"},
        {STR("10.0.0/8"), "expected an address"},
        {STR("10.0.0.0.0"), "expected an address"},
        {STR(" 10.0.0.1"), "expected an address"},
        {STR("10.0.0.1\0x"), "expected an address"},
        {STR("fe80::1%eth0"), "expected an address"},
        {STR("1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa"), "expected an address"},
        {STR("10.0.0.0/"), "from 0 to 32"},
        {STR("10.0.0.0/33"), "from 0 to 32"},
        {STR("10.0.0.0/-1"), "from 0 to 32"},
        {STR("10.0.0.0/8/8"), "from 0 to 32"},
        {STR("fd00::/129"), "from 0 to 128"},
        {STR("10.0.0.1/8"), "bits set after"},
        {STR("fd00::1/64"), "bits set after"},
        {STR("192.0.2.7/31"), "bits set after"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cidr network;
        const char *why = cidr_parse(cases[i].text, &network);

        if (!why || !strstr(why, cases[i].why))
            fail_msg(STR_FMT ": %s", STR_ARG(cases[i].text), why ? why : "taken");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_contains_its_addresses_alone),
        cmocka_unit_test(a_network_is_written_as_it_is_read),
        cmocka_unit_test(what_is_no_network_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
