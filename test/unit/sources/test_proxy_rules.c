/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the proxy was told to do, on the command line and in a policy file. */
#include "sources/proxy/rules.h"

#include "base/err.h"
#include "sources/proxy/address.h"
#include "sources/proxy/policy.h"
#include "test/unit/store/scratch.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

#define TEXTS(...)                                                                                 \
    {                                                                                              \
        (const char *const[]){__VA_ARGS__},                                                        \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)                            \
    }

static struct rules *rules_of(const struct rules_options *options)
{
    struct rules *r = NULL;
    struct err err = {{0}};

    if (rules_create(options, &r, &err) < 0)
        fail_msg("%s", err.text);
    return r;
}

static void assert_refused(const struct rules_options *options, const char *says)
{
    struct rules *r = NULL;
    struct err err;

    assert_true(rules_create(options, &r, &err) < 0);
    assert_null(r);
    assert_string_equal(err.text, says);
}

static struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage a;

    assert_true(address_parse(str_of(text), &a));
    return a;
}

/* --- files ------------------------------------------------------------------------------------ */

/* A file that its owner alone can read. */
static const char *own_file(struct scratch *s, const char *name, const char *text)
{
    const char *path = scratch_write(s, name, str_of(text));

    assert_int_equal(chmod(path, 0600), 0);
    return path;
}

/* A policy file's error, without the folder before it. */
static void assert_policy_refused(struct scratch *s, const char *text, const char *says)
{
    struct rules_options options = {.policy = own_file(s, "policy.yaml", text)};
    struct rules *r = NULL;
    struct err err;

    assert_true(rules_create(&options, &r, &err) < 0);
    assert_true(str_starts(str_of(err.text), s->path));
    assert_string_equal(err.text + s->path.n + 1, says);
}

/* --- by address ------------------------------------------------------------------------------- */

/* First 192.168.7.1/24, then 10.9.0.1/16. */
static size_t read_one_network(void *ctx, struct attachment *ret_attachments)
{
    unsigned *reads = ctx;
    bool first = ++*reads == 1;
    struct sockaddr_storage own = address_of(first ? "192.168.7.1" : "10.9.0.1");

    policy_address(&own, ret_attachments->address);
    ret_attachments->bits = CIDR_V4_AT + (first ? 24 : 16);
    return 1;
}

static bool relays(const struct rules *r, struct networks *n, const char *to, uint64_t now_us)
{
    struct sockaddr_storage server = address_of(to);
    char says[RULES_SAYS];

    return rules_relay_to(r, n, &server, now_us, says);
}

static void without_allow_near_clients_are_served(void **state)
{
    static const struct {
        const char *client;
        bool served;
    } cases[] = {{"127.0.0.1", true}, {"192.168.3.4", true}, {"fe80::1", true}, {"8.8.8.8", false}};
    struct rules *r = rules_of(&(struct rules_options){0});

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sockaddr_storage client = address_of(cases[i].client);
        assert_int_equal(rules_serve(r, &client), cases[i].served);
    }
    rules_unref(r);
}

static void with_allow_its_networks_alone_are_served(void **state)
{
    static const struct {
        const char *client;
        bool served;
    } cases[] = {{"10.1.2.3", true},     {"::ffff:10.1.2.3", true}, {"203.0.113.9", true},
                 {"2001:db8::7", true},  {"192.168.3.4", false},    {"127.0.0.1", false},
                 {"2001:db9::7", false}, {"203.0.113.8", false}};
    struct rules *r = rules_of(
        &(struct rules_options){.allow = TEXTS("10.0.0.0/8", "203.0.113.9", "2001:db8::/32")});

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sockaddr_storage client = address_of(cases[i].client);
        assert_int_equal(rules_serve(r, &client), cases[i].served);
    }
    rules_unref(r);
}

