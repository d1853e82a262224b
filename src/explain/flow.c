/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "explain/flow.h"

#include "base/host_pattern.h"

const char *const told_names[TOLD_KINDS + 1] = {
    [TOLD_DENY] = "deny",     [TOLD_BLOCK] = "block",       [TOLD_THROTTLE] = "throttle",
    [TOLD_DELAY] = "delay",   [TOLD_UPSTREAM] = "upstream", [TOLD_PORT] = "port",
    [TOLD_CLIENT] = "client",
};

bool told_named(struct str name, enum told *ret_told)
{
    for (unsigned i = 0; i < TOLD_KINDS; i++)
        if (str_eq(str_of(told_names[i]), name)) {
            *ret_told = (enum told)i;
            return true;
        }
    return false;
}

static bool is_address(struct str host)
{
    bool colon = false, digits = host.n > 0;

    for (size_t i = 0; i < host.n; i++) {
        colon |= host.p[i] == ':';
        digits &= host.p[i] == '.' || (host.p[i] >= '0' && host.p[i] <= '9');
    }
    return colon || digits;
}

bool flow_says_host(const struct obs *opened)
{
    return !is_address(opened->host) || opened->how == HOW_CONNECT || opened->how == HOW_ABSOLUTE;
}

static bool any_host(const struct strs *patterns, struct str host)
{
    for (size_t i = 0; i < patterns->n; i++)
        if (host_pattern_fits(patterns->v[i], host))
            return true;
    return false;
}

static bool any_service(const struct strs *services, const struct endpoint *e)
{
    for (size_t i = 0; e && i < services->n; i++)
        if (str_eq(services->v[i], e->service))
            return true;
    return false;
}

static bool agrees(enum yes_no wanted, bool is)
{
    return wanted == EITHER || (wanted == YES) == is;
}

bool selector_takes_host(const struct selector *s, const struct host *host)
{
    const struct endpoint *e = host->endpoint;

    if (s->hosts.n && !any_host(&s->hosts, host->name))
        return false;
    if (s->services.n && !any_service(&s->services, e))
        return false;
    if (s->host_regex && !pattern_match(s->host_regex, host->name, NULL))
        return false;
    return agrees(s->required, e && e->required == REQUIRED_YES) &&
           agrees(s->no_inspection, e && e->inspection_unsupported);
}

bool selector_takes_flow(const struct selector *s, const struct flow *flow,
                         struct captures *captures)
{
    if (!agrees(s->plain, flow_is_plain(flow)))
        return false;
    if (s->url && (!flow->url || !pattern_match(s->url, str_of(flow->url), captures)))
        return false;
    if (s->user_agent &&
        (!flow->user_agent || !pattern_match(s->user_agent, str_of(flow->user_agent), captures)))
        return false;
    if (s->except && selector_takes_host(s->except, flow->host) &&
        selector_takes_flow(s->except, flow, NULL))
        return false;
    if (s->host_regex && captures)
        pattern_match(s->host_regex, flow->host->name, captures);
    return true;
}
