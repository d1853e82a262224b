/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flightstrip record: the proxy, its recording, and the strip as it grows. */
#include "cmd/cmd_list.h"

#include "base/log.h"
#include "base/notify.h"
#include "base/xalloc.h"
#include "cmd/page.h"
#include "cmd/record_where.h"
#include "cmd/session.h"
#include "loop/activation.h"
#include "serve/process.h"
#include "sources/proxy/credentials.h"
#include "sources/proxy/proxy.h"
#include "sources/proxy/rules.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#define DEFAULT_PROXY "8080"

/* For open flows to end by themselves once the recording is to end. */
#define GRACE_US UINT64_C(5000000)

enum { SOCKETS_MAX = 16 };

struct record_options {
    const char *output, *name_server, *upstream, *upstream_credentials, *users, *policy;
    struct texts proxies, names, connect_to, knowledge;
    struct page_words web;
    struct texts allow, ports, deny, block, throttle, delay, upstream_for;
    uint64_t for_us;
    bool traffic;
};

#define AT(member) offsetof(struct record_options, member)

static const struct opt options_table[] = {
    {OPT_TEXT, 'o', "output", "FILE",
     "Record into this file; a recording that is there already is continued.", AT(output), NULL},
    {OPT_TEXTS, 'p', "proxy", "[ADDR:]PORT[=NAME]",
     "Listen here for devices; without it on port " DEFAULT_PROXY
     " of all addresses. All who come to a port with a NAME are that one device: for devices "
     "behind "
     "NAT. May be given again.",
     AT(proxies), NULL},
    {OPT_TEXTS, 'd', "device", "NAME=ADDR",
     "Call the device at this address so; may be given again.", AT(names), NULL},
    {OPT_TEXTS, 0, "allow", "CIDR",
     "Serve the clients of this network, and relay to it though it is private; then no others. May "
     "be given again.",
     AT(allow), NULL},
    {OPT_TEXTS, 0, "ports", "PORTS",
     "To which ports tunnels, and plain requests to ports below 1024, may lead, such as "
     "443,8443,9000-9100 or any.",
     AT(ports), NULL},
    {OPT_TEXTS, 0, "deny", "PATTERN", "Do not serve these hosts; may be given again.", AT(deny),
     NULL},
    {OPT_TEXTS, 0, "block", "PATTERN",
     "Refuse these hosts as a firewall would, to see what breaks; may be given again.", AT(block),
     NULL},
    {OPT_TEXTS, 0, "throttle", "PATTERN=RATE",
     "Let each flow to these hosts move so many bytes a second each way, such as 64kB; may be "
     "given "
     "again.",
     AT(throttle), NULL},
    {OPT_TEXTS, 0, "delay", "PATTERN=MS",
     "Wait so long before anything is done for a flow to these hosts; may be given again.",
     AT(delay), NULL},
    {OPT_TEXT, 0, "upstream", "http://HOST:PORT", "Send everything through this proxy.",
     AT(upstream), NULL},
    {OPT_TEXTS, 0, "upstream-for", "PATTERN=URL",
     "Send these hosts through the proxy at this URL, or with the word direct through none; may be "
     "given again.",
     AT(upstream_for), NULL},
    {OPT_TEXT, 0, "upstream-credentials", "FILE",
     "Log in to the proxy of --upstream with the USER:PASSWORD in this file, and to any that a "
     "line "
     "http://HOST:PORT USER:PASSWORD names; none is shown another's.",
     AT(upstream_credentials), NULL},
    {OPT_TEXT, 0, "users", "FILE",
     "Serve only who logs in as one of the USER:HASH lines of this file; it is read again on "
     "SIGHUP. Setup cannot, so this is for devices that are past it.",
     AT(users), NULL},
    {OPT_TEXT, 0, "policy", "FILE",
     "Read rules such as the above from this file too; it is read again on SIGHUP.", AT(policy),
     NULL},
    {OPT_TEXTS, 'c', "connect-to", "HOST:PORT:ADDR:PORT",
     "Connect to ADDR:PORT for HOST:PORT, as curl does; an empty field matches all or changes "
     "nothing; may be given again.",
     AT(connect_to), NULL},
    {OPT_TEXT, 0, "name-server", "ADDR[:PORT]", "Ask this name server instead of the system's.",
     AT(name_server), NULL},
    PAGE_OPTIONS(struct record_options),
    {OPT_DURATION, 0, "for", "DURATION", "Stop after this time, such as 90s, 45m or 2h.",
     AT(for_us), NULL},
    {OPT_FLAG, 't', "traffic", NULL, "Show every flow as it opens and closes.", AT(traffic), NULL},
    {OPT_TEXTS, 'k', "knowledge", "DIR",
     "Add the rules and endpoints in this folder; may be given again.", AT(knowledge), NULL},
    {0},
};

/* --- what the options say to the proxy --- */

static struct rules_texts rules_texts(const struct texts *texts)
{
    return (struct rules_texts){texts->at, texts->n};
}

