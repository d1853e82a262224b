/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/connect_to.h"

#include <errno.h>

/* "NAME", "ADDR" or "[V6]" up to the next colon or the end; false: a bracket is not closed. */
static bool take_host(struct str *rest, struct str *ret_host)
{
    if (!rest->n || rest->p[0] != '[') {
        *ret_host = str_cut(rest, ':');
        return true;
    }

    size_t end = str_find(*rest, ']');
    if (end == rest->n || (end + 1 < rest->n && rest->p[end + 1] != ':'))
        return false;
    *ret_host = str_skip(str_head(*rest, end), 1);
    *rest = str_skip(*rest, end + 2);
    return true;
}

static bool take_port(struct str *rest, uint16_t *ret_port)
{
    struct str digits = str_cut(rest, ':');
    uint64_t port = 0;

    if (digits.n && (!str_to_u64(digits, &port) || !port || port > UINT16_MAX))
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

/* How many colons stand outside brackets: "a:1:b:" has three and an empty last field. */
static unsigned count_colons(struct str text)
{
    unsigned n = 0;
    bool inside = false;

    for (size_t i = 0; i < text.n; i++) {
        inside = text.p[i] == '[' || (inside && text.p[i] != ']');
        n += text.p[i] == ':' && !inside;
    }
    return n;
}

int connect_to_parse(struct str text, struct connect_to *ret_rule, struct err *err)
{
    struct connect_to rule = {0};
    struct str rest = text;

    if (count_colons(text) != 3 || !take_host(&rest, &rule.host) || !take_port(&rest, &rule.port) ||
        !take_host(&rest, &rule.to_host) || !take_port(&rest, &rule.to_port) || rest.n)
        return err_set(err, -EINVAL, "'" STR_FMT "': expected HOST:PORT:ADDR:PORT", STR_ARG(text));
    *ret_rule = rule;
    return 0;
}

bool connect_to_apply(const struct connect_to *rules, size_t n, struct str *host, uint16_t *port)
{
    for (size_t i = 0; i < n; i++) {
        const struct connect_to *rule = &rules[i];

        if ((rule->host.n && !str_ieq(rule->host, *host)) || (rule->port && rule->port != *port))
            continue;
        if (rule->to_host.n)
            *host = rule->to_host;
        if (rule->to_port)
            *port = rule->to_port;
        return rule->to_host.n;
    }
    return false;
}
