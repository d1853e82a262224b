/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/output_file.h"

#include "base/auto.h"
#include "base/xalloc.h"
#include "cmd/cmd.h"
#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct output_file {
    int fd;      /* -1: standard output */
    char *path;  /* as it was given */
    char *place; /* where it goes, symbolic links followed */
    char *temp;  /* what it is called until then; NULL: it is written to directly */
};

/* A regular file that is there, or none: then it can be replaced. */
static bool is_replaceable(const char *path)
{
    struct stat st;

    return stat(path, &st) != 0 || S_ISREG(st.st_mode);
}

/* The mode that open would give, and not mkstemp's 0600. */
static void set_usual_mode(int fd)
{
    mode_t mask = umask(0);

    umask(mask);
    fchmod(fd, 0666 & ~mask);
}

static int open_beside(struct output_file *f)
{
    f->place = realpath(f->path, NULL);
    if (!f->place)
        f->place = xstrdup(f->path);
    if (asprintf(&f->temp, "%s.XXXXXX", f->place) < 0) {
        f->temp = NULL;
        return -ENOMEM;
    }
    f->fd = mkostemp(f->temp, O_CLOEXEC);
    if (f->fd < 0) {
        free(STEAL(&f->temp));
        return -errno;
    }
    set_usual_mode(f->fd);
    return 0;
}

static int open_directly(struct output_file *f)
{
    f->fd = open(f->path, O_WRONLY | O_CLOEXEC);
    return f->fd < 0 ? -errno : 0;
}

int output_file_open(const char *path, struct output_file **ret_file, struct err *err)
{
    struct output_file *f = xalloc(sizeof *f);
    int r = 0;

    f->fd = -1;
    if (path) {
        f->path = xstrdup(path);
        r = is_replaceable(path) ? open_beside(f) : open_directly(f);
    }
    if (r) {
        output_file_close(f);
        return err_set(err, r, "%s: cannot write: %s", path, strerror(-r));
    }
    *ret_file = f;
    return 0;
}

int output_file_write(struct output_file *f, struct str bytes, struct err *err)
{
    if (!f->path)
        return output_put(bytes) == EXIT_OK ? 0 : -EIO; /* which it has logged */

    while (bytes.n) {
        ssize_t n = write(f->fd, bytes.p, bytes.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, -errno, "%s: cannot write: %s", f->path, strerror(errno));
        bytes = str_skip(bytes, (size_t)n);
    }
    return 0;
}

int output_file_keep(struct output_file *f, struct err *err)
{
    if (!f->temp)
        return 0;
    if (fsync(f->fd) || rename(f->temp, f->place))
        return err_set(err, -errno, "%s: cannot write: %s", f->path, strerror(errno));
    free(STEAL(&f->temp));
    return 0;
}

void output_file_close(struct output_file *f)
{
    if (!f)
        return;
    if (f->temp)
        unlink(f->temp);
    auto_close(&f->fd);
    free(f->path);
    free(f->place);
    free(f->temp);
    free(f);
}
