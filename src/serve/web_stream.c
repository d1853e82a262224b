/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * MHD asks for more of a body whenever the connection takes it. When there is nothing to say, the
 * connection is suspended, and resumed by web_wake. A connection that is suspended is not watched
 * by MHD, so a reader who leaves is seen here: the descriptor is in our loop's set too.
 *
 * A stream's connection is not used for a further request: it may be idle for as long as it likes,
 * and that stays with it.
 */
#include "serve/web_private.h"

#include "base/xalloc.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_BYTES = 16 << 10,
    /* A machine that went without a word is missed after two minutes. */
    PROBE_AFTER_SECONDS = 60,
    PROBE_SECONDS = 15,
    PROBES = 4,
};

struct web_reader {
    struct web *web;
    struct MHD_Connection *connection;
    struct web_stream stream;
    struct buf said; /* what came of the last fill; up to `read` it is with MHD */
    size_t read;
    bool is_over;    /* there is no more than that */
    bool is_waiting; /* suspended */
    bool has_left;
    struct loop_fd watch;
    struct web_reader *next, **link; /* link: what points here */
};

/* --- waiting --- */

static void wait_for_more(struct web_reader *s)
{
    buf_finish(&s->said); /* who waits holds nothing */
    s->read = 0;
    s->is_waiting = true;
    MHD_suspend_connection(s->connection);
}

static void stop_waiting(struct web_reader *s)
{
    if (!s->is_waiting)
        return;
    s->is_waiting = false;
    MHD_resume_connection(s->connection); /* which takes effect when MHD runs */
    web_run_soon(s->web);
}

void web_wake(struct web *w)
{
    for (struct web_reader *s = w->readers; s; s = s->next)
        stop_waiting(s);
}

void streams_end(struct web *w)
{
    for (struct web_reader *s = w->readers; s; s = s->next) {
        s->has_left = true;
        stop_waiting(s);
    }
}

size_t web_stream_count(const struct web *w)
{
    return w->reader_count;
}

/* --- leaving --- */

/* The end has been read, or nothing will be; in TLS what comes first is the word that it ends. */
static bool is_leaving(const struct web_reader *s, unsigned events)
{
    char byte;
    ssize_t n;

    if (events & LOOP_HANGUP)
        return true;
    n = recv(s->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n > 0 ? s->web->tls != NULL : n == 0 || errno != EAGAIN;
}

static void on_reader(void *ctx, unsigned events)
{
    struct web_reader *s = ctx;

    if (!is_leaving(s, events)) {
        loop_set_events(s->web->loop, &s->watch, 0); /* a further request: it stays unread */
        return;
    }
    loop_del_fd(s->web->loop, &s->watch);
    s->watch.fd = -1;
    s->has_left = true;
    stop_waiting(s);
}

/* Without a watch the reader is missed when something is said to it. */
static void watch_reader(struct web_reader *s, int fd)
{
    s->watch = (struct loop_fd){.fd = fd, .events = LOOP_READ, .ready = on_reader, .ctx = s};
    if (loop_add_fd(s->web->loop, &s->watch) < 0)
        s->watch.fd = -1;
}

static void probe_reader(int fd)
{
    static const int on = 1, after = PROBE_AFTER_SECONDS, every = PROBE_SECONDS, times = PROBES;

    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &after, sizeof after);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
}

/* --- saying --- */

static void fill(struct web_reader *s)
{
    buf_clear(&s->said);
    s->read = 0;
    s->is_over = !s->stream.fill(s->stream.ctx, &s->said);
}

/* For MHD: 0 is no end, but to be followed by a suspended connection. */
static ssize_t read_stream(void *ctx, uint64_t at, char *to, size_t room)
{
    struct web_reader *s = ctx;
    struct str rest;

    (void)at;
    if (s->has_left)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (s->read == s->said.n && !s->is_over)
        fill(s);
    if (s->said.full)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    rest = str_head(str_skip(buf_str(&s->said), s->read), room);
    if (rest.n)
        memcpy(to, rest.p, rest.n);
    else if (s->is_over)
        return MHD_CONTENT_READER_END_OF_STREAM;
    else
        wait_for_more(s);
    s->read += rest.n;
    if (rest.n)
        s->web->hasty_runs = 0; /* something moves */
    return (ssize_t)rest.n;
}

/* --- beginning and ending --- */

/* Before the descriptor is closed. */
static void remove_reader(struct web_reader *s)
{
    if (s->watch.fd >= 0)
        loop_del_fd(s->web->loop, &s->watch);
    if (s->next)
        s->next->link = s->link;
    *s->link = s->next;
    s->web->reader_count--;
    buf_finish(&s->said);
    free(s);
}

static void end_stream(void *ctx)
{
    struct web_reader *s = ctx;

    s->stream.close(s->stream.ctx);
    remove_reader(s);
}

static struct web_reader *add_reader(struct web *w, struct MHD_Connection *connection,
                                     const struct web_stream *stream)
{
    struct web_reader *s = xalloc(sizeof *s);

    *s = (struct web_reader){.web = w,
                             .connection = connection,
                             .stream = *stream,
                             .watch.fd = -1,
                             .next = w->readers,
                             .link = &w->readers};
    if (s->next)
        s->next->link = &s->next;
    w->readers = s;
    w->reader_count++;
    buf_init(&s->said, ANSWER_BYTES);
    return s;
}

struct MHD_Response *stream_open(struct web *w, struct MHD_Connection *connection,
                                 const struct web_stream *stream)
{
    struct MHD_Response *response;
    struct web_reader *s;
    int fd;

    if (w->reader_count >= STREAMS_MAX)
        return NULL;
    s = add_reader(w, connection, stream);
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, s,
                                                 end_stream);
    if (!response) {
        remove_reader(s);
        return NULL;
    }
    fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    watch_reader(s, fd);
    probe_reader(fd);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
    return response;
}
