/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/imports/intake.h"

#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 256 << 10, TELL_EVERY_BYTES = 1 << 20 };

int intake_open(struct intake *in, const char *path, const struct import_progress *progress,
                struct err *err)
{
    struct stat st;

    bool is_stdin = strcmp(path, "-") == 0;

    *in = (struct intake){.path = is_stdin ? "standard input" : path, .progress = progress};
    buf_init(&in->bytes, BUF_UNBOUNDED);
    in->fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (in->fd < 0)
        return err_set(err, -errno, "%s: cannot open: %s", in->path, strerror(errno));
    if (fstat(in->fd, &st) == 0 && S_ISREG(st.st_mode))
        in->size = (uint64_t)st.st_size;
    return 0;
}

void intake_close(struct intake *in)
{
    if (in->path)
        auto_close(&in->fd);
    buf_finish(&in->bytes);
}

static struct str waiting(const struct intake *in)
{
    return str_skip(buf_str(&in->bytes), in->eaten);
}

static void tell(struct intake *in)
{
    if (!in->progress || (in->done - in->told < TELL_EVERY_BYTES && !in->at_end))
        return;
    in->told = in->done;
    in->progress->tell(in->progress->ctx, in->done, in->size);
}

/* Reads once, after what is waiting. */
static int read_more(struct intake *in, struct err *err)
{
    ssize_t n;

    buf_eat(&in->bytes, in->eaten);
    in->eaten = 0;
    do
        n = read(in->fd, buf_reserve(&in->bytes, PIECE_BYTES), PIECE_BYTES);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set(err, -errno, "%s: cannot read: %s", in->path, strerror(errno));
    buf_wrote(&in->bytes, (size_t)n);
    in->done += (uint64_t)n;
    in->at_end = !n;
    tell(in);
    return 0;
}

int intake_head(struct intake *in, struct str *ret_head, struct err *err)
{
    while (!in->at_end && waiting(in).n < INTAKE_HEAD_BYTES) {
        int r = read_more(in, err);

        if (r)
            return r;
    }
    if (str_starts(waiting(in), STR("\xef\xbb\xbf")))
        in->eaten += 3;
    *ret_head = str_head(waiting(in), INTAKE_HEAD_BYTES);
    return 0;
}

int intake_piece(struct intake *in, struct str *ret_piece, struct err *err)
{
    int r = !waiting(in).n && !in->at_end ? read_more(in, err) : 0;

    if (r)
        return r;
    *ret_piece = waiting(in);
    in->eaten = in->bytes.n;
    return 0;
}

static struct str without_cr(struct str line)
{
    return line.n && line.p[line.n - 1] == '\r' ? str_head(line, line.n - 1) : line;
}

/* Whether there is a line end within what is waiting; `ret_at` is where, or where to look on. */
static bool find_line_end(const struct intake *in, size_t *ret_at)
{
    *ret_at += str_find(str_skip(waiting(in), *ret_at), '\n');
    return *ret_at < waiting(in).n;
}

/* Goes behind the next line end, however far it is. */
static int skip_line(struct intake *in, struct err *err)
{
    for (;;) {
        size_t end = 0;
        bool is_found = find_line_end(in, &end);

        in->eaten += end + is_found;
        if (is_found || in->at_end)
            return 0;

        int r = read_more(in, err);
        if (r)
            return r;
    }
}

int intake_line(struct intake *in, size_t max, struct str *ret_line, bool *ret_too_long,
                struct err *err)
{
    size_t end = 0;
    bool is_found;

    while (!(is_found = find_line_end(in, &end)) && end <= max && !in->at_end) {
        int r = read_more(in, err);
        if (r)
            return r;
    }
    if (!waiting(in).n)
        return 0;

    *ret_too_long = end > max;
    *ret_line = (struct str){0};
    if (*ret_too_long) {
        int r = skip_line(in, err);
        return r ? r : 1;
    }
    *ret_line = without_cr(str_head(waiting(in), end));
    in->eaten += end + is_found;
    return 1;
}
