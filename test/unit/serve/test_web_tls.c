/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The web server with a certificate, among visitors that speak TLS. */
#include "serve/web_tls.h"

#include "rehearse/ca.h"
#include "test/unit/serve/web_world.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME "strip.example.org"

/* A folder with a certificate, its key, that key with a passphrase, and another one's. */
static char folder[] = "/tmp/test_web_tls_XXXXXX";
static char cert_path[64], key_path[64], locked_path[64], other_path[64], text_path[64];

static FILE *create(char path[static 64], const char *name)
{
    FILE *file;

    snprintf(path, 64, "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    return file;
}

static void write_key(char path[static 64], const char *name, EVP_PKEY *key, const char *passphrase)
{
    FILE *file = create(path, name);

    assert_int_equal(PEM_write_PrivateKey(file, key, passphrase ? EVP_aes_128_cbc() : NULL, NULL, 0,
                                          NULL, (void *)passphrase),
                     1);
    fclose(file);
}

static int write_files(void **state)
{
    struct ca *ca, *other;
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(ca_create("test", &ca, NULL), 0);
    assert_int_equal(ca_create("other", &other, NULL), 0);
    file = create(cert_path, "cert.pem");
    PEM_write_X509(file, ca_leaf(ca, STR(NAME)));
    fclose(file);
    file = create(text_path, "text");
    fputs("this is no certificate\n", file);
    fclose(file);
    write_key(key_path, "key.pem", ca_leaf_key(ca), NULL);
    write_key(locked_path, "locked.pem", ca_leaf_key(ca), "secret");
    write_key(other_path, "other.pem", ca_leaf_key(other), NULL);
    ca_destroy(ca);
    ca_destroy(other);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    unlink(cert_path);
    unlink(key_path);
    unlink(locked_path);
    unlink(other_path);
    unlink(text_path);
    return rmdir(folder);
}

/* --- the files --- */

static void expect_error(const char *cert, const char *key, const char *part)
{
    struct web_tls *t;
    struct err err;

    assert_true(web_tls_load(cert, key, &t, &err) < 0);
    expect(err.text, part);
}

static void what_is_wrong_with_a_file_is_said(void **state)
{
    (void)state;
    expect_error("/nowhere/cert.pem", key_path, "/nowhere/cert.pem: cannot be read: No such file");
    expect_error(cert_path, "/nowhere/key.pem", "/nowhere/key.pem: cannot be read: No such file");
    expect_error(text_path, key_path, "text: holds no certificate in PEM");
    expect_error(key_path, key_path, "key.pem: holds no certificate in PEM");
    expect_error(cert_path, text_path, "text: holds no key in PEM");
    expect_error(cert_path, locked_path, "locked.pem: holds no key in PEM without a passphrase");
    expect_error(cert_path, other_path, "other.pem: is not the key of the certificate in ");
    expect_error(folder, key_path, "it is not a file");
    expect_error("/dev/zero", key_path, "it is not a file");
}

static void a_pair_says_whom_it_is_for(void **state)
{
    struct web_tls *t;

    (void)state;
    assert_int_equal(web_tls_load(cert_path, key_path, &t, NULL), 0);
    assert_true(web_tls_certifies(t, STR("STRIP.example.org")));
    assert_false(web_tls_certifies(t, STR("example.org")));
    expect(web_tls_cert(t), "-----BEGIN CERTIFICATE-----");
    expect(web_tls_key(t), "PRIVATE KEY-----");
    web_tls_destroy(t);
}

/* --- visitors --- */

static bool tell(void *ctx, struct buf *out)
{
    unsigned *times = ctx;

    if (*times)
        buf_put_str(out, STR("news"));
    *times = 0;
    return true;
}

static unsigned closes;

static void end_telling(void *ctx)
{
    (void)ctx;
    closes++;
}

static unsigned times_left;

static void answer_stream(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    (void)ctx;
    (void)request;
    answer->stream = (struct web_stream){tell, end_telling, &times_left};
}

static void answer_file(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    (void)ctx;
    (void)request;
    answer->fd = open(cert_path, O_RDONLY | O_CLOEXEC);
    answer->bytes = 27; /* the first line */
}

static void answer_hello(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    (void)ctx;
    buf_printf(&answer->body, "hello, may_write=%d\n", request->may_write);
}

static const struct web_route routes[] = {
    {"GET", "/hello", answer_hello},
    {"GET", "/file", answer_file},
    {"GET", "/stream", answer_stream},
};

static struct web_options options_of(const char *listen)
{
    return (struct web_options){.listen = listen,
                                .fd = -1,
                                .cert = cert_path,
                                .key = key_path,
                                .routes = routes,
                                .route_count = sizeof routes / sizeof *routes};
}

static int set_up(void **state)
{
    static struct web_world world;

    closes = times_left = 0;
    web_world_open(&world, options_of("0.0.0.0:0"));
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    web_world_close(*state);
    return 0;
}

struct visitor {
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
    struct loop_fd watch;
    struct loop *loop;
    bool has_met;
};

static void shake_hands(void *ctx, unsigned events)
{
    struct visitor *v = ctx;
    int r = SSL_connect(v->ssl);

    (void)events;
    v->has_met = r == 1;
    if (v->has_met || SSL_get_error(v->ssl, r) != SSL_ERROR_WANT_READ)
        loop_del_fd(v->loop, &v->watch);
}

/* False: there was no handshake. It is in the loop, as the server does not rest meanwhile. */
static bool meet(struct web_world *w, struct visitor *v, int highest_version)
{
    *v = (struct visitor){.fd = visit(w), .loop = w->loop};
    fcntl(v->fd, F_SETFL, O_NONBLOCK);
    v->ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(v->ctx, 0);
    SSL_CTX_set_max_proto_version(v->ctx, highest_version);
    v->ssl = SSL_new(v->ctx);
    SSL_set_fd(v->ssl, v->fd);
    v->watch = (struct loop_fd){.fd = v->fd, .events = LOOP_READ, .ready = shake_hands, .ctx = v};
    loop_add_fd(w->loop, &v->watch);
    shake_hands(v, 0);
    loop_run(w->loop);
    return v->has_met;
}

static void part(struct visitor *v)
{
    SSL_free(v->ssl);
    SSL_CTX_free(v->ctx);
    close(v->fd);
}

/* What has come. */
static const char *read_all(struct visitor *v)
{
    static char text[8192];
    size_t n = 0;
    int r;

    while (n < sizeof text - 1 && (r = SSL_read(v->ssl, text + n, (int)(sizeof text - 1 - n))) > 0)
        n += (size_t)r;
    text[n] = '\0';
    return text;
}

static const char *ask_over_tls(struct web_world *w, struct visitor *v, const char *path)
{
    struct str link = web_link(w->web, true);
    struct str token = str_skip(link, str_search(link, STR("?token=")) + 7);
    char request[256];

    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: " NAME "\r\nAuthorization: Bearer " STR_FMT "\r\n\r\n", path,
             STR_ARG(token));
    assert_int_equal(SSL_write(v->ssl, request, (int)strlen(request)), strlen(request));
    loop_run(w->loop);
    return read_all(v);
}

