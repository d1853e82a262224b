/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/record_where.h"

#include "base/buf.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

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

static void say_port(const struct proxy *proxy, size_t i)
{
    struct str address = proxy_address(proxy, i);
    struct buf where;

    buf_init(&where, 4096);
    if (listens_everywhere(address))
        put_interfaces(&where, proxy_port(proxy, i));
    if (!where.n)
        buf_printf(&where, "http://" STR_FMT, STR_ARG(address));
    log_info("the device's proxy is to be " STR_FMT, STR_ARG(buf_str(&where)));
    buf_finish(&where);
}

void record_say_where(const struct proxy *proxy)
{
    for (size_t i = 0; i < proxy_port_count(proxy); i++)
        say_port(proxy, i);
}
