/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `readable` saves the read that would only say that there is nothing: a read that comes back short
 * has emptied the socket, and what comes later, an end too, the loop tells anew, for it tells of
 * what is there and not of what has changed (epoll's level-triggered mode).
 */
#include "sources/proxy/side.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* The largest head, rewritten, and one read of body. */
enum { OUT_MAX = 256 << 10 };

/* More than any pipe has places for. */
enum { SPLICE_BYTES = 1 << 20 };

struct socket_option {
    int level, name, value;
};

/*
 * The loop tells of a hang-up whether or not we wait for anything. When it is an error we want to
 * know; when it only means that both directions have ended, while we cannot read what is left yet,
 * it would be told again and again: so the watch is parked.
 */
static bool hung_up(struct side *s, unsigned events)
{
    int error = 0;
    socklen_t n = sizeof error;

    getsockopt(s->watch.fd, SOL_SOCKET, SO_ERROR, &error, &n);
    if (error) {
        s->error = error;
        return true;
    }
    if (events & LOOP_WRITE)
        return true;
    loop_del_fd(s->loop, &s->watch);
    s->parked = true;
    return false;
}

static void socket_ready(void *ctx, unsigned events)
{
    struct side *s = ctx;

    if (events & (LOOP_READ | LOOP_HANGUP) && !s->ended) /* after its end there is nothing */
        s->readable = true;
    if (events & LOOP_HANGUP && !(s->watch.events & LOOP_READ) && !hung_up(s, events))
        return;
    s->ready(s->ctx, events);
}

void side_init(struct side *s, struct loop *loop, void (*ready)(void *ctx, unsigned events),
               void *ctx)
{
    *s = (struct side){.loop = loop, .ready = ready, .ctx = ctx, .watch.fd = -1};
    buf_init(&s->out, OUT_MAX);
}

static void set_options(int fd, const struct socket_option *options, size_t n)
{
    for (size_t i = 0; i < n; i++)
        setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                   sizeof options[i].value);
}

void side_send_at_once(int fd)
{
    static const struct socket_option options[] = {{IPPROTO_TCP, TCP_NODELAY, 1}};

    set_options(fd, options, sizeof options / sizeof *options);
}

void side_watch_peer(int fd)
{
    static const struct socket_option options[] = {
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, 60},
        {IPPROTO_TCP, TCP_KEEPINTVL, 15},
        {IPPROTO_TCP, TCP_KEEPCNT, 4},
    };

    set_options(fd, options, sizeof options / sizeof *options);
}

int side_take(struct side *s, int fd)
{
    int r;

    s->watch = (struct loop_fd){.fd = fd, .events = LOOP_READ, .ready = socket_ready, .ctx = s};
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

bool side_has_sent(const struct side *s)
{
    static const struct socket_option options[] = {{IPPROTO_TCP, TCP_NOTSENT_LOWAT, 1}};
    int unsent = 0;

    if (s->out.n)
        return false;
    set_options(s->watch.fd, options, sizeof options / sizeof *options);
    return ioctl(s->watch.fd, SIOCOUTQNSD, &unsent) < 0 || !unsent;
}

size_t side_read(struct side *s, char *bytes, size_t n)
{
    ssize_t got;

    if (!n || !s->readable || s->ended)
        return 0;
    do
        got = recv(s->watch.fd, bytes, n, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno != EAGAIN)
        s->error = errno;
    if (got == 0)
        s->ended = true;
    s->readable = got == (ssize_t)n;
    return got > 0 ? (size_t)got : 0;
}

/* Something may be left to be read; the next read finds out. */
static void note_error(struct side *s, int error)
{
    s->error = error;
    s->readable = !s->ended;
}

static ssize_t send_once(int fd, struct str first, struct str second)
{
    struct iovec parts[] = {{(void *)first.p, first.n}, {(void *)second.p, second.n}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

    return second.n ? sendmsg(fd, &message, MSG_NOSIGNAL)
                    : send(fd, first.p, first.n, MSG_NOSIGNAL);
}

static size_t send_some(struct side *s, struct str first, struct str second)
{
    ssize_t sent;

    do
        sent = send_once(s->watch.fd, first, second);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN)
        note_error(s, errno);
    return sent > 0 ? (size_t)sent : 0;
}

void side_send_both(struct side *s, struct str first, struct str second)
{
    size_t sent;

    if (s->error || !(first.n + second.n))
        return;
    sent = s->out.n ? 0 : send_some(s, first, second);
    if (s->error)
        return;
    buf_put_str(&s->out, str_skip(first, sent));
    buf_put_str(&s->out, sent > first.n ? str_skip(second, sent - first.n) : second);
}

void side_send(struct side *s, struct str bytes)
{
    side_send_both(s, bytes, (struct str){0});
}

void side_flush(struct side *s)
{
    if (s->out.n && !s->error)
        buf_eat(&s->out, send_some(s, buf_str(&s->out), (struct str){0}));
    if (s->error || !s->out.n)
        buf_finish(&s->out);
    if (!s->out.n && s->end_due && !s->end_sent && !s->error) {
        shutdown(s->watch.fd, SHUT_WR);
        s->end_sent = true;
    }
}

/* A splice comes back short also when the pipe has no more places: only EAGAIN means empty. */
size_t side_splice_in(struct side *s, struct pipe *pipe)
{
    ssize_t got;

    if (!s->readable || s->ended)
        return 0;
    do
        got = splice(s->watch.fd, NULL, pipe->write_fd, NULL, SPLICE_BYTES, SPLICE_F_NONBLOCK);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno != EAGAIN)
        s->error = errno;
    if (got == 0)
        s->ended = true;
    s->readable = got > 0;
    pipe->bytes += got > 0 ? (size_t)got : 0;
    return got > 0 ? (size_t)got : 0;
}

void side_splice_out(struct side *s, struct pipe *pipe)
{
    ssize_t sent;

    if (!pipe->bytes || s->error)
        return;
    do
        sent = splice(pipe->read_fd, NULL, s->watch.fd, NULL, pipe->bytes, SPLICE_F_NONBLOCK);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN)
        note_error(s, errno);
    pipe->bytes -= sent > 0 ? (size_t)sent : 0;
}

void side_end(struct side *s)
{
    s->end_due = true;
    side_flush(s);
}

/* Nobody looks for an error where bytes are waited for: so it is told as the loop would have. */
static void tell_error(void *ctx)
{
    struct side *s = ctx;

    if (s->parked && s->error) /* and it has not been closed meanwhile */
        s->ready(s->ctx, LOOP_HANGUP);
}

static void come_back(struct side *s, unsigned events)
{
    int r;

    s->watch.events = events;
    r = loop_add_fd(s->loop, &s->watch);
    if (r == 0) {
        s->parked = false;
        return;
    }
    note_error(s, -r);
    loop_defer(s->loop, tell_error, s);
}

void side_want(struct side *s, bool reading, bool writing)
{
    unsigned events =
        (reading && !s->ended ? LOOP_READ : 0u) | (writing || s->out.n ? LOOP_WRITE : 0u);

    if (!side_is_open(s))
        return;
    if (s->parked) {
        if (events && !s->error)
            come_back(s, events);
    } else {
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
    loop_close_fd(s->loop, &s->watch);
    side_init(s, s->loop, s->ready, s->ctx);
}
