/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flightstrip record: the proxy, its recording, and the strip as it grows. */
#include "cmd/cmd_list.h"

#include "base/log.h"
#include "cmd/session.h"
#include "sources/proxy/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#define DEFAULT_PROXY "8080"

struct record_options {
    const char *output, *proxy, *name_server;
    struct texts names, connect_to, knowledge;
    uint64_t for_us;
    bool traffic;
};

#define AT(member) offsetof(struct record_options, member)

static const struct opt options_table[] = {
    {OPT_TEXT, 'o', "output", "FILE",
     "Record into this file; a recording that is there already is continued.", AT(output), NULL},
    {OPT_TEXT, 'p', "proxy", "[ADDR:]PORT",
     "Listen here for devices; without it on port " DEFAULT_PROXY " of all addresses.", AT(proxy),
     NULL},
    {OPT_TEXTS, 'd', "device", "NAME=ADDR",
     "Call the device at this address so; may be given again.", AT(names), NULL},
    {OPT_TEXTS, 'c', "connect-to", "HOST:PORT:ADDR:PORT",
     "Connect to ADDR:PORT for HOST:PORT, as curl does; an empty field matches all or changes "
     "nothing; may be given again.",
     AT(connect_to), NULL},
    {OPT_TEXT, 0, "name-server", "ADDR[:PORT]", "Ask this name server instead of the system's.",
     AT(name_server), NULL},
    {OPT_DURATION, 0, "for", "DURATION", "Stop after this time, such as 90s, 45m or 2h.",
     AT(for_us), NULL},
    {OPT_FLAG, 't', "traffic", NULL, "Show every flow as it opens and closes.", AT(traffic), NULL},
    {OPT_TEXTS, 'k', "knowledge", "DIR",
     "Add the rules and endpoints in this folder; may be given again.", AT(knowledge), NULL},
    {0},
};

/* An address of this machine that a device can reach, as it stands in a URL. */
static bool put_host(struct buf *out, const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN];

    if (address && address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)address;

        buf_printf(out, "%s", inet_ntop(AF_INET, &in->sin_addr, text, sizeof text));
        return true;
    }
    if (address && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)address;

        if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
            return false;
        buf_printf(out, "[%s]", inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text));
        return true;
    }
    return false;
}

static void put_interfaces(struct buf *out, uint16_t port)
{
    struct ifaddrs *all;

    if (getifaddrs(&all) < 0)
        return;
    for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
        size_t before = out->n;

        if (!(i->ifa_flags & IFF_UP) || i->ifa_flags & IFF_LOOPBACK)
            continue;
        buf_put_str(out, out->n ? STR(", http://") : STR("http://"));
        if (put_host(out, i->ifa_addr))
            buf_printf(out, ":%u", port);
        else
            out->n = before;
    }
    freeifaddrs(all);
}

static bool listens_everywhere(struct str address)
{
    return str_starts(address, STR("0.0.0.0:")) || str_starts(address, STR("[::]:")) ||
           str_starts(address, STR("*:"));
}

/* How a device gets here: what a person types into its proxy setting. */
static void say_where(const char *path, const struct proxy *proxy)
{
    struct str address = proxy_address(proxy);
    struct buf where;

    buf_init(&where, 4096);
    if (listens_everywhere(address))
        put_interfaces(&where, proxy_port(proxy));
    if (!where.n)
        buf_printf(&where, "http://" STR_FMT, STR_ARG(address));
    log_info("recording to %s; Ctrl-C ends it", path);
    log_info("the device's proxy is to be " STR_FMT, STR_ARG(buf_str(&where)));
    buf_finish(&where);
}

static int record(struct session *s, const struct record_options *o)
{
    struct proxy_options options = {
        .listen = o->proxy ? o->proxy : DEFAULT_PROXY,
        .connect_to = o->connect_to.at,
        .connect_to_count = o->connect_to.n,
        .name_server = o->name_server,
    };
    struct proxy *proxy;
    struct err err;

    if (proxy_create(s->loop, &s->stream, &s->devices, &options, &proxy, &err) < 0) {
        log_error("%s", err.text);
        session_abandon(s);
        return EXIT_TROUBLE;
    }
    say_where(o->output, proxy);
    session_run(s, SOURCE_PROXY);
    proxy_stop(proxy);

    int status = session_end(s);
    proxy_destroy(proxy);
    if (status == EXIT_OK)
        log_info("%s is written; flightstrip explain %s tells it again", o->output, o->output);
    return status;
}

static int run(const void *options, char **operands)
{
    const struct record_options *o = options;
    struct session *session;
    struct err err;

    (void)operands;
    if (!o->output) {
        log_error("record: where to? -o FILE says it, such as -o first.flight");
        return EXIT_TROUBLE;
    }
    if (session_open(&(struct session_options){.path = o->output,
                                               .names = &o->names,
                                               .knowledge = &o->knowledge,
                                               .traffic = o->traffic,
                                               .for_us = o->for_us},
                     &session, &err) < 0) {
        log_error("%s", err.text);
        return EXIT_TROUBLE;
    }

    int status = record(session, o);
    session_close(session);
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
        "summary; a second Ctrl-C ends the program at once, and what was recorded is kept.\n"
        "\n"
        "Devices with private and loopback addresses are served, and servers with loopback, "
        "link-local and cloud metadata addresses are never connected to unless --connect-to says "
        "so.",
    .options = options_table,
    .options_size = sizeof(struct record_options),
    .run = run,
};