static void without_allow_private_servers_are_those_of_attached_networks(void **state)
{
    unsigned reads = 0;
    struct networks *n = networks_create(read_one_network, &reads);
    struct rules *r = rules_of(&(struct rules_options){0});

    (void)state;
    assert_true(relays(r, n, "8.8.8.8", 0));
    assert_true(relays(r, n, "2606:4700::1111", 0));
    assert_true(relays(r, n, "192.168.7.9", 0));
    assert_true(relays(r, n, "64:ff9b::c0a8:709", 0)); /* the same, by NAT64 */
    assert_false(relays(r, n, "10.9.0.1", 0));
    assert_false(relays(r, n, "64:ff9b::a09:1", 0));
    assert_false(relays(r, n, "100.64.0.1", 0));
    assert_false(relays(r, n, "fd00::1", 0));
    assert_int_equal(reads, 1);
    networks_destroy(n);
    rules_unref(r);
}

static void attached_networks_are_read_again_but_not_often(void **state)
{
    unsigned reads = 0;
    struct networks *n = networks_create(read_one_network, &reads);
    struct rules *r = rules_of(&(struct rules_options){0});

    (void)state;
    assert_false(relays(r, n, "10.9.0.2", 1000));
    assert_false(relays(r, n, "10.9.0.2", 1000 + NETWORKS_READ_US - 1));
    assert_int_equal(reads, 1);
    assert_true(relays(r, n, "10.9.0.2", 1000 + NETWORKS_READ_US));
    assert_int_equal(reads, 2);
    networks_destroy(n);
    rules_unref(r);
}

static void this_machine_is_not_relayed_to(void **state)
{
    unsigned reads = 0;
    struct networks *n = networks_create(read_one_network, &reads);
    struct rules *r = rules_of(&(struct rules_options){.allow = TEXTS("0.0.0.0/0")});

    (void)state;
    assert_false(relays(r, n, "192.168.7.1", 0)); /* whatever is allowed */
    assert_false(relays(r, n, "::ffff:192.168.7.1", 0));
    assert_false(relays(r, n, "64:ff9b::c0a8:701", 0));
    assert_true(relays(r, n, "192.168.7.2", 0));
    assert_true(relays(r, n, "10.9.0.1", NETWORKS_READ_US - 1));
    assert_int_equal(reads, 1);
    assert_false(relays(r, n, "10.9.0.1", NETWORKS_READ_US)); /* it has it by now */
    assert_int_equal(reads, 2);
    networks_destroy(n);
    rules_unref(r);
}

static void with_allow_private_servers_are_those_of_its_networks(void **state)
{
    unsigned reads = 0;
    struct networks *n = networks_create(read_one_network, &reads);
    struct rules *r = rules_of(
        &(struct rules_options){.allow = TEXTS("10.0.0.0/16", "127.0.0.0/8", "169.254.0.0/16")});

    (void)state;
    assert_true(relays(r, n, "10.0.1.1", 0));
    assert_true(relays(r, n, "2002:a00:101::1", 0));
    assert_true(relays(r, n, "8.8.8.8", 0));
    assert_false(relays(r, n, "10.1.0.1", 0));
    assert_false(relays(r, n, "192.168.7.9", 0));
    assert_false(relays(r, n, "127.0.0.1", 0)); /* whatever is allowed */
    assert_false(relays(r, n, "169.254.169.254", 0));
    networks_destroy(n);
    rules_unref(r);
}

static void a_refusal_says_what_to_do(void **state)
{
    static const struct {
        const char *server, *says;
    } cases[] = {
        {"127.0.0.1", "does not relay to loopback addresses"},
        {"192.168.7.1", "does not relay to this machine's own addresses; --connect-to names "
                        "exceptions"},
        {"10.9.8.7", "does not relay to 10.9.8.7: it is private and in no network of this machine; "
                     "start it with --allow 10.0.0.0/8 or a part of it, and with --allow for the "
                     "clients"},
        {"100.64.0.1", "does not relay to 100.64.0.1: it is private and in no network of this "
                       "machine; start it with --allow 100.64.0.0/10 or a part of it, and with "
                       "--allow for the clients"},
    };
    unsigned reads = 0;
    struct networks *n = networks_create(read_one_network, &reads);
    struct rules *r = rules_of(&(struct rules_options){0});
    struct rules *strict = rules_of(&(struct rules_options){.allow = TEXTS("10.0.0.0/8")});
    struct sockaddr_storage server;
    char says[RULES_SAYS];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        server = address_of(cases[i].server);
        assert_false(rules_relay_to(r, n, &server, 0, says));
        assert_string_equal(says, cases[i].says);
    }
    server = address_of("fd00::1");
    assert_false(rules_relay_to(strict, n, &server, 0, says));
    assert_string_equal(says, "does not relay to fd00::1: it is private and in no network that "
                              "--allow names; add --allow fc00::/7 or a part of it");
    assert_false(rules_go_to_port(r, 25, says));
    assert_string_equal(says, "does not go to port 25; start it with --ports 80,443,3544,7680,25 "
                              "to permit that");
    networks_destroy(n);
    rules_unref(r);
    rules_unref(strict);
}

