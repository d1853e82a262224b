/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * proxy_relay: the floor under the bulk of any proxy: bytes go from one socket to the other through
 * a pipe, within the kernel, and nobody looks at them.
 *
 *     proxy_relay PORT ORIGIN-ADDRESS ORIGIN-PORT
 *
 * It listens on this port of 127.0.0.1 and connects to the origin, which is on this machine too,
 * for every client. One thread, one pipe a direction, until it is killed.
 */
#include "base/xalloc.h"
#include "bench/load_poll.h"
#include "bench/proxy_bare.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIPE_BYTES = 1024 * 1024, ROUND_CLOSES = 1024 };

/* One direction of a relayed connection: what `from` sends goes through the pipe to `to`. */
struct flow {
    int from, to;
    int pipe[2];
    size_t held; /* bytes in the pipe */
    bool ended;
};

struct relayed;

struct end {
    struct watch watch;
    int fd;
    struct relayed *relayed;
};

struct relayed {
    struct end client, origin;
    struct flow up, down;
    bool broken, dead;
};

/* A round may still hold what ended in it, so that is freed afterwards. */
static struct relayed *dead[ROUND_CLOSES];
static unsigned dead_count;

static int poll_fd;
static struct sockaddr_in origin_address;

/* False when the connection broke. */
static bool fill_pipe(struct flow *f, bool *ret_moved)
{
    ssize_t n =
        splice(f->from, NULL, f->pipe[1], NULL, PIPE_BYTES, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

    if (n < 0)
        return errno == EAGAIN;
    f->held += (size_t)n;
    f->ended = n == 0;
    *ret_moved = true;
    return true;
}

static bool drain_pipe(struct flow *f, bool *ret_moved)
{
    ssize_t n = splice(f->pipe[0], NULL, f->to, NULL, f->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

    if (n < 0)
        return errno == EAGAIN || errno == ENOTCONN;
    f->held -= (size_t)n;
    *ret_moved = n > 0;
    return true;
}

/* Until neither end can go on: there will be an edge when one can. */
static bool pump(struct flow *f)
{
    bool moved = true;

    while (moved) {
        moved = false;
        if (!f->ended && !f->held && !fill_pipe(f, &moved))
            return false;
        if (f->held && !drain_pipe(f, &moved))
            return false;
        if (f->ended && !f->held) {
            shutdown(f->to, SHUT_WR);
            return true;
        }
    }
    return true;
}

static void end_relayed(struct relayed *r)
{
    r->dead = true;
    close(r->client.fd);
    close(r->origin.fd);
    for (unsigned i = 0; i < 2; i++) {
        close(r->up.pipe[i]);
        close(r->down.pipe[i]);
    }
    dead[dead_count++] = r;
}

static void on_end(struct watch *watch, uint32_t events)
{
    struct relayed *r = ((struct end *)watch)->relayed;

    (void)events;
    if (r->dead)
        return;
    if (!pump(&r->up) || !pump(&r->down) || (r->up.ended && r->down.ended && !r->down.held))
        end_relayed(r);
}

static int open_origin(void)
{
    int fd = bare_socket();

    if (connect(fd, (struct sockaddr *)&origin_address, sizeof origin_address) < 0 &&
        errno != EINPROGRESS)
        err(1, "cannot connect to the origin");
    return fd;
}

static void open_flow(struct flow *f, int from, int to)
{
    if (pipe2(f->pipe, O_NONBLOCK | O_CLOEXEC) < 0)
        err(1, "cannot make a pipe");
    fcntl(f->pipe[0], F_SETPIPE_SZ, PIPE_BYTES); /* what the system allows */
    f->from = from;
    f->to = to;
}

static void open_end(struct end *end, struct relayed *r, int fd)
{
    end->watch.ready = on_end;
    end->fd = fd;
    end->relayed = r;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    poll_add(poll_fd, fd, POLL_EDGES, &end->watch);
}

static void relay(int client_fd)
{
    struct relayed *r = xalloc(sizeof *r);
    int origin_fd = open_origin();

    open_flow(&r->up, client_fd, origin_fd);
    open_flow(&r->down, origin_fd, client_fd);
    open_end(&r->client, r, client_fd);
    open_end(&r->origin, r, origin_fd);
}

static int listen_fd;

static void on_listener(struct watch *watch, uint32_t events)
{
    int fd;

    (void)watch;
    (void)events;
    while ((fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        relay(fd);
}

int main(int argc, char **argv)
{
    struct watch watch = {.ready = on_listener};

    if (argc != 4)
        errx(1, "usage: proxy_relay PORT ORIGIN-ADDRESS ORIGIN-PORT");
    signal(SIGPIPE, SIG_IGN);
    poll_fd = poll_create();
    origin_address = bare_address(argv[2], argv[3]);
    listen_fd = bare_listen(bare_address("127.0.0.1", argv[1]), false);
    poll_add(poll_fd, listen_fd, EPOLLIN, &watch);
    for (;;) {
        poll_round(poll_fd, -1);
        while (dead_count)
            free(dead[--dead_count]);
    }
}
