/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/lock.h"

#include "base/auto.h"
#include "base/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

struct file_lock {
    struct file_lock *next;
    int fd;
    dev_t dev;
    ino_t ino;
};

/* What this process records. */
static struct file_lock *held;
static pthread_mutex_t held_mutex = PTHREAD_MUTEX_INITIALIZER;

static bool is_held(const struct stat *st)
{
    for (const struct file_lock *l = held; l; l = l->next)
        if (l->dev == st->st_dev && l->ino == st->st_ino)
            return true;
    return false;
}

static int refuse(const char *path, struct err *err)
{
    return err_set(err, -EBUSY, "%s: is being recorded already", path);
}

static int take(const char *path, struct file_lock **ret_lock, struct err *err)
{
    struct stat st;

    if (stat(path, &st) == 0) {
        if (!S_ISREG(st.st_mode))
            return err_set(err, -EINVAL, "%s: is not a regular file", path);
        if (is_held(&st))
            return refuse(path, err);
    }

    AUTO(auto_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0)
        return err_set(err, -errno, "%s: cannot open: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK
                   ? refuse(path, err)
                   : err_set(err, -errno, "%s: cannot lock: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0)
        return err_set(err, -errno, "%s: %s", path, strerror(errno));

    struct file_lock *l = xalloc(sizeof(*l));
    *l = (struct file_lock){.next = held, .fd = steal_fd(&fd), .dev = st.st_dev, .ino = st.st_ino};
    held = l;
    *ret_lock = l;
    return 0;
}

int file_lock_take(const char *path, struct file_lock **ret_lock, struct err *err)
{
    pthread_mutex_lock(&held_mutex);
    int r = take(path, ret_lock, err);
    pthread_mutex_unlock(&held_mutex);
    return r;
}

void file_lock_release(struct file_lock *l)
{
    struct file_lock **at = &held;

    if (!l)
        return;
    pthread_mutex_lock(&held_mutex);
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    close(l->fd);
    pthread_mutex_unlock(&held_mutex);
    free(l);
}

bool file_lock_holds(const struct file_lock *l, const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_dev == l->dev && st.st_ino == l->ino;
}

struct file_watch {
    int fd;
};

int file_watch_open(const char *path, struct file_watch **ret_watch, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return err_set(err, -errno, "%s: cannot open: %s", path, strerror(errno));
    *ret_watch = xalloc(sizeof **ret_watch);
    (*ret_watch)->fd = fd;
    return 0;
}

void file_watch_close(struct file_watch *w)
{
    if (!w)
        return;
    close(w->fd);
    free(w);
}

/* A recorder's lock cannot be shared; when it can, ours is given back at once. */
bool file_watch_is_recorded(const struct file_watch *w)
{
    if (flock(w->fd, LOCK_SH | LOCK_NB) < 0)
        return errno == EWOULDBLOCK;
    flock(w->fd, LOCK_UN);
    return false;
}
