/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "loop/activation.h"

#include "base/auto.h"
#include "base/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_FD = 3 }; /* SD_LISTEN_FDS_START */

/* A copy of the variable, which is gone then; NULL when it was not there. */
static char *take_variable(const char *name)
{
    const char *value = getenv(name);
    char *copy = value ? xstrdup(value) : NULL;

    unsetenv(name);
    return copy;
}

/* The variables outlive an exec: they are ours only when they name us. */
static bool is_our_pid(const char *pid)
{
    uint64_t n;

    return str_to_u64(str_of(pid), &n) && n == (uint64_t)getpid();
}

/* A program that we start shall not have it; and nothing that we do with it may wait. */
static int prepare(int fd, struct err *err)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return err_set(err, -errno, "descriptor %d of LISTEN_FDS: %s", fd, strerror(errno));
    return 0;
}

static int take_sockets(struct activation *a, uint64_t count, struct err *err)
{
    struct str names = str_of(a->names);

    for (uint64_t i = 0; i < count; i++) {
        int fd = FIRST_FD + (int)i;
        int r = prepare(fd, err);

        if (r < 0)
            return r;
        a->sockets[a->count++] = (struct activation_socket){fd, str_cut(&names, ':')};
    }
    return 0;
}

int activation_take(struct activation *a, struct err *err)
{
    AUTO(auto_free) char *pid = take_variable("LISTEN_PID");
    AUTO(auto_free) char *fds = take_variable("LISTEN_FDS");
    uint64_t count;
    int r;

    *a = (struct activation){.names = take_variable("LISTEN_FDNAMES")};
    if (!fds || !is_our_pid(pid))
        return 0;
    if (!str_to_u64(str_of(fds), &count) || count > ACTIVATION_SOCKETS_MAX)
        return err_set(err, -EINVAL, "LISTEN_FDS: expected a number up to %d, not '%s'",
                       ACTIVATION_SOCKETS_MAX, fds);
    r = take_sockets(a, count, err);
    if (r < 0)
        activation_finish(a);
    return r;
}

int activation_next(struct activation *a, struct str name)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->sockets[i].fd >= 0 && str_eq(a->sockets[i].name, name))
            return steal_fd(&a->sockets[i].fd);
    return -1;
}

void activation_finish(struct activation *a)
{
    for (size_t i = 0; i < a->count; i++)
        auto_close(&a->sockets[i].fd);
    free(a->names);
    *a = (struct activation){0};
}
