/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench/proxy_bare.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <err.h>
#include <sys/socket.h>

enum { BACKLOG = 4096 };

struct sockaddr_in bare_address(const char *host, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct str digits = str_of(port);
    uint64_t number;

    if (!str_to_u64(digits, &number) || number > UINT16_MAX ||
        inet_pton(AF_INET, host, &address.sin_addr) != 1 ||
        ntohl(address.sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
        errx(1, "not an address and port of this machine: %s %s", host, port);
    address.sin_port = htons((uint16_t)number);
    return address;
}

int bare_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        err(1, "cannot make a socket");
    return fd;
}

int bare_listen(struct sockaddr_in at, bool is_shared)
{
    int fd = bare_socket();

    setsockopt(fd, SOL_SOCKET, is_shared ? SO_REUSEPORT : SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, BACKLOG) < 0)
        err(1, "cannot listen");
    return fd;
}
