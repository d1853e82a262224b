/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/listen.h"

#include "base/xalloc.h"
#include "sources/proxy/address.h"
#include "sources/proxy/side.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

/* Without an address: every one of this machine's, of both families where there are two. */
static const char *const any[] = {"::", "0.0.0.0"};

struct place {
    struct str host, device;
    uint16_t port;
};

static int parse(const char *text, struct place *ret_place, struct err *err)
{
    struct str device = str_of(text), where = str_cut(&device, '=');

    ret_place->device = device;
    if (address_parse_listen(where, &ret_place->host, &ret_place->port))
        return 0;
    return err_set(err, -EINVAL, "'%s': expected [ADDR:]PORT[=NAME] to listen on", text);
}

/*
 * The first socket is bound without SO_REUSEPORT, which is how a port that somebody else has is
 * noticed; set afterwards it lets our others in.
 */
static int bind_and_listen(int fd, const struct sockaddr_storage *address, bool is_first)
{
    static const int on = 1, off = 0;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (!is_first && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
        return -errno;
    if (bind(fd, (const void *)address, address_bytes(address)) < 0)
        return -errno;
    if (is_first && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
        return -errno;
    side_send_at_once(fd); /* those that come in inherit it */
    side_watch_peer(fd);
    return listen(fd, BACKLOG) < 0 ? -errno : 0;
}

static int open_socket(const struct sockaddr_storage *address, bool is_first)
{
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int r;

    if (fd < 0)
        return -errno;
    r = bind_and_listen(fd, address, is_first);
    if (r < 0) {
        close(fd);
        return r;
    }
    return fd;
}

static int open_first(struct str host, uint16_t port)
{
    struct sockaddr_storage address;

    if (!address_parse(host, &address))
        return -EINVAL;
    address_set_port(&address, port);
    return open_socket(&address, true);
}

static int open_first_anywhere(uint16_t port)
{
    int fd = -EINVAL;

    for (size_t i = 0; fd < 0 && i < sizeof any / sizeof *any; i++) {
        fd = open_first(str_of(any[i]), port);
        if (fd == -EADDRINUSE || fd == -EACCES)
            break;
    }
    return fd;
}

static void make_room(struct port *p, size_t workers)
{
    p->fds = xreallocarray(NULL, workers, sizeof *p->fds);
    for (p->fd_count = 0; p->fd_count < workers; p->fd_count++)
        p->fds[p->fd_count] = -1;
}

/* The first is open: what it is bound to, and the others. */
static int open_others(struct port *p)
{
    struct sockaddr_storage address = {0};
    socklen_t n = sizeof address;

    if (getsockname(p->fds[0], (void *)&address, &n) < 0)
        return -errno;
    p->number = address_port(&address);
    address_port_text(&address, p->address);
    for (size_t i = 1; i < p->fd_count; i++) {
        p->fds[i] = open_socket(&address, false);
        if (p->fds[i] < 0)
            return p->fds[i];
    }
    return 0;
}

int port_open(struct port *ret_port, const char *text, size_t workers, struct err *err)
{
    struct place place = {0};
    int r = parse(text, &place, err);

    *ret_port = (struct port){0};
    if (r < 0)
        return r;
    ret_port->device = place.device;
    make_room(ret_port, workers);
    r = ret_port->fds[0] =
        place.host.n ? open_first(place.host, place.port) : open_first_anywhere(place.port);
    if (r >= 0)
        r = open_others(ret_port);
    if (r < 0)
        return err_set(err, r, "cannot listen on %s: %s", text,
                       r == -EINVAL ? "not an address" : strerror(-r));
    return 0;
}

static bool is_listening(int fd, struct sockaddr_storage *ret_address)
{
    int listens = 0;
    socklen_t n = sizeof listens;

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) < 0 || !listens)
        return false;
    n = sizeof *ret_address;
    return getsockname(fd, (void *)ret_address, &n) == 0 &&
           (ret_address->ss_family == AF_INET || ret_address->ss_family == AF_INET6);
}

int port_take(struct port *ret_port, int fd, size_t workers, struct err *err)
{
    struct sockaddr_storage address = {0};

    *ret_port = (struct port){0};
    make_room(ret_port, workers);
    ret_port->fds[0] = fd;
    if (!is_listening(fd, &address))
        return err_set(err, -EINVAL, "descriptor %d: not a TCP socket that listens", fd);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    side_send_at_once(fd);
    side_watch_peer(fd);
    ret_port->number = address_port(&address);
    address_port_text(&address, ret_port->address);
    for (size_t i = 1; i < workers; i++) {
        ret_port->fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (ret_port->fds[i] < 0)
            return err_set(err, -errno, "descriptor %d: %s", fd, strerror(errno));
    }
    return 0;
}

void port_close(struct port *p)
{
    for (size_t i = 0; i < p->fd_count; i++)
        if (p->fds[i] >= 0)
            close(p->fds[i]);
    free(p->fds);
    *p = (struct port){0};
}
