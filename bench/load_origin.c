/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was read and is not understood yet stays in the connection's few bytes; the bytes of bulk
 * never come there: those that arrive are thrown away in the kernel (MSG_TRUNC), those that leave
 * are always the same.
 */
#include "bench/load_origin.h"

#include "base/reader.h"
#include "base/xalloc.h"
#include "bench/load_poll.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 4096, UNREAD_BYTES = 4096, BULK_BYTES = 256 * 1024, TLS_RECORD_HEADER = 5 };

struct listener {
    struct watch watch;
    int fd, poll_fd;
};

struct visitor {
    struct watch watch;
    int fd;
    bool leaving;        /* it asked that the connection ends with the answer */
    bool gone;           /* it said no more comes, or the connection broke */
    uint64_t to_swallow; /* bytes of bulk that are still to come */
    uint64_t to_send;    /* bytes of bulk that it is still to get */
    size_t n;
    char unread[UNREAD_BYTES];
};

static char response[512 + ORIGIN_BODY_BYTES];
static size_t response_n;

static const char bulk[BULK_BYTES];

static void answer(struct visitor *v, const void *p, size_t n)
{
    /* So little always fits: the visitor asks for the next only after it has this. */
    if (send(v->fd, p, n, MSG_NOSIGNAL) != (ssize_t)n)
        v->gone = true;
}

static void send_bulk(struct visitor *v)
{
    while (v->to_send && !v->gone) {
        size_t n = v->to_send < BULK_BYTES ? v->to_send : BULK_BYTES;
        ssize_t sent = send(v->fd, bulk, n, MSG_NOSIGNAL);

        if (sent < 0 && errno == EAGAIN)
            return;
        if (sent < 0)
            v->gone = true;
        else
            v->to_send -= (uint64_t)sent;
    }
}

static void swallow_bulk(struct visitor *v)
{
    while (v->to_swallow) {
        size_t most = v->to_swallow < SIZE_MAX / 2 ? v->to_swallow : SIZE_MAX / 2;
        ssize_t n = recv(v->fd, NULL, most, MSG_TRUNC);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            v->gone = true;
            return;
        }
        v->to_swallow -= (uint64_t)n;
        if (!v->to_swallow)
            answer(v, "DONE", ORIGIN_ANSWER_BYTES);
    }
}

static bool wants_to_leave(struct str head)
{
    struct str line;
    bool leaves = str_search(head, STR(" HTTP/1.0\r\n")) < head.n;

    while (str_line(&head, &line)) {
        struct str name = str_cut(&line, ':');

        if (str_ieq(name, STR("connection")))
            leaves = str_ieq(str_trim(line), STR("close"));
    }
    return leaves;
}

static size_t take_request(struct visitor *v, struct str in)
{
    size_t head_n = str_search(in, STR("\r\n\r\n"));

    if (head_n == in.n)
        return 0;
    v->leaving = wants_to_leave(str_head(in, head_n));
    answer(v, response, response_n);
    return head_n + 4;
}

static size_t take_hello(struct visitor *v, struct str in)
{
    struct reader r = {.rest = in};
    struct reader header = reader_sub(&r, TLS_RECORD_HEADER);

    reader_take(&header, 3); /* type and version */
    reader_take(&r, reader_u16be(&header));
    if (r.bad)
        return 0;
    answer(v, "PONG", ORIGIN_ANSWER_BYTES);
    return in.n - r.rest.n;
}

static size_t take_order(struct visitor *v, struct str in, uint64_t *ret_bytes)
{
    if (in.n < ORIGIN_ORDER_BYTES)
        return 0;
    if (!str_to_u64(str_skip(str_head(in, ORIGIN_ORDER_BYTES), 4), ret_bytes))
        v->gone = true;
    return ORIGIN_ORDER_BYTES;
}

