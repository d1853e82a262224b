/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes are a file of users and hashes, and any bytes are what a client sends to be let in:
 * nobody is whose password was not there. Base64 has one way to write what it read.
 */
#include "base/base64.h"
#include "sources/proxy/credentials.h"

#include <assert.h>

static const char users[] = "anna:$5$s5$2B5.lLgLytpZaNOB.qnLiBXGGJSNQmTZWG8ot44eLZD\n";

static void read_base64(struct str text)
{
    struct buf bytes, again;

    buf_init(&bytes, BUF_UNBOUNDED);
    buf_init(&again, BUF_UNBOUNDED);
    if (base64_read(text, &bytes)) {
        base64_put(&again, buf_str(&bytes));
        assert(str_eq(buf_str(&again), text));
    }
    buf_clear(&again);
    base64_put(&again, text);
    buf_clear(&bytes);
    assert(base64_read(buf_str(&again), &bytes) && str_eq(buf_str(&bytes), text));
    buf_finish(&bytes);
    buf_finish(&again);
}

static void ask_to_be_let_in(struct checker *k, struct str credentials)
{
    struct buf value;

    buf_init(&value, BUF_UNBOUNDED);
    buf_put_str(&value, STR("Basic "));
    base64_put(&value, credentials);
    assert(checker_basic(k, buf_str(&value), 0) != CREDENTIALS_OK ||
           str_eq(credentials, STR("anna:five")));
    buf_finish(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct checker *k;
    struct str bytes = str_from(data, size);
    struct credentials *c = NULL;
    struct err err = {{0}};

    if (!k && credentials_parse("users", str_of(users), &c, &err) == 0) {
        k = checker_create(c);
        credentials_unref(c);
    }
    c = NULL;
    if (credentials_parse("users", bytes, &c, &err) == 0)
        credentials_unref(c);
    else
        assert(!c && str_starts(str_of(err.text), STR("users:")));
    read_base64(bytes);
    checker_basic(k, bytes, 0);
    ask_to_be_let_in(k, bytes);
    return 0;
}
