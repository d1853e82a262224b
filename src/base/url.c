/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/url.h"

#include <arpa/inet.h>
#include <string.h>

enum { NAME_MAX_BYTES = 40 }; /* of a name in a query; tokens are longer */

static const struct {
    struct str scheme;
    uint16_t port;
} default_ports[] = {
    {STR("http"), 80}, {STR("https"), 443}, {STR("ws"), 80}, {STR("wss"), 443}, {STR("ftp"), 21},
};

static uint16_t default_port(struct str scheme)
{
    for (size_t i = 0; i < sizeof default_ports / sizeof *default_ports; i++)
        if (str_ieq(default_ports[i].scheme, scheme))
            return default_ports[i].port;
    return 0;
}

static bool is_letter(char c)
{
    return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* RFC 3986, section 3.1. */
static bool is_scheme(struct str s)
{
    if (!s.n || !is_letter(s.p[0]))
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (!is_letter(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '+' && s.p[i] != '-' &&
            s.p[i] != '.')
            return false;
    return true;
}

static bool is_host(struct str s)
{
    static const struct str ends = STR("/?#@[]<>\"\\:");

    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] <= ' ' || s.p[i] == 0x7f || str_find(ends, s.p[i]) < ends.n)
            return false;
    return s.n && s.n <= HOST_MAX;
}

/* What stands between the brackets: an IPv6 address, perhaps with a zone (RFC 6874). */
static bool is_bracketed_host(struct str s)
{
    if (!s.n || s.n > HOST_MAX || str_find(s, ':') == s.n)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_letter(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != ':' && s.p[i] != '.' &&
            s.p[i] != '%' && s.p[i] != '-' && s.p[i] != '_')
            return false;
    return true;
}

static bool parse_port(struct str s, uint16_t missing, uint16_t *ret_port)
{
    uint64_t port = missing;

    if (s.n && (!str_to_u64(s, &port) || port > UINT16_MAX || !port))
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

bool authority_parse(struct str text, uint16_t missing_port, struct str *ret_host,
                     uint16_t *ret_port)
{
    struct str rest = text;

    if (text.n && text.p[0] == '[') {
        rest = str_skip(text, 1);

        size_t end = str_find(rest, ']');
        struct str host = str_cut(&rest, ']');
        if (end == text.n - 1 || !is_bracketed_host(host) || (rest.n && rest.p[0] != ':') ||
            !parse_port(str_skip(rest, 1), missing_port, ret_port))
            return false;
        *ret_host = host;
        return true;
    }

    struct str host = str_cut(&rest, ':');
    if (!is_host(host) || !parse_port(rest, missing_port, ret_port))
        return false;
    *ret_host = host;
    return true;
}

/* The index of the first byte of `s` that is one of `ends`, or s.n. */
static size_t find_any(struct str s, struct str ends)
{
    size_t at = s.n;

    for (size_t i = 0; i < ends.n; i++) {
        size_t found = str_find(str_head(s, at), ends.p[i]);
        at = found < at ? found : at;
    }
    return at;
}

/* Cuts "SCHEME://" and "AUTHORITY" off *rest; false when it does not begin so. */
static bool take_origin(struct str *rest, struct str *ret_scheme, struct str *ret_authority)
{
    size_t at = str_search(*rest, STR("://"));
    struct str scheme = str_head(*rest, at);

    if (at == rest->n || !is_scheme(scheme))
        return false;
    *rest = str_skip(*rest, at + 3);

    size_t n = find_any(*rest, STR("/?#"));
    *ret_scheme = scheme;
    *ret_authority = str_head(*rest, n);
    *rest = str_skip(*rest, n);
    return true;
}

static struct str without_user(struct str authority)
{
    size_t at = str_rfind(authority, '@');

    return at < authority.n ? str_skip(authority, at + 1) : authority;
}

bool url_parse(struct str text, struct url *ret_url)
{
    struct str rest = text, authority = {0};
    struct url url = {0};

    if (!take_origin(&rest, &url.scheme, &authority) ||
        !authority_parse(without_user(authority), default_port(url.scheme), &url.host, &url.port))
        return false;
    url.target = str_cut(&rest, '#');
    *ret_url = url;
    return true;
}

bool host_is_address(struct str host)
{
    char text[INET6_ADDRSTRLEN + 1];
    struct in6_addr address;
    size_t n = str_find(host, '%'); /* a zone is no part of the address */

    if (n >= sizeof text)
        return false;
    memcpy(text, n ? host.p : "", n);
    text[n] = '\0';
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

struct str address_without_port(struct str address)
{
    struct str host;
    uint16_t port;

    if (host_is_address(address) || !authority_parse(address, 0, &host, &port))
        return address;
    return host;
}

struct str host_undotted(struct str host)
{
    return host.n && host.p[host.n - 1] == '.' ? str_head(host, host.n - 1) : host;
}

static void lower(char *to, struct str host)
{
    for (size_t i = 0; i < host.n; i++)
        to[i] = ascii_lower(host.p[i]);
}

void host_put(struct buf *out, struct str host)
{
    struct str plain = host_undotted(host);
    char *at = buf_reserve(out, plain.n);

    if (!at)
        return;
    lower(at, plain);
    buf_wrote(out, plain.n);
}

struct str host_lower(struct str host, char text[static HOST_MAX])
{
    struct str plain = host_undotted(host);

    if (plain.n > HOST_MAX)
        return (struct str){0};
    lower(text, plain);
    return str_from(text, plain.n);
}

void authority_put(struct buf *out, struct str host, uint16_t port)
{
    bool is_v6 = str_find(host, ':') < host.n;

    buf_put_str(out, is_v6 ? STR("[") : STR(""));
    buf_put_str(out, host);
    buf_put_str(out, is_v6 ? STR("]:") : STR(":"));
    buf_put_u64(out, port);
}

static bool is_query_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_letter(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '_' && s.p[i] != '-' &&
            s.p[i] != '.' && s.p[i] != '$')
            return false;
    return s.n && s.n <= NAME_MAX_BYTES;
}

/* "dG9rZW4=" is padded base64 rather than a name without a value. */
static bool is_padding(struct str value)
{
    return str_eq(value, STR("")) || str_eq(value, STR("="));
}

static void put_redacted_query(struct buf *out, struct str query)
{
    while (query.n) {
        struct str value = str_cut(&query, '&');
        bool has_value = str_find(value, '=') < value.n;
        struct str name = str_cut(&value, '=');

        if (has_value && is_query_name(name) && !is_padding(value)) {
            buf_put_str(out, name);
            buf_put_byte(out, '=');
        }
        buf_put_byte(out, '*');
        if (query.n)
            buf_put_byte(out, '&');
    }
}

void url_put_redacted(struct buf *out, struct str url)
{
    struct str rest = url, scheme = {0}, authority = {0};

    if (take_origin(&rest, &scheme, &authority)) {
        buf_put_str(out, scheme);
        buf_put_str(out, STR("://"));
        buf_put_str(out, without_user(authority));
    }
    rest = str_cut(&rest, '#');

    bool has_query = str_find(rest, '?') < rest.n;
    buf_put_str(out, str_cut(&rest, '?'));
    if (has_query) {
        buf_put_byte(out, '?');
        put_redacted_query(out, rest);
    }
}
