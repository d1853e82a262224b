/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/pipes.h"

#include "base/xalloc.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* As much as any user may have: the more a pipe holds, the fewer calls. */
enum { PIPE_BYTES = 1 << 20 };

static struct pipe *open_pipe(void)
{
    struct pipe *pipe;
    int fds[2];

    if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0)
        return NULL;
    fcntl(fds[1], F_SETPIPE_SZ, PIPE_BYTES); /* past the user's share it stays as it is */
    pipe = xalloc(sizeof *pipe);
    *pipe = (struct pipe){.read_fd = fds[0], .write_fd = fds[1]};
    return pipe;
}

static void close_pipe(struct pipe *pipe)
{
    close(pipe->read_fd);
    close(pipe->write_fd);
    free(pipe);
}

void pipes_init(struct pipes *p, size_t lent_max)
{
    *p = (struct pipes){.lent_max = lent_max};
}

void pipes_finish(struct pipes *p)
{
    while (p->kept) {
        struct pipe *pipe = p->kept;

        p->kept = pipe->next;
        close_pipe(pipe);
    }
    p->kept_count = 0;
}

struct pipe *pipes_take(struct pipes *p)
{
    struct pipe *pipe = p->kept;

    if (p->lent == p->lent_max)
        return NULL;
    if (pipe) {
        p->kept = pipe->next;
        p->kept_count--;
    } else {
        pipe = open_pipe();
    }
    p->lent += pipe != NULL;
    return pipe;
}

void pipes_give_back(struct pipes *p, struct pipe *pipe)
{
    if (!pipe)
        return;
    p->lent--;
    if (pipe->bytes || p->kept_count == PIPES_KEPT_MAX || p->kept_count + p->lent >= p->lent_max) {
        close_pipe(pipe);
        return;
    }
    pipe->next = p->kept;
    p->kept = pipe;
    p->kept_count++;
}
