/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/socks5.h"

#include "base/reader.h"

#include <arpa/inet.h>
#include <string.h>

enum { LOGIN_VERSION = 1, LOGIN_GRANTED = 0, LOGIN_REFUSED = 1 };
enum { ADDRESS_V4 = 1, ADDRESS_NAME = 3, ADDRESS_V6 = 4 };
enum { SOCKS4_REPLY = 0, SOCKS4_REJECTED = 91, SOCKS4_REPLY_BYTES = 8 };

static enum parsed odd(const char **ret_odd, const char *why)
{
    *ret_odd = why;
    return PARSED_ODD;
}

/* What a reader has taken, once it is known whether that was all there. */
static enum parsed whole(const struct reader *r, struct str bytes, size_t *ret_taken)
{
    if (r->bad)
        return PARSED_MORE;
    *ret_taken = bytes.n - r->rest.n;
    return PARSED_DONE;
}

enum parsed socks5_read_greeting(struct str bytes, struct socks5_greeting *ret_greeting,
                                 size_t *ret_taken, const char **ret_odd)
{
    struct reader r = reader_of(bytes);
    uint8_t version = reader_u8(&r);

    if (!r.bad && version == SOCKS4_VERSION)
        return odd(ret_odd, "this is SOCKS 4, which is not spoken here: use SOCKS 5");
    if (!r.bad && version != SOCKS5_VERSION)
        return odd(ret_odd, "this is not SOCKS 5");

    struct str methods = reader_take(&r, reader_u8(&r));
    *ret_greeting = (struct socks5_greeting){
        .offers_no_login = str_find(methods, SOCKS5_NO_LOGIN) < methods.n,
        .offers_password = str_find(methods, SOCKS5_PASSWORD) < methods.n,
    };
    return whole(&r, bytes, ret_taken);
}

enum parsed socks5_read_login(struct str bytes, struct socks5_login *ret_login, size_t *ret_taken,
                              const char **ret_odd)
{
    struct reader r = reader_of(bytes);
    uint8_t version = reader_u8(&r);

    if (!r.bad && version != LOGIN_VERSION)
        return odd(ret_odd, "this is not a name and password of SOCKS 5");
    ret_login->user = reader_take(&r, reader_u8(&r));
    ret_login->password = reader_take(&r, reader_u8(&r));
    return whole(&r, bytes, ret_taken);
}

/* A host name, or an address that a client sends as one. */
static bool read_name(struct str name, char ret_host[static HOST_MAX + 1])
{
    struct in6_addr v6;
    struct str host;
    uint16_t port;

    if (name.n > HOST_MAX || memchr(name.p, '\0', name.n))
        return false;
    memcpy(ret_host, name.p, name.n);
    ret_host[name.n] = '\0';
    return inet_pton(AF_INET6, ret_host, &v6) == 1 ||
           (str_find(name, ':') == name.n && authority_parse(name, 1, &host, &port));
}

/* False: the name cannot be one. A type that is not known has no length that could be read. */
static bool read_host(struct reader *r, uint8_t type, char ret_host[static HOST_MAX + 1])
{
    struct str bytes = reader_take(r, type == ADDRESS_V4   ? sizeof(struct in_addr)
                                      : type == ADDRESS_V6 ? sizeof(struct in6_addr)
                                                           : reader_u8(r));

    ret_host[0] = '\0';
    if (r->bad)
        return true;
    if (type == ADDRESS_NAME)
        return bytes.n && read_name(bytes, ret_host);
    inet_ntop(type == ADDRESS_V4 ? AF_INET : AF_INET6, bytes.p, ret_host, HOST_MAX + 1);
    return true;
}

enum parsed socks5_read_request(struct str bytes, struct socks5_request *ret_request,
                                size_t *ret_taken, enum socks5_status *ret_status,
                                const char **ret_odd)
{
    struct reader r = reader_of(bytes);
    uint8_t version = reader_u8(&r);

    *ret_status = SOCKS5_FAILED;
    if (!r.bad && version != SOCKS5_VERSION)
        return odd(ret_odd, "this is not a request of SOCKS 5");
    ret_request->command = reader_u8(&r);
    reader_u8(&r); /* reserved */

    uint8_t type = reader_u8(&r);
    if (!r.bad && type != ADDRESS_V4 && type != ADDRESS_NAME && type != ADDRESS_V6) {
        *ret_status = SOCKS5_NO_SUCH_ADDRESS_TYPE;
        return odd(ret_odd, "an address of SOCKS 5 is of IPv4, of IPv6, or a name");
    }
    if (!read_host(&r, type, ret_request->host))
        return odd(ret_odd, "the name that SOCKS 5 asks for is no host name");
    ret_request->port = reader_u16be(&r);
    if (!r.bad && !ret_request->port)
        return odd(ret_odd, "SOCKS 5 asks for port 0");
    return whole(&r, bytes, ret_taken);
}

void socks5_put_choice(struct buf *out, enum socks5_method method)
{
    buf_put_byte(out, SOCKS5_VERSION);
    buf_put_byte(out, (uint8_t)method);
}

void socks5_put_login_status(struct buf *out, bool granted)
{
    buf_put_byte(out, LOGIN_VERSION);
    buf_put_byte(out, granted ? LOGIN_GRANTED : LOGIN_REFUSED);
}

void socks5_put_reply(struct buf *out, enum socks5_status status)
{
    static const uint8_t no_address[4 + 2];

    buf_put_byte(out, SOCKS5_VERSION);
    buf_put_byte(out, (uint8_t)status);
    buf_put_byte(out, 0);
    buf_put_byte(out, ADDRESS_V4);
    buf_put(out, no_address, sizeof no_address);
}

void socks4_put_refusal(struct buf *out)
{
    static const uint8_t refusal[SOCKS4_REPLY_BYTES] = {SOCKS4_REPLY, SOCKS4_REJECTED};

    buf_put(out, refusal, sizeof refusal);
}
