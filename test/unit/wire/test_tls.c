/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The handshakes are OpenSSL's: a client and a server that talk through memory. */
#include "wire/tls.h"

#include "test/unit/unit.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

/* What passed between a client and a server, each direction as one stream of bytes. */
struct talk {
    char up[16384], down[16384];
    size_t up_n, down_n;
};

static SSL_CTX *server_context(int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);

    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"x", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    SSL_CTX_use_certificate(ctx, cert);
    SSL_CTX_use_PrivateKey(ctx, key);
    SSL_CTX_set_max_proto_version(ctx, version);
    X509_free(cert);
    EVP_PKEY_free(key);
    return ctx;
}

static int choose_last(SSL *ssl, const unsigned char **out, unsigned char *out_n,
                       const unsigned char *in, unsigned in_n, void *arg)
{
    (void)ssl, (void)arg;
    *out = in + in_n - 8;
    *out_n = 8;
    return SSL_TLSEXT_ERR_OK;
}

static size_t carry(SSL *from, SSL *to, char *log, size_t *log_n)
{
    char bytes[8192];
    int n = BIO_read(SSL_get_wbio(from), bytes, sizeof bytes);

    if (n <= 0)
        return 0;
    assert_true(*log_n + (size_t)n <= sizeof((struct talk *)0)->up);
    memcpy(log + *log_n, bytes, (size_t)n);
    *log_n += (size_t)n;
    BIO_write(SSL_get_rbio(to), bytes, n);
    return (size_t)n;
}

