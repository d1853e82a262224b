/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The system calls, as the linker's --wrap leads them here (fuzz/meson.build has the list). Those
 * on a descriptor of fake_net go there; those on any other are the kernel's.
 */
#include "fuzz/fake_net.h"
#include "sources/proxy/address.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <stdarg.h>
#include <string.h>
#include <sys/uio.h>

#define WRAP(type, name, ...)                                                                      \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

/* A negative errno becomes -1 and errno. */
static ssize_t tell(ssize_t r)
{
    if (r >= 0)
        return r;
    errno = (int)-r;
    return -1;
}

static int put_address(const struct sockaddr_storage *from, struct sockaddr *to, socklen_t *n)
{
    socklen_t whole = address_bytes(from);

    if (!to)
        return 0;
    memcpy(to, from, *n < whole ? *n : whole);
    *n = whole;
    return 0;
}

/* Sockets: all of them are ours. */

WRAP(int, socket, int family, int type, int protocol)
{
    (void)protocol;
    return (int)tell(net_socket(family, type));
}

WRAP(int, bind, int fd, const struct sockaddr *address, socklen_t n)
{
    return (int)tell(net_bind(fd, address, n));
}

WRAP(int, listen, int fd, int backlog)
{
    (void)backlog;
    return (int)tell(net_listen(fd));
}

WRAP(int, accept4, int fd, struct sockaddr *address, socklen_t *n, int flags)
{
    struct sockaddr_storage from = {0};
    int accepted = net_accept_next(fd, &from);

    (void)flags;
    if (accepted >= 0)
        put_address(&from, address, n);
    return (int)tell(accepted);
}

WRAP(int, connect, int fd, const struct sockaddr *address, socklen_t n)
{
    return (int)tell(net_connect(fd, address, n));
}

WRAP(int, shutdown, int fd, int how)
{
    return (int)tell(how == SHUT_RD ? 0 : net_shutdown(fd));
}

WRAP(int, getsockname, int fd, struct sockaddr *address, socklen_t *n)
{
    struct sockaddr_storage own = {0};
    int r = net_own_address(fd, &own);

    return (int)tell(r < 0 ? r : put_address(&own, address, n));
}

WRAP(int, getpeername, int fd, struct sockaddr *address, socklen_t *n)
{
    struct sockaddr_storage peer = {0};
    int r = net_peer_address(fd, &peer);

    return (int)tell(r < 0 ? r : put_address(&peer, address, n));
}

WRAP(int, getsockopt, int fd, int level, int name, void *value, socklen_t *n)
{
    int number = level == SOL_SOCKET && name == SO_ERROR ? net_take_error(fd) : 0;

    if (*n < sizeof number)
        return (int)tell(-EINVAL);
    memcpy(value, &number, sizeof number);
    *n = sizeof number;
    return 0;
}

WRAP(int, setsockopt, int fd, int level, int name, const void *value, socklen_t n)
{
    struct linger linger = {0};

    if (level == SOL_SOCKET && name == SO_LINGER) {
        memcpy(&linger, value, n < sizeof linger ? n : sizeof linger);
        net_set_linger(fd, linger.l_onoff && !linger.l_linger);
    }
    return 0;
}

/* The machine is attached to no network, whichever it is that this runs on. */
WRAP(int, getifaddrs, struct ifaddrs **ret_first)
{
    (void)ret_first;
    return (int)tell(-EPERM);
}

/* Bytes */

WRAP(ssize_t, recv, int fd, void *bytes, size_t n, int flags)
{
    return tell(net_recv(fd, bytes, n, flags & MSG_PEEK));
}

WRAP(ssize_t, send, int fd, const void *bytes, size_t n, int flags)
{
    (void)flags;
    return tell(net_send(fd, bytes, n));
}

WRAP(ssize_t, read, int fd, void *bytes, size_t n)
{
    return net_owns(fd) ? tell(net_recv(fd, bytes, n, false)) : __real_read(fd, bytes, n);
}

WRAP(ssize_t, write, int fd, const void *bytes, size_t n)
{
    return net_owns(fd) ? tell(net_send(fd, bytes, n)) : __real_write(fd, bytes, n);
}

/* One after the other until one goes only in part, as if they were one. */
static ssize_t send_parts(int fd, const struct iovec *parts, size_t n)
{
    ssize_t all = 0;

    for (size_t i = 0; i < n; i++) {
        ssize_t sent = net_send(fd, parts[i].iov_base, parts[i].iov_len);

        if (sent < 0)
            return all ? all : sent;
        all += sent;
        if ((size_t)sent < parts[i].iov_len)
            break;
    }
    return all;
}

WRAP(ssize_t, sendmsg, int fd, const struct msghdr *message, int flags)
{
    (void)flags;
    return tell(send_parts(fd, message->msg_iov, message->msg_iovlen));
}

WRAP(ssize_t, writev, int fd, const struct iovec *parts, int n)
{
    return net_owns(fd) ? tell(send_parts(fd, parts, (size_t)n)) : __real_writev(fd, parts, n);
}

/* Pipes */

WRAP(int, pipe2, int fds[2], int flags)
{
    (void)flags;
    return (int)tell(net_pipe(fds));
}

/* Neither sockets nor pipes have a place to begin at. */
WRAP(ssize_t, splice, int from, void *from_at, int to, void *to_at, size_t n, unsigned flags)
{
    (void)flags;
    return tell(from_at || to_at ? -ESPIPE : net_splice(from, to, n));
}

static int control(int fd, int command, long value)
{
    if (command == F_SETPIPE_SZ || command == F_GETPIPE_SZ)
        return net_pipe_room(fd, command == F_SETPIPE_SZ ? (size_t)value : 0);
    return 0;
}

/* With large files fcntl goes by this name. */
WRAP(int, fcntl64, int fd, int command, ...)
{
    va_list args;
    long value;

    va_start(args, command);
    value = va_arg(args, long);
    va_end(args);
    return net_owns(fd) ? (int)tell(control(fd, command, value))
                        : __real_fcntl64(fd, command, value);
}

WRAP(int, close, int fd)
{
    return net_owns(fd) ? (int)tell(net_close(fd)) : __real_close(fd);
}
