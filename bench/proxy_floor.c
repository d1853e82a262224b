/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * proxy_floor: the floor under the requests and tunnels of any proxy: as few calls to the kernel as
 * they can be had for, and next to nothing between them.
 *
 *     proxy_floor PORT ORIGIN-ADDRESS ORIGIN-PORT [THREADS]
 *
 * It listens on this port of 127.0.0.1. Whatever a client asks for comes from the origin, which is
 * on this machine too: CONNECT, a connection each; GET in absolute form, one that is kept as long
 * as the client. Ends are passed on one by one, as in any proxy. Messages are taken to be small:
 * what does not fit, or is not taken by the kernel at once, ends the client. Until it is killed.
 */
#include "base/str.h"
#include "base/xalloc.h"
#include "bench/load_poll.h"
#include "bench/proxy_bare.h"

#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MESSAGE_BYTES = 4096,
    THREADS_MAX = 64,
    ARRIVALS = (int)(EPOLLIN | EPOLLRDHUP | EPOLLET),
    ENDS = EPOLLRDHUP | EPOLLHUP | EPOLLERR,
};

struct worker {
    struct watch watch;
    int poll_fd, listen_fd;
    struct client *dead; /* a round may still hold what ended in it: freed afterwards */
};

struct end {
    struct watch watch;
    struct client *client;
    int fd;
    bool ended;
};

struct client {
    struct worker *worker;
    struct client *next_dead;
    struct end device, server;
    bool dead, tunnels;
    uint32_t missed; /* what the device did while the server was dialled */
    size_t n;
    char message[MESSAGE_BYTES]; /* a request, and after it the response */
};

static struct sockaddr_in listen_address, origin_address;
static bool is_shared; /* there are several threads */

static struct client *client_of(struct watch *watch)
{
    return ((struct end *)watch)->client;
}

static void end_client(struct client *c)
{
    if (c->dead)
        return;
    c->dead = true;
    close(c->device.fd);
    if (c->server.fd >= 0)
        close(c->server.fd);
    c->next_dead = c->worker->dead;
    c->worker->dead = c;
}

static bool send_all(const struct end *to, struct str bytes)
{
    return send(to->fd, bytes.p, bytes.n, MSG_NOSIGNAL) == (ssize_t)bytes.n;
}

/* Tunnels */

/* Until the kernel has no more: a read that it could not fill says so, unless the end is due. */
static bool relay(struct end *from, const struct end *to, bool end_is_due)
{
    char *bytes = from->client->message;
    ssize_t n = MESSAGE_BYTES;

    while (n == MESSAGE_BYTES || end_is_due) {
        n = recv(from->fd, bytes, MESSAGE_BYTES, 0);
        if (n < 0)
            return errno == EAGAIN;
        from->ended = n == 0;
        if (from->ended)
            return true;
        if (!send_all(to, str_from(bytes, (size_t)n)))
            return false;
    }
    return true;
}

static void on_tunnel(struct watch *watch, uint32_t events)
{
    struct end *from = (struct end *)watch;
    struct client *c = from->client;
    struct end *to = from == &c->device ? &c->server : &c->device;

    if (c->dead || from->ended)
        return;
    if (!relay(from, to, events & ENDS) || (from->ended && to->ended))
        end_client(c);
    else if (from->ended)
        shutdown(to->fd, SHUT_WR);
}

static void open_tunnel(struct client *c)
{
    c->device.watch.ready = c->server.watch.ready = on_tunnel;
    if (!send_all(&c->device, STR("HTTP/1.1 200 OK\r\n\r\n")))
        end_client(c);
    else if (c->missed)
        on_tunnel(&c->device.watch, c->missed);
}

/* Requests */

static bool response_is_whole(struct str in)
{
    size_t head_n = str_search(in, STR("\r\n\r\n"));
    struct str head = str_head(in, head_n), line;
    uint64_t body_n = 0;

    while (str_line(&head, &line)) {
        struct str name = str_cut(&line, ':');

        if (str_ieq(name, STR("content-length")))
            str_to_u64(str_trim(line), &body_n);
    }
    return head_n < in.n && in.n - head_n - 4 >= body_n;
}

/* False when there is nothing new to look at. */
static bool read_on(struct end *from)
{
    struct client *c = from->client;
    ssize_t n;

    if (c->dead)
        return false;
    n = recv(from->fd, c->message + c->n, MESSAGE_BYTES - c->n, 0);
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n <= 0) {
        end_client(c);
        return false;
    }
    c->n += (size_t)n;
    return true;
}

