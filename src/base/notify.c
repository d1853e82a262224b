/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/notify.h"

#include "base/auto.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

/* The address in NOTIFY_SOCKET: a path, or with an @ a name without one; 0: none that we know. */
static socklen_t read_address(struct sockaddr_un *ret_address)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t n = path ? strlen(path) : 0;

    if (n < 2 || n >= sizeof ret_address->sun_path || (path[0] != '/' && path[0] != '@'))
        return 0;
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret_address->sun_path, path, n);
    if (path[0] == '@')
        ret_address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

/* A manager that does not listen is not worth a word: it notices by itself. */
static void notify(const char *state)
{
    struct sockaddr_un address;
    socklen_t n = read_address(&address);
    AUTO(auto_close) int fd = n ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;

    if (fd >= 0)
        (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const void *)&address, n);
}

void notify_ready(void)
{
    notify("READY=1");
}

/* With the time, by which the manager knows which reload of several it was. */
void notify_reloading(void)
{
    struct timespec t;
    char state[80];

    clock_gettime(CLOCK_MONOTONIC, &t);
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
             (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000);
    notify(state);
}

void notify_stopping(void)
{
    notify("STOPPING=1");
}
