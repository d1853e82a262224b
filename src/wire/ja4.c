/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *     t13d1516h2 _ 8daaf6152771 _ e5627efa2ab1
 *
 * In front the transport, version, whether a server is named, how many ciphers and extensions, and
 * the first protocol of ALPN; then a hash of the ciphers, sorted; then one of the extensions,
 * sorted, and of the signature algorithms in their order. Sorting undoes the shuffling that
 * browsers do; GREASE is left out everywhere.
 */
#include "wire/ja4.h"

#include "base/reader.h"

#include <ctype.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERVER_NAME = 0, ALPN = 16, HASH_DIGITS = 12, VALUES_MAX = 1024 };

struct values {
    size_t n;
    uint16_t at[VALUES_MAX];
};

static void add(struct values *v, uint16_t value)
{
    if (!tls_is_grease(value) && v->n < VALUES_MAX)
        v->at[v->n++] = value;
}

static struct values values_of(struct str list)
{
    struct reader r = reader_of(list);
    struct values v = {0};

    while (r.rest.n >= 2)
        add(&v, reader_u16be(&r));
    return v;
}

static struct values extension_types(struct str extensions)
{
    struct reader r = reader_of(extensions);
    struct values v = {0};

    while (!r.bad && r.rest.n) {
        uint16_t type = reader_u16be(&r);

        reader_take(&r, reader_u16be(&r));
        if (!r.bad)
            add(&v, type);
    }
    return v;
}

static int compare(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void sort(struct values *v)
{
    qsort(v->at, v->n, sizeof *v->at, compare);
}

static bool contains(const struct values *v, uint16_t value)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->at[i] == value)
            return true;
    return false;
}

static void put_values(struct buf *out, const struct values *v)
{
    for (size_t i = 0; i < v->n; i++)
        buf_printf(out, i ? ",%04x" : "%04x", v->at[i]);
}

static void put_hash(char *text, struct str of)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];

    if (!of.n) {
        memset(text, '0', HASH_DIGITS);
        return;
    }
    SHA256((const unsigned char *)of.p, of.n, hash);
    for (size_t i = 0; i < HASH_DIGITS / 2; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
}

static const char *version_of(const struct tls_client_hello *hello)
{
    static const struct {
        uint16_t version;
        const char *says;
    } known[] = {{0x0304, "13"}, {0x0303, "12"}, {0x0302, "11"}, {0x0301, "10"}, {0x0300, "s3"},
                 {0x0002, "s2"}, {0xfeff, "d1"}, {0xfefd, "d2"}, {0xfefc, "d3"}};
    struct values offered = values_of(hello->versions);
    uint16_t best = hello->versions.n ? 0 : hello->legacy_version;

    for (size_t i = 0; i < offered.n; i++)
        if (offered.at[i] > best)
            best = offered.at[i];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].version == best)
            return known[i].says;
    return "00";
}

/* The first and the last character of the first protocol; of its bytes in hex when one is odd. */
static void put_protocol(char text[static 3], struct str alpn)
{
    struct reader r = reader_of(alpn);
    struct str name = reader_take(&r, reader_u8(&r));

    if (!name.n) {
        memcpy(text, "00", 3);
        return;
    }
    unsigned char first = (unsigned char)name.p[0], last = (unsigned char)name.p[name.n - 1];
    char hex[2][3];

    snprintf(hex[0], sizeof hex[0], "%02x", first);
    snprintf(hex[1], sizeof hex[1], "%02x", last);
    bool plain = first < 0x80 && isalnum(first) && last < 0x80 && isalnum(last);
    text[0] = plain ? (char)first : hex[0][0];
    text[1] = plain ? (char)last : hex[1][1];
    text[2] = '\0';
}

static unsigned at_most_99(size_t n)
{
    return n < 99 ? (unsigned)n : 99;
}

static void put_front(char *text, const struct tls_client_hello *hello, char transport,
                      size_t cipher_count, const struct values *extensions)
{
    char protocol[3], front[32];

    put_protocol(protocol, hello->alpn);
    snprintf(front, sizeof front, "%c%s%c%02u%02u%s_", transport, version_of(hello),
             contains(extensions, SERVER_NAME) ? 'd' : 'i', at_most_99(cipher_count),
             at_most_99(extensions->n), protocol);
    memcpy(text, front, 11);
}

static void put_extensions(struct buf *out, const struct values *extensions, struct str signatures)
{
    struct values kept = {0}, algorithms = values_of(signatures);

    for (size_t i = 0; i < extensions->n; i++)
        if (extensions->at[i] != SERVER_NAME && extensions->at[i] != ALPN)
            add(&kept, extensions->at[i]);
    sort(&kept);
    put_values(out, &kept);
    if (algorithms.n) {
        buf_put_byte(out, '_');
        put_values(out, &algorithms);
    }
}

void ja4_of(const struct tls_client_hello *hello, char transport, char ret_text[static JA4_TEXT])
{
    struct values ciphers = values_of(hello->ciphers);
    struct values extensions = extension_types(hello->extensions);
    struct buf list;

    buf_init(&list, BUF_UNBOUNDED);
    put_front(ret_text, hello, transport, ciphers.n, &extensions);
    sort(&ciphers);
    put_values(&list, &ciphers);
    put_hash(ret_text + 11, buf_str(&list));
    ret_text[23] = '_';
    buf_clear(&list);
    if (extensions.n)
        put_extensions(&list, &extensions, hello->signatures);
    put_hash(ret_text + 24, buf_str(&list));
    ret_text[36] = '\0';
    buf_finish(&list);
}