static void on_response(struct watch *watch, uint32_t events)
{
    struct client *c = client_of(watch);

    (void)events;
    if (!read_on(&c->server) || !response_is_whole(str_from(c->message, c->n)))
        return;
    if (!send_all(&c->device, str_from(c->message, c->n)))
        end_client(c);
    c->n = 0;
}

/* The method moves up to the path: what stood between them is what the origin is not told. */
static void pass_request(struct client *c)
{
    struct str all = str_from(c->message, c->n), method = STR("GET ");
    struct str authority = str_skip(all, method.n + strlen("http://"));
    size_t path_at = c->n - authority.n + str_find(authority, '/');

    c->server.watch.ready = on_response;
    if (path_at < c->n) {
        memcpy(c->message + path_at - method.n, method.p, method.n);
        c->n = 0;
        if (send_all(&c->server, str_skip(all, path_at - method.n)))
            return;
    }
    end_client(c);
}

/* Connections */

static void serve(struct client *c)
{
    if (c->tunnels)
        open_tunnel(c);
    else
        pass_request(c);
}

static void on_connected(struct watch *watch, uint32_t events)
{
    struct client *c = client_of(watch);

    if (events & (EPOLLHUP | EPOLLERR))
        end_client(c);
    else if (!c->dead)
        serve(c);
}

static bool connect_origin(const struct end *server)
{
    return connect(server->fd, (struct sockaddr *)&origin_address, sizeof origin_address) == 0;
}

/* On this machine a connection is through before one can look, so asking again spares a wait. */
static void dial(struct client *c)
{
    struct end *server = &c->server;
    bool is_through;

    server->fd = bare_socket();
    server->watch.ready = on_connected;
    is_through = connect_origin(server);
    if (!is_through && errno == EINPROGRESS)
        is_through = connect_origin(server);
    if (is_through)
        serve(c);
    if (!c->dead)
        poll_add(c->worker->poll_fd, server->fd, is_through ? (int)ARRIVALS : (int)POLL_EDGES,
                 &server->watch);
}

static void on_request(struct watch *watch, uint32_t events)
{
    struct client *c = client_of(watch);
    struct str in;

    if (c->server.fd >= 0 && c->server.watch.ready == on_connected) {
        c->missed |= events;
        return;
    }
    if (!read_on(&c->device))
        return;
    in = str_from(c->message, c->n);
    if (!str_ends(in, STR("\r\n\r\n")))
        return;
    c->tunnels = str_starts(in, STR("CONNECT "));
    if (c->server.fd < 0)
        dial(c);
    else
        pass_request(c);
}

static void on_listener(struct watch *watch, uint32_t events)
{
    struct worker *w = (struct worker *)watch;
    int fd;

    (void)events;
    while ((fd = accept4(w->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct client *c = xalloc(sizeof *c);

        c->worker = w;
        c->device = (struct end){.watch.ready = on_request, .client = c, .fd = fd};
        c->server = (struct end){.client = c, .fd = -1};
        poll_add(w->poll_fd, fd, ARRIVALS, &c->device.watch);
    }
}

static void free_dead(struct worker *w)
{
    while (w->dead) {
        struct client *c = w->dead;

        w->dead = c->next_dead;
        free(c);
    }
}

static void *work(void *ctx)
{
    struct worker w = {.watch.ready = on_listener, .poll_fd = poll_create()};

    w.listen_fd = bare_listen(listen_address, is_shared);
    poll_add(w.poll_fd, w.listen_fd, EPOLLIN, &w.watch);
    for (;;) {
        poll_round(w.poll_fd, -1);
        free_dead(&w);
    }
    return ctx;
}

int main(int argc, char **argv)
{
    uint64_t threads = 1;

    if (argc < 4 || argc > 5 ||
        (argc == 5 && (!str_to_u64(str_of(argv[4]), &threads) || threads > THREADS_MAX)))
        errx(1, "usage: proxy_floor PORT ORIGIN-ADDRESS ORIGIN-PORT [THREADS]");
    signal(SIGPIPE, SIG_IGN);
    listen_address = bare_address("127.0.0.1", argv[1]);
    origin_address = bare_address(argv[2], argv[3]);
    is_shared = threads > 1;
    for (uint64_t i = 1; i < threads; i++) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, work, NULL) != 0)
            errx(1, "cannot make a thread");
    }
    work(NULL);
}