static void shake_hands(int version, bool distrust, struct talk *ret_talk)
{
    SSL_CTX *sctx = server_context(version), *cctx = SSL_CTX_new(TLS_client_method());
    SSL *client = SSL_new(cctx), *server = SSL_new(sctx);

    *ret_talk = (struct talk){0};
    SSL_set_min_proto_version(client, TLS1_2_VERSION);
    SSL_CTX_set_alpn_select_cb(sctx, choose_last, NULL);
    SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_bio(server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_tlsext_host_name(client, "login.example.com");
    SSL_set_alpn_protos(client, (const unsigned char *)"\x02h2\x08http/1.1", 12);
    SSL_set_verify(client, distrust ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int i = 0; i < 8; i++) {
        SSL_do_handshake(client);
        carry(client, server, ret_talk->up, &ret_talk->up_n);
        SSL_do_handshake(server);
        carry(server, client, ret_talk->down, &ret_talk->down_n);
    }
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(cctx);
    SSL_CTX_free(sctx);
}

/* The first item of each sort in a stream that comes in pieces. */
struct items {
    unsigned client_hellos, server_hellos, alerts;
    bool ended;
    struct tls_client_hello client;
    struct tls_server_hello server;
    uint8_t alert;
    char body[2][16384]; /* what the hellos borrow from */
    size_t left_over;    /* held by the stream at the end */
};

static void read_stream(const char *p, size_t n, size_t piece, struct items *ret_items)
{
    struct tls_stream s;
    struct items *it = ret_items;

    *it = (struct items){0};
    tls_stream_init(&s);
    for (size_t at = 0; at < n && !it->ended; at += piece) {
        struct str bytes = {p + at, piece < n - at ? piece : n - at}, body;

        for (enum tls_item item; (item = tls_stream_next(&s, &bytes, &body)) != TLS_MORE;) {
            if (item == TLS_ENDED) {
                it->ended = true;
                break;
            } else if (item == TLS_ALERT) {
                it->alerts++;
                it->alert = (uint8_t)body.p[1];
                continue;
            }
            struct str kept = {it->body[item == TLS_SERVER_HELLO], body.n};
            memcpy(it->body[item == TLS_SERVER_HELLO], body.p, body.n);
            if (item == TLS_CLIENT_HELLO) {
                it->client_hellos++;
                assert_int_equal(tls_read_client_hello(kept, &it->client), PARSED_DONE);
            } else {
                it->server_hellos++;
                assert_int_equal(tls_read_server_hello(kept, &it->server), PARSED_DONE);
            }
        }
        assert_true(it->ended || !bytes.n);
    }
    it->left_over = s.message.room;
    tls_stream_finish(&s);
}

static const char *words(void (*put)(struct buf *, struct str), struct str s)
{
    static char text[256];
    struct buf b;

    buf_init(&b, sizeof text - 1);
    put(&b, s);
    snprintf(text, sizeof text, STR_FMT, STR_ARG(buf_str(&b)));
    buf_finish(&b);
    return text;
}

static void put_itself(struct buf *out, struct str s)
{
    buf_put_byte(out, ' ');
    buf_put_str(out, s);
}

static void assert_versions(const struct tls_client_hello *hello, const char *wanted)
{
    struct buf b;

    buf_init(&b, 1024);
    tls_put_versions(&b, hello);
    buf_put_byte(&b, 0);
    assert_string_equal(b.p, wanted);
    buf_finish(&b);
}

static void a_client_hello_says_what_it_wants_whatever_the_pieces(void **state)
{
    static struct talk talk;
    static struct items it;

    (void)state;
    shake_hands(TLS1_3_VERSION, false, &talk);
    for (size_t piece = 1; piece < 700; piece = piece * 2 + 1) {
        read_stream(talk.up, talk.up_n, piece, &it);
        assert_int_equal(it.client_hellos, 1);
        assert_string_equal(words(put_itself, it.client.sni), " login.example.com");
        assert_string_equal(words(tls_put_alpn, it.client.alpn), "h2,http/1.1");
        assert_versions(&it.client, "1.3,1.2");
        assert_false(it.client.ech);
        assert_true(it.ended); /* what follows is encrypted */
        assert_int_equal(it.left_over, 0);
    }
}

/* The bytes of the first record, as records of `room` bytes. */
static size_t split_records(const struct talk *talk, size_t room, char *out)
{
    size_t n = (size_t)(uint8_t)talk->up[3] << 8 | (uint8_t)talk->up[4], out_n = 0;

    for (size_t at = 0; at < n; at += room) {
        size_t here = room < n - at ? room : n - at;
        char head[5] = {22, 3, 1, (char)(here >> 8), (char)here};

        memcpy(out + out_n, head, 5);
        memcpy(out + out_n + 5, talk->up + 5 + at, here);
        out_n += 5 + here;
    }
    return out_n;
}

static void a_client_hello_may_be_split_over_records(void **state)
{
    static struct talk talk;
    static struct items it;
    static char bytes[16384];

    (void)state;
    shake_hands(TLS1_3_VERSION, false, &talk);
    for (size_t room = 1; room < 300; room = room * 3 + 1)
        for (size_t piece = 1; piece < 1000; piece = piece * 5 + 1) {
            size_t n = split_records(&talk, room, bytes);

            read_stream(bytes, n, piece, &it);
            assert_int_equal(it.client_hellos, 1);
            assert_string_equal(words(put_itself, it.client.sni), " login.example.com");
            assert_false(it.ended);
            assert_int_equal(it.left_over, 0);
        }
}

static void the_answer_says_version_and_cipher(void **state)
{
    static struct talk talk;
    static struct items it;
    static const struct {
        int version;
        uint16_t says;
        const char *alpn;
    } cases[] = {{TLS1_3_VERSION, 0x0304, ""}, {TLS1_2_VERSION, 0x0303, "http/1.1"}};

    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (size_t piece = 1; piece < 700; piece = piece * 2 + 1) {
            struct buf cipher;

            shake_hands(cases[i].version, false, &talk);
            read_stream(talk.down, talk.down_n, piece, &it);
            assert_int_equal(it.server_hellos, 1);
            assert_int_equal(it.server.version, cases[i].says);
            assert_string_equal(words(tls_put_alpn, it.server.alpn), cases[i].alpn);
            assert_int_equal(it.alerts, 0);
            assert_true(it.ended);
            assert_int_equal(it.left_over, 0);

            buf_init(&cipher, 64);
            tls_put_cipher(&cipher, it.server.cipher);
            assert_true(str_starts(buf_str(&cipher), STR("TLS_")));
            buf_finish(&cipher);
        }
}

static void an_alert_in_the_clear_is_seen(void **state)
{
    static struct talk talk;
    static struct items it;

    (void)state;
    shake_hands(TLS1_2_VERSION, true, &talk); /* the certificate is nobody's */
    for (size_t piece = 1; piece < 700; piece = piece * 2 + 1) {
        read_stream(talk.up, talk.up_n, piece, &it);
        assert_int_equal(it.client_hellos, 1);
        assert_int_equal(it.alerts, 1);
        assert_string_equal(tls_alert_says(it.alert), "unknown certificate authority");
    }
    assert_string_equal(tls_alert_says(200), "unknown alert");
}

static void what_is_not_tls_ends_the_stream(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } cases[] = {
        {"GET / HTTP/1.1\r\n", 16},
        {"SSH-2.0-x\r\n", 11},
        {"\x16\x03\x01\x00\x02\x01\x00\x15\x03\x03\x00\x02\x02\x30", 14}, /* an alert inside */
        {"\x16\x02\x01\x00\x05xxxxx", 10},           /* no such major version */
        {"\x16\x03\x01\xff\xffxxxxx", 10},           /* too long for a record */
        {"\x16\x03\x01\x00\x00xxxxx", 10},           /* an empty handshake record */
        {"\x17\x03\x03\x00\x05xxxxx", 10},           /* encrypted already */
        {"\x15\x03\x03\x00\x1axxxxx", 10},           /* an encrypted alert */
        {"\x16\x03\x01\x00\x04\x01\xff\xff\xff", 9}, /* a hello of 16 MB */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct items it;

        for (size_t piece = 1; piece < 20; piece++) {
            read_stream(cases[i].bytes, cases[i].n, piece, &it);
            assert_true(it.ended);
            assert_int_equal(it.client_hellos + it.server_hellos + it.alerts, 0);
            assert_int_equal(it.left_over, 0);
        }
    }
}

