/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * socks5: what a SOCKS client says and is told (RFC 1928), and its name and password (RFC 1929).
 *
 *     client: greeting              the methods of authentication that it offers
 *     we:     choice                one of them, or none
 *     client: login                 after SOCKS5_PASSWORD alone
 *     we:     login status
 *     client: request               CONNECT, to an address or a name
 *     we:     reply                 and after SOCKS5_GRANTED the tunnel begins
 *
 * Each read takes one message off the beginning of what has come. DONE: *ret_taken is the number
 * of its bytes; what follows them is the next message, or the tunnel's. ODD: *ret_odd says why.
 * No message is longer than SOCKS5_MESSAGE_MAX, so with that many bytes no read says MORE.
 */
#pragma once

#include "base/buf.h"
#include "base/url.h" /* HOST_MAX */
#include "wire/parsed.h"

enum { SOCKS5_MESSAGE_MAX = 3 + 255 + 255 };

/* The first byte of a client's first message: no method of HTTP begins with either. */
enum { SOCKS4_VERSION = 4, SOCKS5_VERSION = 5 };

enum socks5_method { SOCKS5_NO_LOGIN = 0, SOCKS5_PASSWORD = 2, SOCKS5_NO_METHOD = 0xff };

struct socks5_greeting {
    bool offers_no_login, offers_password; /* further methods are passed over */
};

/* SOCKS 4 is ODD, and *ret_odd says that it is that; socks4_put_refusal is its answer. */
enum parsed socks5_read_greeting(struct str bytes, struct socks5_greeting *ret_greeting,
                                 size_t *ret_taken, const char **ret_odd);

struct socks5_login {
    struct str user, password; /* borrowed from the bytes */
};

enum parsed socks5_read_login(struct str bytes, struct socks5_login *ret_login, size_t *ret_taken,
                              const char **ret_odd);

enum socks5_command { SOCKS5_CONNECT = 1, SOCKS5_BIND = 2, SOCKS5_UDP_ASSOCIATE = 3 };

struct socks5_request {
    uint8_t command;         /* of enum socks5_command, or another */
    char host[HOST_MAX + 1]; /* a name, or the text of an address without brackets */
    uint16_t port;
};

/* RFC 1928, section 6: why a request is not granted. */
enum socks5_status {
    SOCKS5_GRANTED,
    SOCKS5_FAILED,
    SOCKS5_NOT_ALLOWED,
    SOCKS5_NETWORK_UNREACHABLE,
    SOCKS5_HOST_UNREACHABLE,
    SOCKS5_CONNECTION_REFUSED,
    SOCKS5_TTL_EXPIRED,
    SOCKS5_NO_SUCH_COMMAND,
    SOCKS5_NO_SUCH_ADDRESS_TYPE,
};

/* A name that is no host name, and port 0, are ODD. When it is ODD, *ret_status is the reply. */
enum parsed socks5_read_request(struct str bytes, struct socks5_request *ret_request,
                                size_t *ret_taken, enum socks5_status *ret_status,
                                const char **ret_odd);

void socks5_put_choice(struct buf *out, enum socks5_method method);
void socks5_put_login_status(struct buf *out, bool granted);
/* The address it was connected from is given as 0.0.0.0:0: a client of CONNECT has no use for it.
 */
void socks5_put_reply(struct buf *out, enum socks5_status status);
/* What a client of SOCKS 4 understands as a refusal. */
void socks4_put_refusal(struct buf *out);
