/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/rules.h"

#include "base/file.h"
#include "sources/proxy/address.h"
#include "sources/proxy/policy.h"
#include "sources/proxy/rules_build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* --- from the command line -------------------------------------------------------------------- */

static int complain(struct err *err, const char *option, const char *text, const char *complaint)
{
    return complaint ? err_set(err, -EINVAL, "--%s '%s': %s", option, text, complaint) : 0;
}

/* PATTERN or PATTERN=VALUE */
static const char *take_host(struct rules *r, enum rule_sort sort, struct str text)
{
    struct str pattern = str_cut(&text, '=');

    return rules_host(r, sort, pattern, text);
}

static int take_hosts(struct rules *r, enum rule_sort sort, const struct rules_texts *texts,
                      struct err *err)
{
    int n = 0;

    for (size_t i = 0; n == 0 && i < texts->n; i++)
        n = complain(err, rule_sort_name(sort), texts->at[i],
                     take_host(r, sort, str_of(texts->at[i])));
    return n;
}

static int take_each(struct rules *r, const char *option, const struct rules_texts *texts,
                     const char *(*take)(struct rules *r, struct str text), struct err *err)
{
    int n = 0;

    for (size_t i = 0; n == 0 && i < texts->n; i++)
        n = complain(err, option, texts->at[i], take(r, str_of(texts->at[i])));
    return n;
}

static int take_options(struct rules *r, const struct rules_options *options, struct err *err)
{
    const struct rules_texts *const hosts[RULE_SORTS] = {
        [RULE_DENY] = &options->deny,
        [RULE_BLOCK] = &options->block,
        [RULE_THROTTLE] = &options->throttle,
        [RULE_DELAY] = &options->delay,
        [RULE_UPSTREAM_FOR] = &options->upstream_for,
    };
    int n = take_each(r, "allow", &options->allow, rules_allow, err);

    if (n == 0)
        n = take_each(r, "ports", &options->ports, rules_ports, err);
    for (unsigned sort = 0; n == 0 && sort < RULE_SORTS; sort++)
        n = take_hosts(r, (enum rule_sort)sort, hosts[sort], err);
    if (n == 0 && options->upstream)
        n = complain(err, "upstream", options->upstream,
                     rules_upstream(r, str_of(options->upstream)));
    if (options->upstream_credentials)
        rules_credentials(r, str_of(options->upstream_credentials));
    return n;
}

/* --- from a policy file ----------------------------------------------------------------------- */

/* The first problem's first line; what it shows of the file follows that. */
static int say_problems(const struct yaml_doc *doc, struct err *err)
{
    struct str rest = buf_str(&doc->problems), first = {0};

    str_line(&rest, &first);
    if (doc->problem_count > 1)
        return err_set(err, -EINVAL, STR_FMT " (and %u more)", STR_ARG(first),
                       doc->problem_count - 1);
    return err_set(err, -EINVAL, STR_FMT, STR_ARG(first));
}

static int take_policy(struct rules *r, const char *path, struct err *err)
{
    struct buf bytes;
    int n;

    buf_init(&bytes, RULES_POLICY_BYTES);
    n = file_read(path, &bytes, NULL, err);
    if (n == 0) {
        struct yaml_doc *doc = yaml_parse(str_of(path), buf_str(&bytes));

        rules_load(r, doc);
        if (doc->problem_count)
            n = say_problems(doc, err);
        yaml_destroy(doc);
    }
    buf_finish(&bytes);
    return n;
}

/* --- holding ---------------------------------------------------------------------------------- */

int rules_create(const struct rules_options *options, struct rules **ret_rules, struct err *err)
{
    struct rules *r = rules_new();
    int n = options->policy ? take_policy(r, options->policy, err) : 0;

    if (n == 0)
        n = take_options(r, options, err);
    if (n == 0)
        n = rules_build(r, err);
    if (n < 0) {
        rules_unref(r);
        return n;
    }
    *ret_rules = r;
    return 0;
}

struct rules *rules_ref(struct rules *r)
{
    atomic_fetch_add_explicit(&r->holders, 1, memory_order_relaxed);
    return r;
}