static void this_machines_networks_are_read(void **state)
{
    struct networks *n = networks_create(NULL, NULL);
    uint8_t address[16] = {[15] = 1};

    (void)state;
    assert_false(networks_hold(n, address, 0)); /* no network leads there */
    cidr_map_v4("\x7f\0\0\x01", address);
    assert_true(networks_own(n, address, 0));
    cidr_map_v4("\xc6\x33\x64\x01", address);
    assert_false(networks_own(n, address, 0));
    networks_destroy(n);
    networks_destroy(NULL);
}

/* --- by port ---------------------------------------------------------------------------------- */

static void what_would_permit_a_port_keeps_the_others(void **state)
{
    static const char many[] = "1,3,5,7,9,11,13,15,17,19,21,23,27,29,31,33,35,37,39,41,43,45,47,49,"
                               "51,53,55,57,59,61,63,65,67,69,71,73,75,77,79,81,83,85,87,89";
    const struct {
        struct rules_texts ports;
        const char *says;
    } cases[] = {
        {TEXTS("443"), "start it with --ports 443,25 to permit that"},
        {TEXTS("8443,9000-9100", "443"),
         "start it with --ports 443,8443,9000-9100,25 to permit that"},
        {TEXTS("26-65535,1-24"), "start it with --ports 1-24,26-65535,25 to permit that"},
        {TEXTS(many), "add it to --ports to permit that"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rules *r = rules_of(&(struct rules_options){.ports = cases[i].ports});
        char says[RULES_SAYS];

        assert_false(rules_go_to_port(r, 25, says));
        assert_true(str_starts(str_of(says), STR("does not go to port 25; ")));
        assert_string_equal(says + 24, cases[i].says);
        rules_unref(r);
    }
}

static void tunnels_go_to_the_ports_that_were_named(void **state)
{
    const struct {
        struct rules_texts ports;
        uint16_t port;
        bool open;
    } cases[] = {
        {{0}, 443, true},
        {{0}, 80, true},
        {{0}, 7680, true},
        {{0}, 3544, true},
        {{0}, 22, false},
        {{0}, 25, false},
        {{0}, 8443, false},
        {TEXTS("8443"), 8443, true},
        {TEXTS("8443"), 443, false},
        {TEXTS("443,8443,9000-9100"), 9000, true},
        {TEXTS("443,8443,9000-9100"), 9100, true},
        {TEXTS("443,8443,9000-9100"), 9101, false},
        {TEXTS("443", "8443"), 443, true},
        {TEXTS("443", "8443"), 8443, true},
        {TEXTS("443, 8443"), 8443, true},
        {TEXTS("any"), 1, true},
        {TEXTS("any"), 65535, true},
        {TEXTS("any"), 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rules *r = rules_of(&(struct rules_options){.ports = cases[i].ports});
        char says[RULES_SAYS];

        if (rules_go_to_port(r, cases[i].port, says) != cases[i].open)
            fail_msg("case %zu", i);
        rules_unref(r);
    }
}

/* --- by host ---------------------------------------------------------------------------------- */

static void assert_text(const struct host_rule *rule, const char *text)
{
    if (!rule || !text)
        assert_true(!rule && !text);
    else
        assert_true(str_eq(rule->text, str_of(text)));
}

static void the_most_specific_rule_of_each_sort_holds(void **state)
{
    struct rules *r = rules_of(&(struct rules_options){
        .deny = TEXTS("*.evil.test"),
        .block = TEXTS("*.events.test", "a.events.test"),
        .throttle = TEXTS("*=1MB", "*.slow.test=64kB", ".very.slow.test=512"),
        .delay = TEXTS("*.events.test=250ms"),
        .upstream = "http://proxy.test:3128",
        .upstream_for = TEXTS("*.events.test=direct", "b.events.test=http://[2001:db8::1]:8080/"),
    });
    struct host_rules of;

    (void)state;
    rules_for_host(r, STR("a.events.test"), &of);
    assert_text(of.deny, NULL);
    assert_text(of.block, "block a.events.test");
    assert_text(of.throttle, "throttle *=1MB");
    assert_text(of.delay, "delay *.events.test=250ms");
    assert_text(of.upstream, "upstream-for *.events.test=direct");
    assert_null(of.upstream->upstream);
    rules_for_host(r, STR("B.Events.Test."), &of);
    assert_text(of.block, "block *.events.test");
    assert_int_equal(of.delay->delay_us, 250000);
    assert_true(str_eq(of.upstream->upstream->host, STR("2001:db8::1")));
    assert_int_equal(of.upstream->upstream->port, 8080);
    rules_for_host(r, STR("x.very.slow.test"), &of);
    assert_text(of.throttle, "throttle .very.slow.test=512");
    assert_int_equal(of.throttle->bytes_a_second, 512);
    assert_text(of.upstream, "upstream http://proxy.test:3128");
    assert_true(str_eq(of.upstream->upstream->host, STR("proxy.test")));
    assert_int_equal(of.upstream->upstream->authorization.n, 0);
    rules_for_host(r, STR("www.evil.test"), &of);
    assert_text(of.deny, "deny *.evil.test");
    rules_unref(r);
}

static void without_rules_nothing_holds(void **state)
{
    struct rules *r = rules_of(&(struct rules_options){0});
    struct host_rules of;

    (void)state;
    rules_for_host(r, STR("a.test"), &of);
    assert_true(!of.deny && !of.block && !of.throttle && !of.delay && !of.upstream);
    assert_int_equal(rules_warning(r).n, 0);
    rules_unref(r);
    rules_unref(NULL);
}

static void times_and_rates_have_units(void **state)
{
    struct rules *r = rules_of(&(struct rules_options){
        .throttle = TEXTS("a=1.5MB", "b=64 kB", "c=7"),
        .delay = TEXTS("a=300", "b=2s", "c=1m30s"),
    });
    static const struct {
        const char *host;
        uint64_t rate, delay_us;
    } cases[] = {{"a", 1500000, 300000}, {"b", 64000, 2000000}, {"c", 7, 90000000}};
    struct host_rules of;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rules_for_host(r, str_of(cases[i].host), &of);
        assert_int_equal(of.throttle->bytes_a_second, cases[i].rate);
        assert_int_equal(of.delay->delay_us, cases[i].delay_us);
    }
    rules_unref(r);
}

static void what_the_command_line_says_wrong_is_named(void **state)
{
    const struct {
        struct rules_options options;
        const char *says;
    } cases[] = {
        {{.allow = TEXTS("10.0.0.0/8", "10.0.0.1/8")},
         "--allow '10.0.0.1/8': the address has bits set after the network's length"},
        {{.ports = TEXTS("443,x")},
         "--ports '443,x': expected ports such as 443,8443,9000-9100, or any"},
        {{.ports = TEXTS("")}, "--ports '': expected ports such as 443,8443,9000-9100, or any"},
        {{.ports = TEXTS("9100-9000")},
         "--ports '9100-9000': expected ports such as 443,8443,9000-9100, or any"},
        {{.ports = TEXTS("65536")},
         "--ports '65536': expected ports such as 443,8443,9000-9100, or any"},
        {{.ports = TEXTS("0")}, "--ports '0': expected ports such as 443,8443,9000-9100, or any"},
        {{.deny = TEXTS("https://a.test/")},
         "--deny 'https://a.test/': a host is a name alone, without https://, port or path"},
        {{.deny = TEXTS("")}, "--deny '': a host is expected here"},
        {{.block = TEXTS("a.test=1")}, "--block 'a.test=1': expected a host alone"},
        {{.throttle = TEXTS("a.test")},
         "--throttle 'a.test': expected a rate in bytes a second, such as 512, 64kB or 1.5MB"},
        {{.throttle = TEXTS("a.test=0")},
         "--throttle 'a.test=0': a rate of 0 would pass nothing: that is what block is for"},
        {{.throttle = TEXTS("a.test=2TB")},
         "--throttle 'a.test=2TB': a rate above 1 TB a second holds nothing up"},
        {{.delay = TEXTS("a.test=soon")},
         "--delay 'a.test=soon': expected a time, such as 300 (milliseconds), 250ms or 2s"},
        {{.delay = TEXTS("a.test=0")},
         "--delay 'a.test=0': expected a time, such as 300 (milliseconds), 250ms or 2s"},
        {{.delay = TEXTS("a.test=18446744073709551615")},
         "--delay 'a.test=18446744073709551615': expected a time, such as 300 (milliseconds), "
         "250ms or 2s"},
        {{.delay = TEXTS("a.test=11m")}, "--delay 'a.test=11m': a delay is of ten minutes at most"},
        {{.upstream = "proxy.test:3128"},
         "--upstream 'proxy.test:3128': expected another proxy as http://HOST:PORT"},
        {{.upstream = "https://proxy.test:3128"},
         "--upstream 'https://proxy.test:3128': expected another proxy as http://HOST:PORT"},
        {{.upstream = "http://proxy.test:3128/x"},
         "--upstream 'http://proxy.test:3128/x': expected another proxy as http://HOST:PORT"},
        {{.upstream = "direct"}, "--upstream 'direct': expected another proxy as http://HOST:PORT"},
        {{.upstream_for = TEXTS("a.test=http://u:p@proxy.test:3128")},
         "--upstream-for 'a.test=http://u:p@proxy.test:3128': a user and password do not belong "
         "here: give them in a file, as upstream-credentials"},
        {{.policy = "/nowhere/policy.yaml"},
         "/nowhere/policy.yaml: cannot be read: No such file or directory"},
        {{.upstream_credentials = "/nowhere/secret"},
         "/nowhere/secret: cannot be read: No such file or directory"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(&cases[i].options, cases[i].says);
}

/* --- credentials of upstreams ----------------------------------------------------------------- */

/* What goes to the host's upstream, or "" for nothing. */
static struct str sent_for(const struct rules *r, const char *host)
{
    struct host_rules of;

    rules_for_host(r, str_of(host), &of);
    assert_true(str_find(of.upstream->text, 'A') == of.upstream->text.n); /* for the record */
    return of.upstream->upstream->authorization;
}

#define ALADDIN STR("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") /* "Aladdin:open sesame" */
#define OTHER STR("Basic bWU6cA==")                       /* "me:p" */

static void credentials_are_for_one_upstream_alone(void **state)
{
    const struct {
        const char *file;
        struct str sent, sent_to_other;
    } cases[] = {
        {"Aladdin:open sesame\n", ALADDIN, STR("")},
        {"Aladdin:open sesame", ALADDIN, STR("")},
        {"# for both\n\nAladdin:open sesame\r\nhttp://Other.test:8080/ me:p\n", ALADDIN, OTHER},
        {"http://other.test:8080 me:p\n", STR(""), OTHER},
        {"http://proxy.test:3128 Aladdin:open sesame\n", ALADDIN, STR("")},
    };
    struct scratch *s = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rules *r = rules_of(&(struct rules_options){
            .upstream = "http://proxy.test:3128",
            .upstream_for = TEXTS("a.test=http://other.test:8080", "b.test=http://proxy.test:8080",
                                  "c.test=http://proxy.test:3128"),
            .upstream_credentials = own_file(s, "secret", cases[i].file)});

        assert_true(str_eq(sent_for(r, "x.test"), cases[i].sent));
        assert_true(str_eq(sent_for(r, "a.test"), cases[i].sent_to_other));
        assert_true(str_eq(sent_for(r, "b.test"), STR("")));
        assert_true(str_eq(sent_for(r, "c.test"), cases[i].sent)); /* it is the same proxy */
        assert_int_equal(rules_warning(r).n, 0);
        rules_unref(r);
    }
}

static void what_a_policy_has_for_its_own_is_not_for_the_command_lines(void **state)
{
    struct scratch *s = *state;
    const char *own = own_file(s, "own", "me:p\n");
    struct rules_options options = {.upstream = "http://proxy.test:3128"};
    struct rules *r;

    own_file(s, "secret", "Aladdin:open sesame\n");
    options.policy = own_file(s, "policy.yaml",
                              "upstream: {default: 'http://other.test:8080', "
                              "credentials: secret}\n");
    r = rules_of(&options);
    assert_true(str_eq(sent_for(r, "x.test"), STR("")));
    rules_unref(r);

    options.upstream_credentials = own;
    r = rules_of(&options);
    assert_true(str_eq(sent_for(r, "x.test"), OTHER));
    rules_unref(r);

    options.upstream_credentials = NULL;
    options.policy = own_file(s, "policy.yaml", "upstream: {credentials: secret}\n");
    r = rules_of(&options);
    assert_true(str_eq(sent_for(r, "x.test"), ALADDIN));
    rules_unref(r);
}

static void a_password_that_others_can_read_is_warned_of(void **state)
{
    struct scratch *s = *state;
    const char *path = own_file(s, "secret", "u:p\n");

    assert_int_equal(chmod(path, 0644), 0);
    struct rules *r = rules_of(&(struct rules_options){.upstream = "http://proxy.test:3128",
                                                       .upstream_credentials = path});
    assert_true(str_starts(rules_warning(r), s->path));
    assert_true(str_ends(rules_warning(r), STR("/secret: everybody on this machine can read this "
                                               "password; chmod o-r takes that away")));
    rules_unref(r);
}

static void wrong_credentials_are_not_repeated(void **state)
{
    static const struct {
        const char *file, *says;
    } cases[] = {
        {"", "/secret:1: expected USER:PASSWORD"},
        {"\n", "/secret:1: expected USER:PASSWORD"},
        {"geheim\n", "/secret:1: expected USER:PASSWORD"},
        {":geheim\n", "/secret:1: expected USER:PASSWORD"},
        {"u:ge\x01heim\n", "/secret:1: expected USER:PASSWORD"},
        {"u:geheim\nu:geheim\n", "/secret:2: this upstream's password stands here twice"},
        {"u:geheim\nhttp://proxy.test:3128 u:geheim\n",
         "/secret:2: this upstream's password stands here twice"},
        {"http://proxy.test:3128\n", "/secret:1: expected http://HOST:PORT USER:PASSWORD"},
        {"http://proxy.test:3128 geheim\n", "/secret:1: expected http://HOST:PORT USER:PASSWORD"},
        {"http://proxy.test:3129 u:geheim\n", "/secret:1: no upstream is this proxy"},
    };
    struct scratch *s = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rules *r = NULL;
        struct err err;
        struct rules_options options = {.upstream = "http://proxy.test:3128",
                                        .upstream_credentials =
                                            own_file(s, "secret", cases[i].file)};

        assert_true(rules_create(&options, &r, &err) < 0);
        assert_null(r);
        if (!str_ends(str_of(err.text), str_of(cases[i].says)))
            fail_msg("%s", err.text);
        options.upstream = NULL;
        assert_true(rules_create(&options, &r, &err) < 0);
        assert_null(strstr(err.text, "geheim"));
    }
}

static void credentials_alone_say_not_whose_they_are(void **state)
{
    struct rules *r = NULL;
    struct rules_options options = {.upstream_for = TEXTS("a.test=http://proxy.test:3128"),
                                    .upstream_credentials = own_file(*state, "secret", "u:p\n")};
    struct err err;

    assert_true(rules_create(&options, &r, &err) < 0);
    assert_true(
        str_ends(str_of(err.text), STR("/secret:1: which upstream this is for is not clear: "
                                       "expected http://HOST:PORT USER:PASSWORD")));
}

/* --- the policy file -------------------------------------------------------------------------- */

static void a_policy_file_says_the_same_things(void **state)
{
    static const char policy[] = "allow: [10.0.0.0/8, 192.0.2.7]\n"
                                 "ports: 443,8443\n"
                                 "deny: ['*.evil.test']\n"
                                 "block: a.events.test\n"
                                 "throttle: {'*.slow.test': 64 kB}\n"
                                 "delay:\n"
                                 "  login.test: 250ms\n"
                                 "upstream:\n"
                                 "  default: http://proxy.test:3128\n"
                                 "  for: {'*.inside.test': direct}\n"
                                 "  credentials: secret\n";
    struct sockaddr_storage client = address_of("192.0.2.7");
    struct host_rules of;
    struct scratch *s = *state;
    char says[RULES_SAYS];

    own_file(s, "secret", "u:p\n");
    struct rules *r =
        rules_of(&(struct rules_options){.policy = own_file(s, "policy.yaml", policy)});
    assert_true(rules_serve(r, &client));
    assert_true(rules_go_to_port(r, 8443, says));
    assert_false(rules_go_to_port(r, 80, says));
    rules_for_host(r, STR("www.evil.test"), &of);
    assert_text(of.deny, "deny *.evil.test");
    rules_for_host(r, STR("a.events.test"), &of);
    assert_text(of.block, "block a.events.test");
    assert_true(str_eq(of.upstream->upstream->authorization, STR("Basic dTpw")));
    rules_for_host(r, STR("x.slow.test"), &of);
    assert_text(of.throttle, "throttle *.slow.test=64 kB");
    assert_int_equal(of.throttle->bytes_a_second, 64000);
    rules_for_host(r, STR("login.test"), &of);
    assert_text(of.delay, "delay login.test=250ms");
    rules_for_host(r, STR("x.inside.test"), &of);
    assert_text(of.upstream, "upstream-for *.inside.test=direct");
    rules_unref(r);
}

static void the_command_line_adds_to_the_policy_file_and_wins(void **state)
{
    static const char policy[] = "allow: 10.0.0.0/8\n"
                                 "ports: 443\n"
                                 "throttle: {a.test: 1kB, b.test: 1kB}\n"
                                 "upstream: {default: 'http://one.test:3128'}\n";
    struct sockaddr_storage ten = address_of("10.0.0.1"), other = address_of("192.168.0.1");
    struct host_rules of;
    struct scratch *s = *state;
    char says[RULES_SAYS];

    struct rules *r = rules_of(&(struct rules_options){
        .allow = TEXTS("192.168.0.0/16"),
        .ports = TEXTS("8443"),
        .throttle = TEXTS("A.test=2kB"),
        .upstream = "http://two.test:3128",
        .policy = own_file(s, "policy.yaml", policy),
    });
    assert_true(rules_serve(r, &ten) && rules_serve(r, &other));
    assert_true(rules_go_to_port(r, 443, says) && rules_go_to_port(r, 8443, says));
    rules_for_host(r, STR("a.test"), &of);
    assert_int_equal(of.throttle->bytes_a_second, 2000);
    assert_text(of.upstream, "upstream http://two.test:3128");
    rules_for_host(r, STR("b.test"), &of);
    assert_int_equal(of.throttle->bytes_a_second, 1000);
    rules_unref(r);
}

static void an_empty_policy_file_says_nothing(void **state)
{
    struct scratch *s = *state;

    rules_unref(
        rules_of(&(struct rules_options){.policy = own_file(s, "policy.yaml", "# nothing\n")}));
}

static void what_a_policy_file_says_wrong_is_pointed_at(void **state)
{
    struct scratch *s = *state;
    static const struct {
        const char *policy, *says;
    } cases[] = {
        {"blok: [a.test]\n", "policy.yaml:1:1: 'blok' is not a key here; did you mean 'block'?"},
        {"allow: [10.0.0.0/8, 10.0.0.0/99]\n",
         "policy.yaml:1:21: the length of an IPv4 network is from 0 to 32, found '10.0.0.0/99'"},
        {"ports: [443, x]\n",
         "policy.yaml:1:14: expected ports such as 443,8443,9000-9100, or any, found 'x'"},
        {"block: ['a b']\n", "policy.yaml:1:9: a host name has letters, digits, '-', '_' and '.', "
                             "and '*' for any text, found 'a b'"},
        {"throttle:\n  a.test: fast\n",
         "policy.yaml:2:11: expected a rate in bytes a second, such as 512, 64kB or 1.5MB, found "
         "'fast'"},
        {"throttle: {'a:1': 3, b: x}\n",
         "policy.yaml:1:12: a host is a name alone, without https://, port or path, found 'a:1' "
         "(and 1 more)"},
        {"delay: [a.test]\n", "policy.yaml:1:8: expected a map (key: value), found a list"},
        {"delay: {a.test: [1]}\n", "policy.yaml:1:17: expected a text, found a list"},
        {"upstream: http://proxy.test:3128\n",
         "policy.yaml:1:11: expected a map (key: value), found 'http://proxy.test:3128'"},
        {"upstream: {default: direct}\n",
         "policy.yaml:1:21: expected another proxy as http://HOST:PORT, found 'direct'"},
        {"upstream: {to: x}\n",
         "policy.yaml:1:12: 'to' is not a key here; expected one of: default, for, credentials"},
        {"- a\n", "policy.yaml:1:1: expected a map (key: value), found a list"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_policy_refused(s, cases[i].policy, cases[i].says);
}

/* --- holding ---------------------------------------------------------------------------------- */

static void *hold_and_let_go(void *ctx)
{
    struct host_rules of;

    for (int i = 0; i < 1000; i++) {
        struct rules *r = rules_ref(ctx);

        rules_for_host(r, STR("a.test"), &of);
        assert_non_null(of.block);
        rules_unref(r);
    }
    rules_unref(ctx);
    return NULL;
}

static void threads_hold_rules_until_the_last_lets_go(void **state)
{
    struct rules *r = rules_of(&(struct rules_options){.block = TEXTS("a.test")});
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hold_and_let_go, rules_ref(r)), 0);
    rules_unref(r);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_allow_near_clients_are_served),
        cmocka_unit_test(with_allow_its_networks_alone_are_served),
        cmocka_unit_test(without_allow_private_servers_are_those_of_attached_networks),
        cmocka_unit_test(attached_networks_are_read_again_but_not_often),
        cmocka_unit_test(this_machine_is_not_relayed_to),
        cmocka_unit_test(with_allow_private_servers_are_those_of_its_networks),
        cmocka_unit_test(a_refusal_says_what_to_do),
        cmocka_unit_test(this_machines_networks_are_read),
        cmocka_unit_test(what_would_permit_a_port_keeps_the_others),
        cmocka_unit_test(tunnels_go_to_the_ports_that_were_named),
        cmocka_unit_test(the_most_specific_rule_of_each_sort_holds),
        cmocka_unit_test(without_rules_nothing_holds),
        cmocka_unit_test(times_and_rates_have_units),
        cmocka_unit_test(what_the_command_line_says_wrong_is_named),
        TEST(credentials_are_for_one_upstream_alone),
        TEST(what_a_policy_has_for_its_own_is_not_for_the_command_lines),
        TEST(a_password_that_others_can_read_is_warned_of),
        TEST(wrong_credentials_are_not_repeated),
        TEST(credentials_alone_say_not_whose_they_are),
        TEST(a_policy_file_says_the_same_things),
        TEST(the_command_line_adds_to_the_policy_file_and_wins),
        TEST(an_empty_policy_file_says_nothing),
        TEST(what_a_policy_file_says_wrong_is_pointed_at),
        cmocka_unit_test(threads_hold_rules_until_the_last_lets_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