/* A body with these extensions, small enough to write down. */
static enum parsed read_with(const char *extensions, size_t n, struct tls_client_hello *ret_hello)
{
    static char body[512];
    static const char start[] = "\x03\x03"
                                "01234567890123456789012345678901"
                                "\x00"
                                "\x00\x04\x0a\x0a\x13\x01"
                                "\x01\x00";
    size_t at = sizeof start - 1;

    memcpy(body, start, at);
    body[at] = (char)(n >> 8);
    body[at + 1] = (char)n;
    memcpy(body + at + 2, extensions, n);
    return tls_read_client_hello((struct str){body, at + 2 + n}, ret_hello);
}

static void odd_hellos_are_odd(void **state)
{
    struct tls_client_hello hello;

    (void)state;
    assert_int_equal(read_with("", 0, &hello), PARSED_DONE);
    assert_versions(&hello, "1.2"); /* no list: the legacy version */
    assert_null(hello.sni.p);
    assert_int_equal(read_with("\0\0\0", 3, &hello), PARSED_ODD);
    assert_int_equal(read_with("\0\0\0\x05", 4, &hello), PARSED_ODD);
    assert_int_equal(tls_read_client_hello(STR("\x03\x03"), &hello), PARSED_ODD);
    assert_int_equal(tls_read_client_hello((struct str){0}, &hello), PARSED_ODD);

    struct tls_server_hello answer;
    assert_int_equal(tls_read_server_hello(STR("\x03\x03"), &answer), PARSED_ODD);
}

static void grease_is_left_out(void **state)
{
    struct tls_client_hello hello;

    (void)state;
    assert_int_equal(read_with("\x00\x2b\x00\x07\x06\x1a\x1a\x03\x03\x03\x04"
                               "\x00\x10\x00\x08\x00\x06\x02\xba\xba\x02h2"
                               "\xfe\x0d\x00\x00",
                               11 + 12 + 4, &hello),
                     PARSED_DONE);
    assert_versions(&hello, "1.3,1.2");
    assert_string_equal(words(tls_put_alpn, hello.alpn), "h2");
    assert_true(hello.ech);
    assert_true(tls_is_grease(0x0a0a));
    assert_true(tls_is_grease(0xfafa));
    assert_false(tls_is_grease(0x0a1a));
    assert_false(tls_is_grease(0x1301));
}

static void an_unknown_cipher_is_a_number(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 64);
    tls_put_cipher(&b, 0xabcd);
    buf_put_byte(&b, ' ');
    tls_put_version(&b, 0x0300);
    buf_put_byte(&b, ' ');
    tls_put_version(&b, 0x7f1c);
    buf_put_byte(&b, 0);
    assert_string_equal(b.p, "0xabcd ssl3 0x7f1c");
    buf_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_hello_says_what_it_wants_whatever_the_pieces),
        cmocka_unit_test(a_client_hello_may_be_split_over_records),
        cmocka_unit_test(the_answer_says_version_and_cipher),
        cmocka_unit_test(an_alert_in_the_clear_is_seen),
        cmocka_unit_test(what_is_not_tls_ends_the_stream),
        cmocka_unit_test(odd_hellos_are_odd),
        cmocka_unit_test(grease_is_left_out),
        cmocka_unit_test(an_unknown_cipher_is_a_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
