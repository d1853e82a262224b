/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "explain/flow.h"

#include "base/host_pattern.h"

const char *const flow_failure_names[FAILURES + 1] = {
    [FAILURE_NONE] = "none",           [FAILURE_NAME] = "name",
    [FAILURE_CONNECT] = "connect",     [FAILURE_BLOCKED] = "blocked",
    [FAILURE_AUTH] = "authentication", [FAILURE_PROXY] = "proxy",
    [FAILURE_UPSTREAM] = "upstream",   [FAILURE_NO_UPSTREAM] = "no-upstream",
    [FAILURE_RESET] = "reset",         [FAILURE_HANDSHAKE] = "handshake",
    [FAILURE_SILENT] = "silent",       [FAILURE_TOLD] = "told",
    [FAILURE_SLOWED] = "slowed",
};

const char *flow_failure_says(enum flow_failure f)
{
    static const char *const says[FAILURES] = {
        [FAILURE_NONE] = "nothing is known to have gone wrong",
        [FAILURE_NAME] = "its name could not be resolved",
        [FAILURE_CONNECT] = "the server could not be reached",
        [FAILURE_BLOCKED] = "a proxy refused it",
        [FAILURE_AUTH] = "a proxy asked the device for credentials",
        [FAILURE_PROXY] = "a proxy could not pass it on",
        [FAILURE_UPSTREAM] = "the upstream proxy did not pass it on",
        [FAILURE_NO_UPSTREAM] = "the upstream proxy gave no answer",
        [FAILURE_RESET] = "the connection was reset after the device named the server",
        [FAILURE_HANDSHAKE] = "the device refused what the server showed in the TLS handshake",
        [FAILURE_SILENT] = "the server never answered",
        [FAILURE_TOLD] = "flightstrip was told to refuse it",
        [FAILURE_SLOWED] = "flightstrip was told to slow it down, and it was given up",
    };

    return says[f];
}

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
