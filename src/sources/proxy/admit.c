/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/admit.h"

#include "sources/proxy/private.h"

enum { SYSTEM_PORTS = 1024 }; /* below it each is some service's (RFC 6335, section 6) */

static void observe_rule(struct client *c, const char *type, struct str text)
{
    flow_put(&c->flow, &(struct obs){.kind = OBS_RULE_APPLIED, .type = str_of(type), .text = text});
}

/* Longer than a name can be: it would be cut where it is resolved. */
static bool is_host(struct str host, struct refusal *ret_refusal)
{
    if (host.n <= HOST_MAX)
        return true;
    refusal_set(ret_refusal, 400, WHY_BAD_REQUEST, "the host's name is longer than %u bytes",
                (unsigned)HOST_MAX);
    return false;
}

static bool is_known(struct client *c, struct refusal *ret_refusal)
{
    char text[ADDRESS_TEXT];

    if (rules_serve(c->worker->rules, client_address(c)))
        return true;
    address_text(client_address(c), text);
    observe_rule(c, "client", STR("allow"));
    refusal_set(ret_refusal, 403, WHY_REFUSED,
                "%s is not served: its address is not private, and no --allow holds it", text);
    return false;
}

static bool has_credentials(struct client *c, const struct wish *wish, struct refusal *ret_refusal)
{
    struct worker *w = c->worker;

    if (!w->checker || wish->logged_in)
        return true;
    switch (checker_basic(w->checker, wish->authorization, loop_now_us(w->loop))) {
    case CREDENTIALS_OK:
        return true;
    case CREDENTIALS_WRONG:
        refusal_set(ret_refusal, 407, WHY_AUTHENTICATION, "this proxy wants credentials");
        ret_refusal->challenge = "Basic realm=\"flightstrip\", charset=\"UTF-8\"";
        return false;
    case CREDENTIALS_LATER:
        break;
    }
    refusal_of_password_later(ret_refusal);
    return false;
}

/* The rehearsal's own proxy in the way: it stands for somebody else's, so it is not told as a rule.
 */
static bool hook_lets_pass(struct client *c, struct str host, struct refusal *ret_refusal)
{
    const struct proxy *p = c->worker->proxy;
    char lower[HOST_MAX];
    unsigned status = p->refuse ? p->refuse(p->refuse_ctx, host_lower(host, lower)) : 0;

    if (status == 407)
        refusal_set(ret_refusal, status, WHY_AUTHENTICATION, "this proxy wants credentials");
    else if (status)
        refusal_set(ret_refusal, status, WHY_BLOCKED, STR_FMT " is blocked",
                    STR_ARG(str_head(host, HOST_MAX)));
    return !status;
}

/* Where --connect-to leads is meant, whatever its port. */
static bool is_meant(const struct proxy *p, struct str host, uint16_t port)
{
    return connect_to_apply(p->connect_to, p->connect_to_count, &host, &port);
}

/* What a plain request says to another service may be a command there: to a mail server, say. */
static bool is_http_port(uint16_t port)
{
    return port == 80 || port >= SYSTEM_PORTS;
}

static bool may_go_to_port(struct client *c, const struct wish *wish, struct refusal *ret_refusal)
{
    char says[RULES_SAYS];

    if ((!wish->tunnels && is_http_port(wish->port)) ||
        rules_go_to_port(c->worker->rules, wish->port, says) ||
        is_meant(c->worker->proxy, wish->host, wish->port))
        return true;
    observe_rule(c, "port", STR("ports"));
    refusal_set(ret_refusal, 403, WHY_REFUSED, STR_FMT ":%u is refused: flightstrip %s",
                STR_ARG(str_head(wish->host, HOST_MAX)), wish->port, says);
    return false;
}

static bool is_allowed(struct client *c, struct str host, const struct host_rules *rules,
                       struct refusal *ret_refusal)
{
    const struct host_rule *rule = rules->deny ? rules->deny : rules->block;

    if (!rule)
        return true;
    observe_rule(c, rules->deny ? "deny" : "block", rule->text);
    refusal_set(ret_refusal, 403, rules->deny ? WHY_REFUSED : WHY_BLOCKED,
                STR_FMT " is %s: flightstrip was told so (" STR_FMT ")",
                STR_ARG(str_head(host, HOST_MAX)), rules->deny ? "refused" : "blocked",
                STR_ARG(str_head(rule->text, HOST_MAX)));
    return false;
}

static void apply(struct client *c, const struct host_rules *rules, struct admission *ret_admission)
{
    if (rules->delay) {
        ret_admission->delay_us = rules->delay->delay_us;
        observe_rule(c, "delay", rules->delay->text);
    }
    if (rules->throttle) {
        ret_admission->bytes_a_second = rules->throttle->bytes_a_second;
        observe_rule(c, "throttle", rules->throttle->text);
    }
    if (rules->upstream && rules->upstream->upstream) {
        ret_admission->upstream = rules->upstream->upstream;
        observe_rule(c, "upstream", rules->upstream->text);
    }
}

bool admit(struct client *c, const struct wish *wish, struct admission *ret_admission,
           struct refusal *ret_refusal)
{
    struct host_rules rules;

    *ret_admission = (struct admission){0};
    if (!is_host(wish->host, ret_refusal) || !is_known(c, ret_refusal) ||
        !has_credentials(c, wish, ret_refusal) || !hook_lets_pass(c, wish->host, ret_refusal) ||
        !may_go_to_port(c, wish, ret_refusal))
        return false;
    rules_for_host(c->worker->rules, wish->host, &rules);
    if (!is_allowed(c, wish->host, &rules, ret_refusal))
        return false;
    apply(c, &rules, ret_admission);
    return true;
}

struct dial_target admission_target(const struct admission *a, struct str host, uint16_t port)
{
    if (a->upstream)
        return (struct dial_target){.host = a->upstream->host,
                                    .port = a->upstream->port,
                                    .meant = true,
                                    .delay_us = a->delay_us};
    return (struct dial_target){.host = host, .port = port, .delay_us = a->delay_us};
}
