/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/ja4.h"

#include "base/auto.h"
#include "base/reader.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define LIST(bytes) STR(bytes)

/* An extension without content, as far as the fingerprint is concerned. */
#define EXT(type) type "\0\0"

/* The example of the specification, its lists shuffled and with GREASE mixed in. */
static void the_example_of_the_specification_comes_out(void **state)
{
    const struct tls_client_hello hello = {
        .legacy_version = 0x0303,
        .ciphers = LIST("\x3a\x3a\x13\x01\x13\x02\x13\x03\xc0\x2b\xc0\x2f\xc0\x2c\xc0\x30\xcc\xa9"
                        "\xcc\xa8\xc0\x13\xc0\x14\x00\x9c\x00\x9d\x00\x2f\x00\x35"),
        .extensions =
            LIST(EXT("\x1a\x1a") EXT("\x00\x1b") EXT("\x00\x00") EXT("\x00\x33") EXT("\x00\x10")
                     EXT("\x44\x69") EXT("\x00\x17") EXT("\x00\x2d") EXT("\x00\x0d") EXT("\x00\x05")
                         EXT("\x00\x23") EXT("\x00\x12") EXT("\x00\x2b") EXT("\xff\x01")
                             EXT("\x00\x0b") EXT("\x00\x0a") EXT("\xfa\xfa") EXT("\x00\x15")),
        .versions = LIST("\x9a\x9a\x03\x04\x03\x03"),
        .alpn = LIST("\x02h2\x08http/1.1"),
        .signatures = LIST("\x04\x03\x08\x04\x04\x01\x05\x03\x08\x05\x05\x01\x08\x06\x06\x01"),
    };
    char text[JA4_TEXT];

    (void)state;
    ja4_of(&hello, 't', text);
    assert_string_equal(text, "t13d1516h2_8daaf6152771_e5627efa2ab1");
    ja4_of(&hello, 'q', text);
    assert_string_equal(text, "q13d1516h2_8daaf6152771_e5627efa2ab1");
}

static void what_is_missing_is_zeros(void **state)
{
    struct tls_client_hello hello = {.legacy_version = 0x0301};
    char text[JA4_TEXT];

    (void)state;
    ja4_of(&hello, 't', text);
    assert_string_equal(text, "t10i000000_000000000000_000000000000");
    hello.legacy_version = 0x1234;
    hello.alpn = LIST("\x02\xab\xcd");
    ja4_of(&hello, 't', text);
    assert_string_equal(text, "t00i0000ad_000000000000_000000000000");
}

/* Captured hellos, with what other programs say of them: one hello in one packet each. */

static struct str slurp(const char *folder, const char *name, char *bytes, size_t room)
{
    char path[512];

    snprintf(path, sizeof path, "%s/captures/%s", folder, name);
    AUTO(auto_fclose) FILE *file = fopen(path, "rb");
    return (struct str){bytes, file ? fread(bytes, 1, room, file) : 0};
}

static uint32_t u32le(struct reader *r)
{
    uint32_t value = 0;

    for (unsigned shift = 0; shift < 32; shift += 8)
        value |= (uint32_t)reader_u8(r) << shift;
    return value;
}

/* Ethernet, IPv4, TCP: the payload, and the client's port. */
static struct str payload_of(struct str packet, uint16_t *ret_port)
{
    struct reader r = reader_of(packet);
    size_t ip_bytes, tcp_bytes;

    reader_take(&r, 14);
    if (!r.rest.n || (r.rest.p[0] & 0xf0) != 0x40)
        return (struct str){0};
    struct str ip = r.rest;
    ip_bytes = (size_t)(ip.p[0] & 0xf) * 4;
    size_t total = (size_t)(uint8_t)ip.p[2] << 8 | (uint8_t)ip.p[3];
    ip = str_head(ip, total);
    if (ip.n < ip_bytes + 20 || ip.p[9] != 6)
        return (struct str){0};
    struct reader tcp = reader_of(str_skip(ip, ip_bytes));
    *ret_port = reader_u16be(&tcp);
    tcp_bytes = (size_t)((uint8_t)ip.p[ip_bytes + 12] >> 4) * 4;
    return str_skip(ip, ip_bytes + tcp_bytes);
}

static bool fingerprint_of(struct str payload, char text[static JA4_TEXT])
{
    struct tls_client_hello hello;
    struct tls_stream s;
    struct str body;
    bool found = false;

    tls_stream_init(&s);
    if (tls_stream_next(&s, &payload, &body) == TLS_CLIENT_HELLO &&
        tls_read_client_hello(body, &hello) == PARSED_DONE) {
        ja4_of(&hello, 't', text);
        found = true;
    }
    tls_stream_finish(&s);
    return found;
}

static void captured_hellos_have_the_fingerprints_that_others_give_them(void **state)
{
    static char capture_bytes[1 << 20], table_bytes[1 << 18];
    const char *shared = getenv("FLIGHTSTRIP_SHARED");
    struct str capture = slurp(shared ? shared : "../shared", "mercury--top_100_fingerprints.pcap",
                               capture_bytes, sizeof capture_bytes);
    struct str table =
        slurp(shared ? shared : "../shared", "mercury--top_100_fingerprints.pcap.expected.tsv",
              table_bytes, sizeof table_bytes);
    struct reader r = reader_of(str_skip(capture, 24));
    unsigned agreed = 0;

    (void)state;
    if (!capture.n || !table.n) {
        print_message("the captures are not here: set FLIGHTSTRIP_SHARED\n");
        skip();
    }
    while (!r.bad && r.rest.n) {
        char text[JA4_TEXT], cell[JA4_TEXT + 16];
        uint16_t port = 0;

        u32le(&r);
        u32le(&r);
        uint32_t n = u32le(&r);
        u32le(&r);
        struct str payload = payload_of(reader_take(&r, n), &port);
        if (!payload.n || !fingerprint_of(payload, text))
            continue;
        snprintf(cell, sizeof cell, "\t%s\t", text);
        if (str_search(table, str_of(cell)) == table.n)
            fail_msg("port %u: %s", port, text);
        agreed++;
    }
    assert_in_range(agreed, 80, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_specification_comes_out),
        cmocka_unit_test(what_is_missing_is_zeros),
        cmocka_unit_test(captured_hellos_have_the_fingerprints_that_others_give_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
