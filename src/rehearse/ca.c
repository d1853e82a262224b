/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rehearse/ca.h"

#include "base/auto.h"
#include "base/map.h"
#include "base/xalloc.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

/* Valid from yesterday, for a clock that is a little off, and for longer than any rehearsal. */
enum { DAY_S = 86400, VALID_FROM_S = -DAY_S, VALID_TO_S = 30 * DAY_S };

enum { COMMON_NAME_MAX = 64 }; /* RFC 5280, appendix A: ub-common-name */

struct ca {
    EVP_PKEY *key, *leaf_key;
    X509 *root;
    struct str_map leaves; /* host to X509 */
    uint64_t last_serial;
};

static void auto_x509(X509 **x)
{
    X509_free(*x);
}

static bool set_name(X509_NAME *name, struct str common_name)
{
    if (common_name.n > COMMON_NAME_MAX)
        return true; /* the names that count are in subjectAltName */
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                      (const unsigned char *)common_name.p, (int)common_name.n, -1,
                                      0) == 1;
}

/* What every certificate has: version 3, a serial of its own, validity, a key, a subject. */
static X509 *blank(struct ca *ca, EVP_PKEY *key, struct str subject)
{
    AUTO(auto_x509) X509 *x = X509_new();

    if (!x || !X509_set_version(x, X509_VERSION_3) ||
        !ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), ++ca->last_serial) ||
        !X509_gmtime_adj(X509_getm_notBefore(x), VALID_FROM_S) ||
        !X509_gmtime_adj(X509_getm_notAfter(x), VALID_TO_S) || !X509_set_pubkey(x, key) ||
        !set_name(X509_get_subject_name(x), subject))
        return NULL;
    return STEAL(&x);
}

static bool add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;
    bool added;

    X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    added = extension && X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
    return added;
}

/* The host goes in as bytes, not through OpenSSL's little language: it is a stranger's text. */
static bool add_host(X509 *x, struct str host)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    bool added = false;

    if (names && name && text && ASN1_STRING_set(text, host.p, (int)host.n)) {
        GENERAL_NAME_set0_value(name, GEN_DNS, STEAL(&text));
        if (sk_GENERAL_NAME_push(names, name)) {
            name = NULL;
            added = X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0) == 1;
        }
    }
    ASN1_IA5STRING_free(text);
    GENERAL_NAME_free(name);
    GENERAL_NAMES_free(names);
    return added;
}

static X509 *make_root(struct ca *ca, struct str name)
{
    AUTO(auto_x509) X509 *x = blank(ca, ca->key, name);

    if (!x || !X509_set_issuer_name(x, X509_get_subject_name(x)) ||
        !add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE") ||
        !add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(x, x, NID_subject_key_identifier, "hash") ||
        !X509_sign(x, ca->key, EVP_sha256()))
        return NULL;
    return STEAL(&x);
}

static X509 *make_leaf(struct ca *ca, struct str host)
{
    AUTO(auto_x509) X509 *x = blank(ca, ca->leaf_key, host);

    if (!x || !X509_set_issuer_name(x, X509_get_subject_name(ca->root)) ||
        !add_extension(x, ca->root, NID_key_usage, "critical,digitalSignature") ||
        !add_extension(x, ca->root, NID_ext_key_usage, "serverAuth") ||
        !add_extension(x, ca->root, NID_authority_key_identifier, "keyid") || !add_host(x, host) ||
        !X509_sign(x, ca->key, EVP_sha256()))
        return NULL;
    return STEAL(&x);
}

int ca_create(const char *name, struct ca **ret_ca, struct err *err)
{
    struct ca *ca = xalloc(sizeof *ca);

    if (!(ca->key = EVP_EC_gen("P-256")) || !(ca->leaf_key = EVP_EC_gen("P-256")) ||
        !(ca->root = make_root(ca, str_of(name)))) {
        ca_destroy(ca);
        return err_set(err, -EIO, "%s: the certificate authority could not be made", name);
    }
    *ret_ca = ca;
    return 0;
}

void ca_destroy(struct ca *ca)
{
    X509 *leaf;

    if (!ca)
        return;
    for (size_t at = 0; (leaf = str_map_next(&ca->leaves, &at, NULL));)
        X509_free(leaf);
    str_map_finish(&ca->leaves);
    X509_free(ca->root);
    EVP_PKEY_free(ca->leaf_key);
    EVP_PKEY_free(ca->key);
    free(ca);
}

X509 *ca_root(const struct ca *ca)
{
    return ca->root;
}

EVP_PKEY *ca_leaf_key(const struct ca *ca)
{
    return ca->leaf_key;
}

X509 *ca_leaf(struct ca *ca, struct str host)
{
    X509 *leaf = str_map_get(&ca->leaves, host);

    if (!leaf && (leaf = make_leaf(ca, host)))
        str_map_put(&ca->leaves, host, leaf);
    return leaf;
}
