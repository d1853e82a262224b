/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/side.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* The largest head, rewritten, and one read of body. */
enum { OUT_MAX = 256 << 10 };

/*
 * The loop tells of a hang-up whether or not we wait for anything. When it is an error we want to
 * know; when it only means that both directions have ended, while we cannot read what is left yet,
 * it would be told again and again: so the watch is parked.
 */
static void socket_ready(void *ctx, unsigned events)
{
    struct side *s = ctx;

    if (events & LOOP_HANGUP && !(s->watch.events & LOOP_READ)) {
        int error = 0;
        socklen_t n = sizeof error;

        getsockopt(s->watch.fd, SOL_SOCKET, SO_ERROR, &error, &n);
        if (error)
            s->error = error;
        else if (!(events & LOOP_WRITE)) {
            loop_del_fd(s->loop, &s->watch);
            s->parked = true;
            return;
        }
    }
    s->ready(s->ctx, events);
}

void side_init(struct side *s, struct loop *loop, void (*ready)(void *ctx, unsigned events),
               void *ctx)
{
    *s = (struct side){.loop = loop, .ready = ready, .ctx = ctx, .watch.fd = -1};
    buf_init(&s->out, OUT_MAX);
}

/*
 * A device that loses power says nothing: after a minute of silence, and then four unanswered
 * probes, the kernel ends the connection for us.
 */
static void set_options(int fd)
{
    const struct {
        int level, name, value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},   {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, 60}, {IPPROTO_TCP, TCP_KEEPINTVL, 15},
        {IPPROTO_TCP, TCP_KEEPCNT, 4},
    };

    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                   sizeof options[i].value);
}

int side_take_fd(struct side *s, int fd)
{
    int r;

    set_options(fd);
    s->watch = (struct loop_fd){.fd = fd, .ready = socket_ready, .ctx = s};
    r = loop_add_fd(s->loop, &s->watch);
    if (r < 0) {
        close(fd);
        s->watch.fd = -1;
    }
    return r;
}

bool side_is_open(const struct side *s)
{
    return s->watch.fd >= 0;
}

size_t side_read(struct side *s, char *bytes, size_t n)
{
    ssize_t got;

    if (!n || s->ended)
        return 0;
    do
        got = recv(s->watch.fd, bytes, n, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno != EAGAIN)
        s->error = errno;
    if (got == 0)
        s->ended = true;
    return got > 0 ? (size_t)got : 0;
}

static size_t send_some(struct side *s, struct str bytes)
{
    ssize_t sent;

    do
        sent = send(s->watch.fd, bytes.p, bytes.n, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN)
        s->error = errno;
    return sent > 0 ? (size_t)sent : 0;
}

void side_send(struct side *s, struct str bytes)
{
    if (!bytes.n || s->error)
        return;
    if (!s->out.n)
        bytes = str_skip(bytes, send_some(s, bytes));
    if (!s->error)
        buf_put_str(&s->out, bytes);
}

void side_flush(struct side *s)
{
    if (s->out.n && !s->error)
        buf_eat(&s->out, send_some(s, buf_str(&s->out)));
    if (s->error || !s->out.n)
        buf_finish(&s->out);
    if (!s->out.n && s->end_due && !s->end_sent && !s->error) {
        shutdown(s->watch.fd, SHUT_WR);
        s->end_sent = true;
    }
}

void side_end(struct side *s)
{
    s->end_due = true;
    side_flush(s);
}

void side_want(struct side *s, bool reading)
{
    unsigned events = (reading && !s->ended ? LOOP_READ : 0u) | (s->out.n ? LOOP_WRITE : 0u);

    if (!side_is_open(s))
        return;
    if (s->parked && events) {
        s->watch.events = events;
        s->parked = loop_add_fd(s->loop, &s->watch) < 0;
    } else if (!s->parked) {
        loop_set_events(s->loop, &s->watch, events);
    }
}

void side_close(struct side *s, bool reset)
{
    static const struct linger now = {.l_onoff = 1, .l_linger = 0};

    buf_finish(&s->out);
    if (!side_is_open(s))
        return;
    if (reset)
        setsockopt(s->watch.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    if (!s->parked)
        loop_del_fd(s->loop, &s->watch);
    close(s->watch.fd);
    side_init(s, s->loop, s->ready, s->ctx);
}
