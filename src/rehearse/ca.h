/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ca: a certificate authority made on the spot, for a rehearsal's servers.
 *
 * All keys are P-256. The leaves share one key: it makes a leaf cheap (a quarter of a millisecond),
 * and here nobody has to be kept from anybody. A leaf is made when its host is first asked for, and
 * kept. Nothing is written to disk, and nothing outside the process trusts any of it.
 */
#pragma once

#include "base/err.h"

#include <openssl/x509.h>

struct ca;

/* name: what stands as the issuer in the certificates. */
int ca_create(const char *name, struct ca **ret_ca, struct err *err);
void ca_destroy(struct ca *ca);

/* All borrowed; they live as long as the ca. */
X509 *ca_root(const struct ca *ca);
EVP_PKEY *ca_leaf_key(const struct ca *ca);
X509 *ca_leaf(struct ca *ca, struct str host); /* NULL: OpenSSL could not make one */