/* Answers what stands at the front; how many bytes that was, 0 while it is not all there. */
static size_t take(struct visitor *v, struct str in)
{
    if (str_starts(in, STR("GET ")))
        return take_request(v, in);
    if (str_starts(in, STR("\x16")))
        return take_hello(v, in);
    if (in.n < 4)
        return 0;
    if (str_starts(in, STR("PING"))) {
        answer(v, "PONG", ORIGIN_ANSWER_BYTES);
        return 4;
    }
    if (str_starts(in, STR("DOWN")))
        return take_order(v, in, &v->to_send);
    if (str_starts(in, STR("UPUP")))
        return take_order(v, in, &v->to_swallow);
    v->gone = true;
    return 0;
}

/* Bulk that was read together with its order is counted as come. */
static void swallow_unread(struct visitor *v, struct str *rest)
{
    size_t n = rest->n < v->to_swallow ? rest->n : v->to_swallow;

    if (!n)
        return;
    *rest = str_skip(*rest, n);
    v->to_swallow -= n;
    if (!v->to_swallow)
        answer(v, "DONE", ORIGIN_ANSWER_BYTES);
}

static void take_all(struct visitor *v)
{
    struct str rest = str_from(v->unread, v->n);
    size_t taken = 1;

    while (rest.n && taken && !v->gone) {
        taken = take(v, rest);
        rest = str_skip(rest, taken);
        swallow_unread(v, &rest);
    }
    memmove(v->unread, rest.p, rest.n);
    v->n = rest.n;
}

static void read_more(struct visitor *v)
{
    bool more = true;

    while (more && !v->to_swallow && !v->gone) {
        size_t room = UNREAD_BYTES - v->n;
        ssize_t n = recv(v->fd, v->unread + v->n, room, 0);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            v->gone = true;
            return;
        }
        more = (size_t)n == room; /* less: the kernel has no more, and will say when it has */
        v->n += (size_t)n;
        take_all(v);
        v->gone |= v->n == UNREAD_BYTES;
    }
}

static void on_visitor(struct watch *watch, uint32_t events)
{
    struct visitor *v = (struct visitor *)watch;

    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        read_more(v);
        swallow_bulk(v);
    }
    send_bulk(v);
    if (v->gone || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) || (v->leaving && !v->n)) {
        close(v->fd);
        free(v);
    }
}

static void on_listener(struct watch *watch, uint32_t events)
{
    const struct listener *l = (struct listener *)watch;
    int fd;

    (void)events;
    while ((fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct visitor *v = xalloc(sizeof *v);

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        v->watch.ready = on_visitor;
        v->fd = fd;
        poll_add(l->poll_fd, fd, POLL_EDGES, &v->watch);
    }
}

static uint16_t listen_at(int poll_fd, uint32_t address, uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
    socklen_t n = sizeof at;
    struct listener *l = xalloc(sizeof *l);

    l->watch.ready = on_listener;
    l->poll_fd = poll_fd;
    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(l->fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(l->fd, BACKLOG) < 0 ||
        getsockname(l->fd, (struct sockaddr *)&at, &n) < 0)
        err(1, "cannot listen for the proxies");
    poll_add(poll_fd, l->fd, EPOLLIN, &l->watch);
    return ntohs(at.sin_port);
}

static void write_response(void)
{
    int head = snprintf(response, sizeof response,
                        "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
                        "Content-Type: application/octet-stream\r\nCache-Control: no-store\r\n"
                        "Content-Length: %d\r\n\r\n",
                        ORIGIN_BODY_BYTES);

    memset(response + head, '.', ORIGIN_BODY_BYTES);
    response_n = (size_t)head + ORIGIN_BODY_BYTES;
}

uint16_t origin_listen(int poll_fd)
{
    uint16_t port = 0;

    write_response();
    for (uint32_t i = 0; i < ORIGIN_ADDRESSES; i++)
        port = listen_at(poll_fd, INADDR_LOOPBACK + i, port);
    return port;
}
