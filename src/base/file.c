/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"

#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Opened without waiting, in case it is a pipe. */
static int open_file(const char *path, int *ret_fd, struct stat *ret_stat, struct err *err)
{
    AUTO(auto_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, ret_stat) < 0)
        return err_set(err, -errno, "%s: cannot be read: %s", path, strerror(errno));
    if (!S_ISREG(ret_stat->st_mode))
        return err_set(err, -EINVAL, "%s: cannot be read: it is not a file", path);
    *ret_fd = steal_fd(&fd);
    return 0;
}

int file_read(const char *path, struct buf *out, bool *ret_others_may_read, struct err *err)
{
    AUTO(auto_close) int fd = -1;
    struct stat st = {0};
    int r = open_file(path, &fd, &st, err);

    while (r == 0) {
        char piece[65536];
        ssize_t n = read(fd, piece, sizeof piece);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            r = err_set(err, -errno, "%s: cannot be read: %s", path, strerror(errno));
        if (n <= 0)
            break;
        buf_put(out, piece, (size_t)n);
        if (out->full)
            r = err_set(err, -EFBIG, "%s: more than %zu bytes, which is too much here", path,
                        out->max);
    }
    if (r == 0 && ret_others_may_read)
        *ret_others_may_read = st.st_mode & S_IROTH;
    return r;
}