void rules_unref(struct rules *r)
{
    if (!r || atomic_fetch_sub_explicit(&r->holders, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < RULE_SORTS; i++)
        host_table_destroy(r->tables[i]);
    arena_destroy(r->arena);
    free(r);
}

struct str rules_warning(const struct rules *r)
{
    return r->warning;
}

/* --- by address and port ---------------------------------------------------------------------- */

static bool is_allowed(const struct rules *r, const uint8_t address[16])
{
    for (size_t i = 0; i < r->allow_n; i++)
        if (cidr_contains(&r->allow[i], address))
            return true;
    return false;
}

bool rules_serve(const struct rules *r, const struct sockaddr_storage *client)
{
    uint8_t address[16];

    if (!r->allow_n)
        return policy_serves(client);
    policy_address(client, address);
    return is_allowed(r, address);
}

/* --allow names the clients too, so whoever gives it for a server has to name both. */
static void say_private(const struct rules *r, const struct sockaddr_storage *server,
                        const struct cidr *space, char says[static RULES_SAYS])
{
    char address[ADDRESS_TEXT];
    struct buf network;

    address_text(server, address);
    buf_init(&network, BUF_UNBOUNDED);
    cidr_put(&network, space);
    if (r->allow_n)
        snprintf(says, RULES_SAYS,
                 "does not relay to %s: it is private and in no network that --allow names; add "
                 "--allow " STR_FMT " or a part of it",
                 address, STR_ARG(buf_str(&network)));
    else
        snprintf(says, RULES_SAYS,
                 "does not relay to %s: it is private and in no network of this machine; start it "
                 "with --allow " STR_FMT " or a part of it, and with --allow for the clients",
                 address, STR_ARG(buf_str(&network)));
    buf_finish(&network);
}

/* The services of this machine are none of the devices' business, whatever their addresses are. */
static bool is_of_this_machine(struct networks *attached, const struct sockaddr_storage *server,
                               uint64_t now_us)
{
    uint8_t address[16], carried[16];

    policy_address(server, address);
    return networks_own(attached, address, now_us) ||
           (policy_carried(server, carried) && networks_own(attached, carried, now_us));
}

bool rules_relay_to(const struct rules *r, struct networks *attached,
                    const struct sockaddr_storage *server, uint64_t now_us,
                    char says[static RULES_SAYS])
{
    const char *refused = policy_refuses(server);
    const struct cidr *space;
    uint8_t address[16];

    if (refused) {
        snprintf(says, RULES_SAYS, "does not relay to %s addresses", refused);
        return false;
    }
    if (is_of_this_machine(attached, server, now_us)) {
        snprintf(says, RULES_SAYS,
                 "does not relay to this machine's own addresses; --connect-to names exceptions");
        return false;
    }
    space = policy_private(server, address);
    if (!space || (r->allow_n ? is_allowed(r, address) : networks_hold(attached, address, now_us)))
        return true;
    say_private(r, server, space, says);
    return false;
}

bool rules_go_to_port(const struct rules *r, uint16_t port, char says[static RULES_SAYS])
{
    if (rules_port_is_open(r, port))
        return true;
    if (r->ports_text.n)
        snprintf(says, RULES_SAYS,
                 "does not go to port %u; start it with --ports " STR_FMT ",%u to permit that",
                 port, STR_ARG(r->ports_text), port);
    else
        snprintf(says, RULES_SAYS, "does not go to port %u; add it to --ports to permit that",
                 port);
    return false;
}

/* --- by host ---------------------------------------------------------------------------------- */

static const struct host_rule *find(const struct rules *r, enum rule_sort sort, struct str host)
{
    const struct host_table *t = r->tables[sort];

    return host_table_count(t) ? host_table_match(t, host) : NULL;
}

void rules_for_host(const struct rules *r, struct str host, struct host_rules *ret_rules)
{
    const struct host_rule *upstream = find(r, RULE_UPSTREAM_FOR, host);

    *ret_rules = (struct host_rules){
        .deny = find(r, RULE_DENY, host),
        .block = find(r, RULE_BLOCK, host),
        .throttle = find(r, RULE_THROTTLE, host),
        .delay = find(r, RULE_DELAY, host),
        .upstream = upstream ? upstream : r->upstream,
    };
}
