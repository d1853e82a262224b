/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * web_tls: the certificate that the web server shows, and its key, read and tried before anybody
 * asks: libmicrohttpd says no more than that it did not start.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* What libmicrohttpd is to offer: TLS 1.2 and 1.3. */
#define WEB_TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct web_tls;

/* Files in PEM; the chain follows its certificate, and the key has no passphrase. */
int web_tls_load(const char *cert_path, const char *key_path, struct web_tls **ret_tls,
                 struct err *err);
void web_tls_destroy(struct web_tls *t); /* NULL is fine */

/* As they are in the files, terminated. */
const char *web_tls_cert(const struct web_tls *t);
const char *web_tls_key(const struct web_tls *t);
/* Whether the certificate is for that host. `tls` is a struct web_tls. */
bool web_tls_certifies(const void *tls, struct str host);