static void what_is_asked_over_tls_is_answered(void **state)
{
    struct web_world *w = *state;
    struct visitor v;

    assert_true(str_starts(web_link(w->web, false), STR("https://")));
    assert_true(meet(w, &v, TLS1_3_VERSION));
    assert_int_equal(X509_check_host(SSL_get0_peer_certificate(v.ssl), NAME, 0, 0, NULL), 1);
    expect(ask_over_tls(w, &v, "/hello"), "hello, may_write=1\n");
    expect(ask_over_tls(w, &v, "/file"), "-----BEGIN CERTIFICATE-----");
    expect(ask_over_tls(w, &v, "/nowhere"), " 404 ");
    part(&v);
}

static void the_cookie_is_for_tls_alone(void **state)
{
    struct web_world *w = *state;
    struct str link = web_link(w->web, true);
    struct str path = str_skip(link, str_search(link, STR("/?token=")));
    struct visitor v;
    char text[128];

    snprintf(text, sizeof text, STR_FMT, STR_ARG(path));
    assert_true(meet(w, &v, TLS1_3_VERSION));
    expect(ask_over_tls(w, &v, "/hello"), " 200 ");
    snprintf(text, sizeof text, "GET " STR_FMT " HTTP/1.1\r\n" HOST "\r\n", STR_ARG(path));
    SSL_write(v.ssl, text, (int)strlen(text));
    loop_run(w->loop);
    expect(read_all(&v), "; SameSite=Strict; Secure\r\n");
    part(&v);
}

static void older_than_1_2_is_not_spoken(void **state)
{
    struct web_world *w = *state;
    struct visitor v;

    assert_false(meet(w, &v, TLS1_1_VERSION));
    part(&v);
    assert_true(meet(w, &v, TLS1_2_VERSION));
    expect(ask_over_tls(w, &v, "/hello"), " 200 ");
    part(&v);
}

static void plain_http_is_not_answered(void **state)
{
    struct web_world *w = *state;
    struct visitor v;

    expect_not(ask(w, "GET /hello HTTP/1.1\r\n" HOST "\r\n"), "HTTP/1.1");
    assert_true(meet(w, &v, TLS1_3_VERSION));
    part(&v);
}

static void a_stream_wakes_and_ends_over_tls(void **state)
{
    struct web_world *w = *state;
    struct visitor v;

    assert_true(meet(w, &v, TLS1_3_VERSION));
    expect(ask_over_tls(w, &v, "/stream"), "Transfer-Encoding: chunked\r\n");
    times_left = 1;
    web_wake(w->web);
    loop_run(w->loop);
    expect(read_all(&v), "4\r\nnews\r\n");
    SSL_shutdown(v.ssl);
    part(&v);
    loop_run(w->loop);
    assert_int_equal(closes, 1);
}

static void a_certificate_wants_its_key(void **state)
{
    struct web_world *w = *state;
    struct web_options options = options_of("127.0.0.1:0");
    struct web *web;
    struct err err;

    options.key = NULL;
    assert_int_equal(web_create(w->loop, &options, &web, &err), -EINVAL);
    expect(err.text, "the key is missing");
    options.key = other_path;
    assert_int_equal(web_create(w->loop, &options, &web, &err), -EINVAL);
    expect(err.text, "is not the key of");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_with_a_file_is_said),
        cmocka_unit_test(a_pair_says_whom_it_is_for),
        CASE(what_is_asked_over_tls_is_answered),
        CASE(the_cookie_is_for_tls_alone),
        CASE(older_than_1_2_is_not_spoken),
        CASE(plain_http_is_not_answered),
        CASE(a_stream_wakes_and_ends_over_tls),
        CASE(a_certificate_wants_its_key),
    };

    return cmocka_run_group_tests(tests, write_files, remove_files);
}
