/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/process.h"

#include "base/auto.h"
#include "base/str.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

enum {
    STAT_BYTES = 2048,     /* a line of numbers */
    STAT_BEGAN_FIELD = 20, /* of /proc/self/stat, counted from the one after the name; proc(5) */
};

#define SECOND_US UINT64_C(1000000)

/* The first bytes of a file under /proc; empty when there are none. */
static struct str read_proc(const char *path, char text[static STAT_BYTES])
{
    AUTO(auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, STAT_BYTES);

    return str_from(text, n > 0 ? (size_t)n : 0);
}

static uint64_t next_number(struct str *rest)
{
    uint64_t n = 0;

    str_to_u64(str_word(rest), &n);
    return n;
}

static void measure_memory(struct process_use *use)
{
    char text[STAT_BYTES];
    struct str rest = read_proc("/proc/self/statm", text);
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    use->virtual_bytes = next_number(&rest) * page;
    use->resident_bytes = next_number(&rest) * page;
}

static uint64_t clock_us(clockid_t id)
{
    struct timespec t = {0};

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * SECOND_US + (uint64_t)t.tv_nsec / 1000;
}

/* The kernel says it in ticks since the machine began. The name before it may hold anything. */
uint64_t process_began_wall_us(void)
{
    char text[STAT_BYTES];
    struct str rest = read_proc("/proc/self/stat", text);
    uint64_t ticks_a_second = (uint64_t)sysconf(_SC_CLK_TCK), ticks = 0;

    rest = str_skip(rest, str_rfind(rest, ')') + 1);
    for (int i = 0; i < STAT_BEGAN_FIELD; i++)
        ticks = next_number(&rest);
    if (!ticks || !ticks_a_second)
        return 0;
    return clock_us(CLOCK_REALTIME) - clock_us(CLOCK_BOOTTIME) + ticks * SECOND_US / ticks_a_second;
}

static uint64_t count_entries(const char *path)
{
    DIR *folder = opendir(path);
    uint64_t n = 0;

    if (!folder)
        return 0;
    for (const struct dirent *entry; (entry = readdir(folder));)
        n += entry->d_name[0] != '.';
    closedir(folder);
    return n ? n - 1 : 0; /* without the one that reads them */
}

static void measure_fds(struct process_use *use)
{
    struct rlimit limit = {0};
    struct stat folder;

    getrlimit(RLIMIT_NOFILE, &limit);
    use->max_fds = limit.rlim_cur;
    /* From Linux 6.2 on the folder's size is their number; counting thousands takes a while. */
    if (stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0)
        use->open_fds = (uint64_t)folder.st_size;
    else
        use->open_fds = count_entries("/proc/self/fd");
}

static uint64_t us_of(const struct timeval *t)
{
    return (uint64_t)t->tv_sec * SECOND_US + (uint64_t)t->tv_usec;
}

struct process_use process_measure(void)
{
    struct process_use use = {0};
    struct rusage usage = {0};

    getrusage(RUSAGE_SELF, &usage);
    use.cpu_us = us_of(&usage.ru_utime) + us_of(&usage.ru_stime);
    measure_memory(&use);
    measure_fds(&use);
    return use;
}