static int make_rules(const struct record_options *o, struct rules **ret_rules, struct err *err)
{
    const struct rules_options options = {
        .allow = rules_texts(&o->allow),
        .ports = rules_texts(&o->ports),
        .deny = rules_texts(&o->deny),
        .block = rules_texts(&o->block),
        .throttle = rules_texts(&o->throttle),
        .delay = rules_texts(&o->delay),
        .upstream = o->upstream,
        .upstream_for = rules_texts(&o->upstream_for),
        .upstream_credentials = o->upstream_credentials,
        .policy = o->policy,
    };
    int r = rules_create(&options, ret_rules, err);

    if (r == 0 && rules_warning(*ret_rules).n)
        log_warn(STR_FMT, STR_ARG(rules_warning(*ret_rules)));
    return r;
}

/*
 * A worker for each processor that we may use, but for one: recording takes its share of that, and
 * so does whatever else there is. On two processors a second worker makes every request dearer by a
 * sixth, and the slowest ones twice as slow.
 */
static unsigned threads(void)
{
    cpu_set_t ours;

    CPU_ZERO(&ours);
    if (sched_getaffinity(0, sizeof ours, &ours) < 0 || CPU_COUNT(&ours) < 2)
        return 1;
    return (unsigned)CPU_COUNT(&ours) - 1;
}

static size_t take_sockets(struct activation *sockets, int fds[static SOCKETS_MAX])
{
    size_t n = 0;

    while (n < SOCKETS_MAX && (fds[n] = activation_next(sockets, STR("proxy"))) >= 0)
        n++;
    return n;
}

/* Hosts that proxies are not for, says the knowledge: the PAC file leaves them out. */
static void put_direct(const struct endpoints *e, struct texts *ret_direct)
{
    ret_direct->at = xreallocarray(NULL, endpoints_count(e), sizeof *ret_direct->at);
    ret_direct->n = 0;
    for (size_t i = 0; i < endpoints_count(e); i++)
        if (endpoints_at(e, i)->proxies_unsupported)
            ret_direct->at[ret_direct->n++] = endpoints_at(e, i)->pattern.p;
}

static int open_proxy(struct session *s, const struct record_options *o, struct activation *sockets,
                      struct proxy **ret_proxy, struct err *err)
{
    static const char *const everywhere[] = {DEFAULT_PROXY};
    struct texts direct;
    int fds[SOCKETS_MAX];
    struct proxy_options options = {
        .listen = o->proxies.at,
        .listen_count = o->proxies.n,
        .fds = fds,
        .fd_count = take_sockets(sockets, fds),
        .threads = threads(),
        .connect_to = o->connect_to.at,
        .connect_to_count = o->connect_to.n,
        .name_server = o->name_server,
    };
    int r = make_rules(o, &options.rules, err);

    put_direct(knowledge_endpoints(s->knowledge), &direct);
    options.direct = direct.at;
    options.direct_count = direct.n;
    if (!options.listen_count && !options.fd_count) {
        options.listen = everywhere;
        options.listen_count = 1;
    }
    if (r == 0 && o->users)
        r = credentials_open(o->users, &options.credentials, err);
    if (r == 0)
        r = proxy_create(s->loop, &s->stream, &s->devices, &options, ret_proxy, err);
    free(direct.at);
    rules_unref(options.rules);
    credentials_unref(options.credentials);
    return r;
}

/* --- the recording --- */

struct recording_run {
    struct session *session;
    const struct record_options *options;
    struct proxy *proxy;
};

static void drained(void *ctx)
{
    struct recording_run *run = ctx;

    loop_stop(run->session->loop);
}

static void reload_rules(struct recording_run *run)
{
    struct rules *rules;
    struct err err;

    if (make_rules(run->options, &rules, &err) < 0) {
        log_error("%s; the rules stay as they were", err.text);
        return;
    }
    proxy_set_rules(run->proxy, rules);
    rules_unref(rules);
}

static void reload_users(struct recording_run *run)
{
    struct credentials *credentials;
    struct err err;

    if (!run->options->users)
        return;
    if (credentials_open(run->options->users, &credentials, &err) < 0) {
        log_error("%s; the users stay as they were", err.text);
        return;
    }
    proxy_set_credentials(run->proxy, credentials);
    credentials_unref(credentials);
}

/* Flows that are open keep the rules under which they began. */
static void reload(void *ctx)
{
    struct recording_run *run = ctx;

    notify_reloading();
    reload_rules(run);
    reload_users(run);
    notify_ready();
}

static uint64_t open_flows(const struct proxy *proxy)
{
    struct counters counters;
    uint64_t n = 0;

    proxy_counters(proxy, &counters);
    for (enum flow_how how = 0; how < HOW_COUNT; how++)
        n += counters_flows_open(&counters, how);
    return n;
}

