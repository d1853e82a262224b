/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct sockaddr_in *v4(struct sockaddr_storage *a)
{
    return (struct sockaddr_in *)a;
}

static struct sockaddr_in6 *v6(struct sockaddr_storage *a)
{
    return (struct sockaddr_in6 *)a;
}

void address_unmap(struct sockaddr_storage *a)
{
    if (a->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&v6(a)->sin6_addr))
        return;

    struct sockaddr_in plain = {.sin_family = AF_INET, .sin_port = v6(a)->sin6_port};
    memcpy(&plain.sin_addr, v6(a)->sin6_addr.s6_addr + 12, sizeof plain.sin_addr);
    *a = (struct sockaddr_storage){0};
    memcpy(a, &plain, sizeof plain);
}

socklen_t address_bytes(const struct sockaddr_storage *a)
{
    return a->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

uint16_t address_port(const struct sockaddr_storage *a)
{
    return ntohs(a->ss_family == AF_INET ? ((const struct sockaddr_in *)a)->sin_port
                                         : ((const struct sockaddr_in6 *)a)->sin6_port);
}

void address_set_port(struct sockaddr_storage *a, uint16_t port)
{
    if (a->ss_family == AF_INET)
        v4(a)->sin_port = htons(port);
    else
        v6(a)->sin6_port = htons(port);
}

static char *put_number(char *at, unsigned n)
{
    if (n >= 10)
        at = put_number(at, n / 10);
    *at = (char)('0' + n % 10);
    return at + 1;
}

/* Every flow says its client's address, and inet_ntop takes its time. */
static char *put_v4(char *at, const struct in_addr *address)
{
    const uint8_t *bytes = (const void *)address;

    at = put_number(at, bytes[0]);
    for (int i = 1; i < 4; i++) {
        *at = '.';
        at = put_number(at + 1, bytes[i]);
    }
    return at;
}

static char *put_address(char *at, const struct sockaddr_storage *a)
{
    if (a->ss_family == AF_INET)
        return put_v4(at, &((const struct sockaddr_in *)a)->sin_addr);
    inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, at, INET6_ADDRSTRLEN);
    return at + strlen(at);
}

struct str address_text(const struct sockaddr_storage *a, char text[static ADDRESS_TEXT])
{
    char *end = put_address(text, a);

    *end = '\0';
    return str_from(text, (size_t)(end - text));
}

struct str address_port_text(const struct sockaddr_storage *a, char text[static ADDRESS_TEXT])
{
    bool is_v6 = a->ss_family != AF_INET;
    char *end = text;

    if (is_v6)
        *end++ = '[';
    end = put_address(end, a);
    if (is_v6)
        *end++ = ']';
    *end++ = ':';
    end = put_number(end, address_port(a));
    *end = '\0';
    return str_from(text, (size_t)(end - text));
}

bool address_parse(struct str literal, struct sockaddr_storage *ret_address)
{
    struct sockaddr_storage a = {0};
    char text[ADDRESS_TEXT];

    if (literal.n >= sizeof text || (literal.n && memchr(literal.p, '\0', literal.n)))
        return false;
    snprintf(text, sizeof text, STR_FMT, STR_ARG(literal));
    if (inet_pton(AF_INET, text, &v4(&a)->sin_addr) == 1)
        a.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &v6(&a)->sin6_addr) == 1)
        a.ss_family = AF_INET6;
    else
        return false;
    *ret_address = a;
    return true;
}

bool address_is_loopback(const struct sockaddr_storage *a)
{
    struct sockaddr_storage plain = *a;

    address_unmap(&plain);
    if (plain.ss_family == AF_INET)
        return ntohl(v4(&plain)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return plain.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6(&plain)->sin6_addr);
}

bool address_parse_listen(struct str text, struct str *ret_host, uint16_t *ret_port)
{
    size_t colon = str_rfind(text, ':');
    struct str digits = colon < text.n ? str_skip(text, colon + 1) : text, host = {0};
    uint64_t port;

    if (colon < text.n)
        host = str_head(text, colon);
    if (host.n > 1 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = str_skip(str_head(host, host.n - 1), 1);
    if (!str_to_u64(digits, &port) || port > UINT16_MAX)
        return false;
    *ret_host = host;
    *ret_port = (uint16_t)port;
    return true;
}
