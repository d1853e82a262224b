/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rehearse/ca.h"

#include "test/unit/unit.h"

#include <openssl/x509v3.h>
#include <string.h>

#define LONG_HOST                                                                                  \
    "a-host-name-that-is-longer-than-a-common-name-may-be.tokenprovider.termsofuse.example.com"

static struct ca *make(const char *name)
{
    struct ca *ca = NULL;
    struct err err = {{0}};

    assert_int_equal(ca_create(name, &ca, &err), 0);
    return ca;
}

/* Whether a client that trusts `trusted` alone accepts the leaf as `host`'s server. */
static int verify(struct ca *trusted, X509 *leaf, const char *host)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int error;

    X509_STORE_add_cert(store, ca_root(trusted));
    X509_STORE_CTX_init(context, store, leaf, NULL);
    X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(context), host, 0);
    X509_verify_cert(context);
    error = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return error;
}

static void a_leaf_verifies_for_its_own_name_alone(void **state)
{
    static const struct {
        const char *leaf, *asked;
        int error;
    } cases[] = {
        {"login.live.com", "login.live.com", X509_V_OK},
        {"login.live.com", "LOGIN.live.com", X509_V_OK},
        {"login.live.com", "live.com", X509_V_ERR_HOSTNAME_MISMATCH},
        {"login.live.com", "a.login.live.com", X509_V_ERR_HOSTNAME_MISMATCH},
        {"a.example,DNS:b.example", "b.example", X509_V_ERR_HOSTNAME_MISMATCH},
        {LONG_HOST, LONG_HOST, X509_V_OK},
    };
    struct ca *ca = make("Rehearsal Root");

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(verify(ca, ca_leaf(ca, str_of(cases[i].leaf)), cases[i].asked),
                         cases[i].error);
    ca_destroy(ca);
}

static void a_stranger_with_the_same_name_is_not_trusted(void **state)
{
    struct ca *ours = make("Root"), *strangers = make("Root");
    X509 *leaf = ca_leaf(strangers, STR("login.live.com"));

    (void)state;
    assert_int_equal(verify(strangers, leaf, "login.live.com"), X509_V_OK);
    assert_int_not_equal(verify(ours, leaf, "login.live.com"), X509_V_OK);
    ca_destroy(strangers);
    ca_destroy(ours);
}

static void a_leaf_is_made_once(void **state)
{
    struct ca *ca = make("Root");
    X509 *first = ca_leaf(ca, STR("a.example"));

    (void)state;
    assert_ptr_equal(ca_leaf(ca, STR("a.example")), first);
    assert_ptr_not_equal(ca_leaf(ca, STR("b.example")), first);
    ca_destroy(ca);
}

static void a_leaf_fits_the_shared_key(void **state)
{
    struct ca *ca = make("Root");

    (void)state;
    assert_int_equal(X509_check_private_key(ca_leaf(ca, STR("a.example")), ca_leaf_key(ca)), 1);
    ca_destroy(ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_verifies_for_its_own_name_alone),
        cmocka_unit_test(a_stranger_with_the_same_name_is_not_trusted),
        cmocka_unit_test(a_leaf_is_made_once),
        cmocka_unit_test(a_leaf_fits_the_shared_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