/* Open flows get a time to end, unless somebody asks again for the end. */
static void let_flows_end(struct recording_run *run)
{
    uint64_t n = open_flows(run->proxy);

    if (n)
        log_info("%" PRIu64 " flows are open and get %u seconds to end; Ctrl-C ends them now", n,
                 (unsigned)(GRACE_US / 1000000));
    proxy_drain(run->proxy, GRACE_US, drained, run);
    session_run_on(run->session);
}

/* What the metrics are of is the caller's to keep, as long as the page. */
static int show_page(struct session *s, const struct proxy *proxy, const struct record_options *o,
                     int fd, struct metrics_of *metrics, struct page **ret_page, struct err *err)
{
    if (!s->served)
        return 0;
    *metrics = (struct metrics_of){.proxy = proxy,
                                   .stream = &s->stream,
                                   .devices = &s->devices,
                                   .recorder = s->recorder,
                                   .began_wall_us = process_began_wall_us()};
    return page_open(s->loop,
                     &(struct page_options){.words = &o->web,
                                            .fd = fd,
                                            .recordings = &s->served,
                                            .recording_count = 1,
                                            .metrics = metrics},
                     ret_page, err);
}

static int record(struct session *s, const struct record_options *o, struct activation *sockets,
                  int web_fd)
{
    struct recording_run run = {.session = s, .options = o};
    struct metrics_of metrics = {0};
    struct page *page = NULL;
    struct err err;

    if (open_proxy(s, o, sockets, &run.proxy, &err) < 0 ||
        show_page(s, run.proxy, o, web_fd, &metrics, &page, &err) < 0) {
        log_error("%s", err.text);
        proxy_destroy(run.proxy);
        session_abandon(s);
        return EXIT_TROUBLE;
    }
    log_info("recording to %s; Ctrl-C ends it", o->output);
    record_say_where(run.proxy);
    session_on_reload(s, reload, &run);
    notify_ready();
    session_run(s, SOURCE_PROXY);
    session_on_reload(s, NULL, NULL);
    notify_stopping();
    let_flows_end(&run);
    proxy_stop(run.proxy);
    metrics.recorder = NULL;

    int status = session_end(s);
    page_end(page);
    page_close(page);
    proxy_destroy(run.proxy);
    if (status == EXIT_OK)
        log_info("%s is written; flightstrip explain %s tells it again", o->output, o->output);
    return status;
}

static int run_with(const struct record_options *o, struct activation *sockets)
{
    int web_fd = activation_next(sockets, STR("web"));
    struct session *session;
    struct err err;

    if (session_open(&(struct session_options){.path = o->output,
                                               .names = &o->names,
                                               .knowledge = &o->knowledge,
                                               .traffic = o->traffic,
                                               .for_us = o->for_us,
                                               .serves = page_is_wanted(&o->web, web_fd)},
                     &session, &err) < 0) {
        log_error("%s", err.text);
        if (web_fd >= 0)
            close(web_fd);
        return EXIT_TROUBLE;
    }

    int status = record(session, o, sockets, web_fd);
    session_close(session);
    return status;
}

static int run(const void *options, char **operands)
{
    const struct record_options *o = options;
    struct activation sockets;
    struct err err;

    (void)operands;
    if (!o->output) {
        log_error("record: where to? -o FILE says it, such as -o first.flight");
        return EXIT_TROUBLE;
    }
    if (activation_take(&sockets, &err) < 0) {
        log_error("%s", err.text);
        return EXIT_TROUBLE;
    }

    int status = run_with(o, &sockets);
    activation_finish(&sockets);
    return status;
}

const struct cmd cmd_record = {
    .name = "record",
    .summary = "be a device's proxy, record its traffic and explain it live",
    .help =
        "Is an HTTP proxy for devices on this network, records what they do, and writes the strip "
        "while it grows: what happened when and what it means. TLS is passed on unopened.\n"
        "\n"
        "On a terminal a line of traffic stands beneath. A moment that is understood later is "
        "printed with the time at which it happened. Ctrl-C ends the recording and prints the "
        "summary; what is still open gets five seconds to end, and a second Ctrl-C does not wait.\n"
        "\n"
        "HTTP, CONNECT and SOCKS 5 are served on the same port, and /proxy.pac and /wpad.dat tell "
        "a "
        "device to use it. HTTP/2 goes through CONNECT; UDP does not.\n"
        "\n"
        "Devices with private and loopback addresses are served unless --allow says which. Servers "
        "with loopback, link-local and cloud metadata addresses, and this machine itself, are "
        "never "
        "connected to unless --connect-to says so; those with private addresses only in networks "
        "of "
        "--allow or, without it, in those that this machine is attached to.\n"
        "\n"
        "--web shows the recording on a page while it is made, and at /metrics how the recorder is "
        "doing, for Prometheus.\n"
        "\n"
        "A PATTERN is a host name in which * stands for anything, .example.com for whatever is "
        "below it. What --deny, --block, --throttle, --delay and --upstream do to a flow is "
        "recorded with it.",
    .options = options_table,
    .options_size = sizeof(struct record_options),
    .run = run,
};
