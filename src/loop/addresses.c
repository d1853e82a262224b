/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "loop/addresses.h"

#include <arpa/inet.h>
#include <string.h>

int family_number(enum family family)
{
    return family == FAMILY_V6 ? AF_INET6 : AF_INET;
}

enum family family_other(enum family family)
{
    return family == FAMILY_V6 ? FAMILY_V4 : FAMILY_V6;
}

void addresses_add(struct addresses *a, enum family family, const void *bytes)
{
    size_t i = a->count[family];

    if (i == ADDRESSES_MAX)
        return;
    if (family == FAMILY_V6)
        memcpy(&a->v6[i], bytes, sizeof a->v6[i]);
    else
        memcpy(&a->v4[i], bytes, sizeof a->v4[i]);
    a->count[family]++;
}

void addresses_add_all(struct addresses *a, const struct addresses *more)
{
    for (size_t i = 0; i < more->count[FAMILY_V6]; i++)
        addresses_add(a, FAMILY_V6, &more->v6[i]);
    for (size_t i = 0; i < more->count[FAMILY_V4]; i++)
        addresses_add(a, FAMILY_V4, &more->v4[i]);
}

bool addresses_add_literal(struct addresses *a, const char *literal)
{
    struct in6_addr v6;
    struct in_addr v4;

    if (inet_pton(AF_INET, literal, &v4) == 1)
        addresses_add(a, FAMILY_V4, &v4);
    else if (inet_pton(AF_INET6, literal, &v6) == 1)
        addresses_add(a, FAMILY_V6, &v6);
    else
        return false;
    return true;
}

struct sockaddr_storage addresses_at(const struct addresses *a, enum family family, size_t i)
{
    struct sockaddr_storage address = {.ss_family = (sa_family_t)family_number(family)};

    if (family == FAMILY_V6)
        ((struct sockaddr_in6 *)&address)->sin6_addr = a->v6[i];
    else
        ((struct sockaddr_in *)&address)->sin_addr = a->v4[i];
    return address;
}
