/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * credentials: who may use the proxy, when not everybody may: a file of USER:HASH lines, the hashes
 * as `openssl passwd -6` writes them ($6$, and $5$; crypt(3)).
 *
 * The table is immutable once read, counted by its holders, and shared by all threads. Each thread
 * has its own checker. To verify a password costs milliseconds on purpose, so a checker remembers
 * those that were right (a keyed hash of each, never the password), and computes few others a
 * second: past that it says LATER. Then strangers who guess cannot occupy the loop.
 */
#pragma once

#include "base/err.h"

struct credentials;

enum {
    CREDENTIALS_MAX = 4096,           /* users in a file */
    CREDENTIALS_FILE_BYTES = 1 << 20, /* of it */
    CREDENTIALS_ROUNDS_MAX = 10000,   /* of a hash: some 10 ms of the loop */
    CREDENTIALS_HASHES_A_SECOND = 4,  /* of one checker; as many at once */
    CREDENTIALS_PASSWORD_BYTES_MAX = 256,
};

/* A negative errno and a sentence, with FILE:LINE, when it cannot be read. */
int credentials_open(const char *path, struct credentials **ret_credentials, struct err *err);
/* The same of a file's bytes; the sentence calls it `name`. */
int credentials_parse(const char *name, struct str bytes, struct credentials **ret_credentials,
                      struct err *err);
/* The hash whose salt and rounds this user's passwords are hashed with: its own, or another's. */
const char *credentials_setting(const struct credentials *c, struct str name);
struct credentials *credentials_ref(struct credentials *c); /* another holder; any thread */
void credentials_unref(struct credentials *c); /* the last one frees it; NULL is fine */

enum credentials_verdict {
    CREDENTIALS_OK,
    CREDENTIALS_WRONG, /* 407, or SOCKS5's failure */
    CREDENTIALS_LATER, /* too many attempts just now: 503 */
};

struct checker;

struct checker *checker_create(struct credentials *c); /* holds c too */
void checker_destroy(struct checker *k);               /* NULL is fine */
/* Another table. Who was verified still is, where the hash is the same: a reload is no crowd. */
void checker_use(struct checker *k, struct credentials *c);

/* The value of Proxy-Authorization: "Basic …" (RFC 7617). Any other scheme, or none, is WRONG. */
enum credentials_verdict checker_basic(struct checker *k, struct str value, uint64_t now_us);
enum credentials_verdict checker_password(struct checker *k, struct str user, struct str password,
                                          uint64_t now_us);
