/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes are a policy file. What it says is kept or complained of, at a place in the file; and
 * what was kept holds for hosts, addresses and ports as rules.h promises. The credentials that it
 * names are not read: a fuzzer opens no files.
 */
#include "sources/proxy/rules_build.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

static const char *const hosts[] = {"a.test", "b.a.test", "login.test", "192.0.2.7", "::1",
                                    "x",      ""};

static void check_text(const struct host_rule *rule, const char *sort)
{
    if (!rule)
        return;
    assert(str_starts(rule->text, str_of(sort)));
    for (size_t i = 0; i < rule->text.n; i++)
        assert((uint8_t)rule->text.p[i] >= ' ' && rule->text.p[i] != 0x7f);
}

static void look_up(const struct rules *r, struct str host)
{
    struct host_rules of;

    rules_for_host(r, host, &of);
    check_text(of.deny, "deny ");
    check_text(of.block, "block ");
    check_text(of.throttle, "throttle ");
    check_text(of.delay, "delay ");
    check_text(of.upstream, "upstream");
    assert(!of.throttle || (of.throttle->bytes_a_second > 0 &&
                            of.throttle->bytes_a_second <= UINT64_C(1000000000000)));
    assert(!of.delay || (of.delay->delay_us > 0 && of.delay->delay_us <= UINT64_C(600000000)));
    assert(!of.upstream || !of.upstream->upstream ||
           (of.upstream->upstream->host.n && of.upstream->upstream->port));
}

static size_t no_networks(void *ctx, struct attachment *ret_attachments)
{
    (void)ctx, (void)ret_attachments;
    return 0;
}

/* Loopback stays shut, whatever a file allows. */
static void reach_loopback(const struct rules *r)
{
    struct networks *attached = networks_create(no_networks, NULL);
    struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_storage server = {0};
    char says[RULES_SAYS] = "";

    memcpy(&server, &loopback, sizeof loopback);
    assert(!rules_relay_to(r, attached, &server, 0, says) && *says);
    rules_serve(r, &server);
    networks_destroy(attached);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yaml_doc *doc = yaml_parse(STR("policy.yaml"), str_from(data, size));
    struct rules *r = rules_new();
    char says[RULES_SAYS];

    rules_load(r, doc);
    assert((doc->problem_count == 0) == (doc->problems.n == 0));
    r->credentials = (struct str){0};
    assert(rules_build(r, NULL) == 0);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        look_up(r, str_of(hosts[i]));
    reach_loopback(r);
    assert(!rules_go_to_port(r, 0, says));
    rules_unref(r);
    yaml_destroy(doc);
    return 0;
}
