/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/address.h"

#include <arpa/inet.h>
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

struct str address_text(const struct sockaddr_storage *a, char text[static ADDRESS_TEXT])
{
    const void *bytes = a->ss_family == AF_INET
                            ? (const void *)&((const struct sockaddr_in *)a)->sin_addr
                            : (const void *)&((const struct sockaddr_in6 *)a)->sin6_addr;

    text[0] = '\0';
    inet_ntop(a->ss_family, bytes, text, ADDRESS_TEXT);
    return str_of(text);
}

struct str address_port_text(const struct sockaddr_storage *a, char text[static ADDRESS_TEXT])
{
    char plain[ADDRESS_TEXT];

    address_text(a, plain);
    snprintf(text, ADDRESS_TEXT, a->ss_family == AF_INET ? "%.45s:%u" : "[%.45s]:%u", plain,
             address_port(a));
    return str_of(text);
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
