/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes are a hosts file: what it says of a name is kept within bounds. */
#include "loop/hosts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct loop *make_loop(void)
{
    static struct clock clock;
    struct loop *loop;

    clock_init_held(&clock, 0);
    if (loop_create(&clock, &loop, NULL) < 0)
        abort();
    return loop;
}

/* A file in memory, and the name under which it can be opened. */
static int make_file(const uint8_t *data, size_t size, char path[static 32])
{
    int fd = memfd_create("hosts", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

static void find(struct hosts *h, struct str name)
{
    struct addresses a = {0};
    bool known = hosts_find(h, name, &a);

    assert(known == (a.count[FAMILY_V6] || a.count[FAMILY_V4]));
    assert(a.count[FAMILY_V6] <= ADDRESSES_MAX && a.count[FAMILY_V4] <= ADDRESSES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct loop *loop;
    struct str rest = str_from(data, size), line;
    char path[32];
    int fd = make_file(data, size, path);

    if (!loop)
        loop = make_loop();

    struct hosts *h = hosts_create(loop, path);
    find(h, STR("a.example"));
    while (str_line(&rest, &line)) {
        size_t space = str_rfind(line, ' ');
        find(h, space < line.n ? str_skip(line, space + 1) : line);
    }
    hosts_destroy(h);
    close(fd);
    return 0;
}
