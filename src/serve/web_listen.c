/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the web server listens, and the links that lead there. */
#include "serve/web_private.h"

#include "base/auto.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

/* --- the socket --- */

static int open_socket(const struct sockaddr_storage *address)
{
    static const int on = 1;
    AUTO(auto_close)
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (const void *)address, address_bytes(address)) < 0 || listen(fd, BACKLOG) < 0)
        return -errno;
    return steal_fd(&fd);
}

static int listen_on(const char *where, struct err *err)
{
    struct sockaddr_storage address;
    struct str host = {0};
    uint16_t port = 0;
    int r;

    if (!address_parse_listen(str_of(where), &host, &port) ||
        !address_parse(host.n ? host : STR("127.0.0.1"), &address))
        return err_set(err, -EINVAL, "'%s': expected [ADDR:]PORT to listen on", where);
    address_set_port(&address, port);
    r = open_socket(&address);
    return r < 0 ? err_set(err, r, "cannot listen on %s: %s", where, strerror(-r)) : r;
}

/* Also asked of a socket that somebody else opened: what it listens on is its own word. */
static int learn_address(struct web *w, int fd, bool *ret_is_loopback, struct err *err)
{
    struct sockaddr_storage address = {0};
    socklen_t n = sizeof address;

    if (getsockname(fd, (void *)&address, &n) < 0)
        return err_set(err, -errno, "cannot use the web server's socket: %s", strerror(errno));
    if (address.ss_family != AF_INET && address.ss_family != AF_INET6)
        return err_set(err, -EAFNOSUPPORT, "the web server's socket is not one of TCP");
    w->port = address_port(&address);
    address_port_text(&address, w->address);
    *ret_is_loopback = address_is_loopback(&address);
    return 0;
}

int listener_open(struct web *w, const struct web_options *options, int *ret_fd,
                  bool *ret_is_loopback, struct err *err)
{
    AUTO(auto_close) int fd = options->fd;
    int r;

    if (fd < 0)
        fd = listen_on(options->listen, err);
    if (fd < 0)
        return fd;
    r = learn_address(w, fd, ret_is_loopback, err);
    if (r < 0)
        return r;
    *ret_fd = steal_fd(&fd);
    return 0;
}

/* --- links --- */

static bool is_any_address(struct str address)
{
    return str_starts(address, STR("0.0.0.0:")) || str_starts(address, STR("[::]:"));
}

/* An address that others reach this machine by; an IPv4 one, which people can read, if any. */
static bool is_better(const struct ifaddrs *i, const struct sockaddr_storage *best)
{
    const struct sockaddr_in6 *v6 = (const void *)i->ifa_addr;

    if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || i->ifa_flags & IFF_LOOPBACK)
        return false;
    if (i->ifa_addr->sa_family == AF_INET)
        return best->ss_family != AF_INET;
    return i->ifa_addr->sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) &&
           best->ss_family == AF_UNSPEC;
}

static void find_own_address(struct sockaddr_storage *best)
{
    struct ifaddrs *all;

    if (getifaddrs(&all) < 0)
        return;
    for (const struct ifaddrs *i = all; i; i = i->ifa_next)
        if (is_better(i, best))
            memcpy(best, i->ifa_addr,
                   i->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
                                                     : sizeof(struct sockaddr_in6));
    freeifaddrs(all);
}

/* "ADDR:PORT" of a link; all of a machine's addresses are none to go to. */
static struct str reachable(const struct web *w, char text[static ADDRESS_TEXT])
{
    struct sockaddr_storage own = {.ss_family = AF_UNSPEC};

    if (is_any_address(str_of(w->address)))
        find_own_address(&own);
    if (own.ss_family == AF_UNSPEC)
        return str_of(w->address);
    address_set_port(&own, w->port);
    return address_port_text(&own, text);
}

void web_write_links(struct web *w)
{
    char text[ADDRESS_TEXT];
    struct str where = reachable(w, text);
    const char *scheme = w->tls ? "https" : "http";
    const char *const tokens[] = {w->guard.read_token, w->guard.write_token};

    for (size_t i = 0; i < 2; i++)
        snprintf(w->links[i], sizeof w->links[i], "%s://" STR_FMT "/%s%s", scheme, STR_ARG(where),
                 w->guard.is_open ? "" : "?token=", w->guard.is_open ? "" : tokens[i]);
}
