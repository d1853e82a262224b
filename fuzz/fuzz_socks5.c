/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client of SOCKS 5, from its greeting on: the messages one after the other, the login when it
 * offers one. No read takes more than there is, and what it says does not change with what follows.
 */
#include "wire/socks5.h"

#include <assert.h>
#include <string.h>

enum message { GREETING, LOGIN, REQUEST };

/* Reads one message, and writes what was read as text. */
static enum parsed read_message(enum message message, struct str bytes, struct buf *out,
                                size_t *ret_taken)
{
    struct socks5_greeting greeting;
    struct socks5_login login;
    struct socks5_request request;
    enum socks5_status status = SOCKS5_GRANTED;
    const char *why = "";
    enum parsed parsed = PARSED_ODD;

    if (message == GREETING) {
        parsed = socks5_read_greeting(bytes, &greeting, ret_taken, &why);
        if (parsed == PARSED_DONE)
            buf_printf(out, "%d%d", greeting.offers_no_login, greeting.offers_password);
    } else if (message == LOGIN) {
        parsed = socks5_read_login(bytes, &login, ret_taken, &why);
        if (parsed == PARSED_DONE)
            buf_printf(out, "%zu,%zu", login.user.n, login.password.n);
    } else {
        parsed = socks5_read_request(bytes, &request, ret_taken, &status, &why);
        if (parsed == PARSED_DONE) {
            struct str host = str_of(request.host);

            assert(host.n && host.n <= HOST_MAX && request.port);
            for (size_t i = 0; i < host.n; i++)
                assert((uint8_t)host.p[i] > ' ' && host.p[i] != 0x7f);
            buf_printf(out, "%d %s %d", request.command, request.host, request.port);
        }
        assert(parsed != PARSED_ODD || status != SOCKS5_GRANTED);
    }
    assert(parsed != PARSED_ODD || *why);
    assert(parsed != PARSED_MORE || bytes.n < SOCKS5_MESSAGE_MAX);
    return parsed;
}

/* With fewer bytes it waits, and with these alone it says the same. */
static void read_again(enum message message, struct str bytes, const struct buf *said)
{
    struct buf again;
    size_t taken = 0;

    buf_init(&again, BUF_UNBOUNDED);
    for (size_t n = 0; n < bytes.n; n++)
        assert(read_message(message, str_head(bytes, n), &again, &taken) == PARSED_MORE);
    assert(read_message(message, bytes, &again, &taken) == PARSED_DONE && taken == bytes.n);
    assert(str_eq(buf_str(&again), buf_str(said)));
    buf_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = str_from(data, size);
    struct buf said;
    size_t taken = 0;

    buf_init(&said, BUF_UNBOUNDED);
    for (enum message m = GREETING; m <= REQUEST; m++) {
        buf_clear(&said);
        if (m == LOGIN && !(bytes.n && bytes.p[0] == 1))
            continue;
        if (read_message(m, bytes, &said, &taken) != PARSED_DONE)
            break;
        assert(taken && taken <= bytes.n);
        read_again(m, str_head(bytes, taken), &said);
        bytes = str_skip(bytes, taken);
    }
    buf_finish(&said);
    return 0;
}
