/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files are tried with OpenSSL, which is here anyway; libmicrohttpd hands them to GnuTLS. */
#include "serve/web_tls.h"

#include "base/file.h"
#include "base/xalloc.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

enum { PEM_BYTES_MAX = 1 << 20 };

struct web_tls {
    struct buf cert_pem, key_pem; /* each with a zero at its end */
    X509 *cert;
};

static int read_pem(const char *path, struct buf *out, struct err *err)
{
    int r;

    buf_init(out, PEM_BYTES_MAX);
    r = file_read(path, out, NULL, err);
    buf_put_byte(out, '\0');
    if (r == 0 && out->full)
        r = err_set(err, -EFBIG, "%s: too long for a file of the web server's", path);
    return r;
}

static BIO *bio_of(const struct buf *pem)
{
    return BIO_new_mem_buf(pem->p, (int)strlen(pem->p));
}

static X509 *parse_cert(const struct buf *pem)
{
    BIO *bio = bio_of(pem);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    return cert;
}

/* With a passphrase that fits no key: else it would be asked for in the terminal. */
static EVP_PKEY *parse_key(const struct buf *pem)
{
    BIO *bio = bio_of(pem);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");

    BIO_free(bio);
    return key;
}

static int check_key(const struct web_tls *t, const char *cert_path, const char *key_path,
                     struct err *err)
{
    EVP_PKEY *key = parse_key(&t->key_pem);
    bool fits = key && X509_check_private_key(t->cert, key) == 1;

    EVP_PKEY_free(key);
    if (!key)
        return err_set(err, -EINVAL, "%s: holds no key in PEM without a passphrase", key_path);
    if (!fits)
        return err_set(err, -EINVAL, "%s: is not the key of the certificate in %s", key_path,
                       cert_path);
    return 0;
}

static int load(struct web_tls *t, const char *cert_path, const char *key_path, struct err *err)
{
    int r = read_pem(cert_path, &t->cert_pem, err);

    if (r < 0)
        return r;
    r = read_pem(key_path, &t->key_pem, err);
    if (r < 0)
        return r;
    t->cert = parse_cert(&t->cert_pem);
    if (!t->cert)
        return err_set(err, -EINVAL, "%s: holds no certificate in PEM", cert_path);
    return check_key(t, cert_path, key_path, err);
}

int web_tls_load(const char *cert_path, const char *key_path, struct web_tls **ret_tls,
                 struct err *err)
{
    struct web_tls *t = xalloc(sizeof *t);
    int r = load(t, cert_path, key_path, err);

    if (r < 0) {
        ERR_clear_error(); /* it is one list for all of a thread's connections */
        web_tls_destroy(t);
        return r;
    }
    *ret_tls = t;
    return 0;
}

void web_tls_destroy(struct web_tls *t)
{
    if (!t)
        return;
    X509_free(t->cert);
    if (t->key_pem.p)
        explicit_bzero(t->key_pem.p, t->key_pem.room);
    buf_finish(&t->cert_pem);
    buf_finish(&t->key_pem);
    free(t);
}

const char *web_tls_cert(const struct web_tls *t)
{
    return t->cert_pem.p;
}

const char *web_tls_key(const struct web_tls *t)
{
    return t->key_pem.p;
}

bool web_tls_certifies(const void *tls, struct str host)
{
    const struct web_tls *t = tls;

    return X509_check_host(t->cert, host.p, host.n, 0, NULL) == 1;
}
