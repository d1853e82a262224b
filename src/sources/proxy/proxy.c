/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/proxy.h"

#include "base/xalloc.h"
#include "sources/proxy/address.h"
#include "sources/proxy/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BACKLOG = 1024, ACCEPTS_A_TURN = 64 };

/* Listening */

/* Without an address: every one of this machine's, of both families where there are two. */
static const char *const any[] = {"::", "0.0.0.0"};

static int parse_listen(const char *text, struct str *ret_host, uint16_t *ret_port, struct err *err)
{
    struct str whole = str_of(text), host = {0};
    size_t colon = str_rfind(whole, ':');
    struct str digits = colon < whole.n ? str_skip(whole, colon + 1) : whole;
    uint64_t port;

    if (colon < whole.n)
        host = str_head(whole, colon);
    if (host.n > 1 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = str_skip(str_head(host, host.n - 1), 1);
    if (!str_to_u64(digits, &port) || port > UINT16_MAX)
        return err_set(err, -EINVAL, "'%s': expected [ADDR:]PORT to listen on", text);
    *ret_host = host;
    *ret_port = (uint16_t)port;
    return 0;
}

static int open_listener(const struct sockaddr_storage *address)
{
    static const int on = 1, off = 0;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int r;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, (const void *)address, address_bytes(address)) < 0 || listen(fd, BACKLOG) < 0) {
        r = -errno;
        close(fd);
        return r;
    }
    return fd;
}

static int listen_on(struct str host, uint16_t port)
{
    struct sockaddr_storage address;

    if (!address_parse(host, &address))
        return -EINVAL;
    address_set_port(&address, port);
    return open_listener(&address);
}

static int listen_anywhere(uint16_t port)
{
    int fd = -EINVAL;

    for (size_t i = 0; fd < 0 && i < sizeof any / sizeof *any; i++) {
        fd = listen_on(str_of(any[i]), port);
        if (fd == -EADDRINUSE || fd == -EACCES)
            break;
    }
    return fd;
}

static void on_connection(void *ctx, unsigned events);

static int start_listening(struct proxy *p, const char *listen_text, struct err *err)
{
    struct sockaddr_storage address;
    socklen_t n = sizeof address;
    struct str host = {0};
    uint16_t port = 0;
    int r = parse_listen(listen_text, &host, &port, err);

    if (r < 0)
        return r;
    r = host.n ? listen_on(host, port) : listen_anywhere(port);
    if (r < 0)
        return err_set(err, r, "cannot listen on %s: %s", listen_text,
                       r == -EINVAL ? "not an address" : strerror(-r));
    p->listener = (struct loop_fd){.fd = r, .events = LOOP_READ, .ready = on_connection, .ctx = p};
    getsockname(r, (void *)&address, &n);
    p->port = address_port(&address);
    address_port_text(&address, p->address);
    r = loop_add_fd(p->loop, &p->listener);
    if (r < 0)
        return err_set(err, r, "cannot listen on %s: %s", listen_text, strerror(-r));
    p->accepting = true;
    return 0;
}

/* Accepting */

static void stop_accepting(struct proxy *p)
{
    p->accepting = false;
    loop_set_events(p->loop, &p->listener, 0);
}

void proxy_accept_more(struct proxy *p)
{
    if (p->accepting || p->listener.fd < 0 || p->client_count >= CLIENTS_MAX)
        return;
    p->accepting = true;
    loop_del_timer(p->loop, &p->accept_again);
    loop_set_events(p->loop, &p->listener, LOOP_READ);
}

static void accept_again(void *ctx)
{
    proxy_accept_more(ctx);
}

/* No descriptors or memory: those who knock wait in the kernel's queue until there are some. */
static bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void on_connection(void *ctx, unsigned events)
{
    struct proxy *p = ctx;

    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN && p->client_count < CLIENTS_MAX; i++) {
        struct sockaddr_storage from;
        socklen_t n = sizeof from;
        int fd = accept4(p->listener.fd, (void *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            client_create(p, fd, &from);
        } else if (is_shortage(errno)) {
            stop_accepting(p);
            loop_set_timer(p->loop, &p->accept_again, loop_now_us(p->loop) + ACCEPT_PAUSE_US);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
    if (p->client_count >= CLIENTS_MAX)
        stop_accepting(p);
}

/* Making and ending */

static int take_rules(struct proxy *p, const struct proxy_options *options, struct err *err)
{
    p->connect_to = arena_array(p->arena, options->connect_to_count, sizeof *p->connect_to);
    for (; p->connect_to_count < options->connect_to_count; p->connect_to_count++) {
        struct str text = arena_str(p->arena, str_of(options->connect_to[p->connect_to_count]));
        int r = connect_to_parse(text, &p->connect_to[p->connect_to_count], err);

        if (r < 0)
            return r;
    }
    return 0;
}

/* A tunnel takes two descriptors. The soft limit is often 1,024; the hard one is what we may have.
 */
static void allow_many_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int proxy_create(struct loop *loop, struct stream *stream, struct devices *devices,
                 const struct proxy_options *options, struct proxy **ret_proxy, struct err *err)
{
    struct proxy *p = xalloc(sizeof *p);
    int r;

    *p = (struct proxy){
        .loop = loop,
        .stream = stream,
        .devices = devices,
        .arena = arena_create(),
        .dial = options->dial,
        .dial_ctx = options->dial_ctx,
        .refuse = options->refuse,
        .refuse_ctx = options->refuse_ctx,
        .listener.fd = -1,
        .scratch = xalloc(READ_BYTES),
    };
    allow_many_descriptors();
    p->accept_again = (struct loop_timer){.fire = accept_again, .ctx = p};
    r = take_rules(p, options, err);
    if (r == 0)
        r = resolver_create(loop, options->name_server, &p->resolver, err);
    if (r == 0)
        r = start_listening(p, options->listen, err);
    if (r < 0) {
        proxy_destroy(p);
        return r;
    }
    *ret_proxy = p;
    return 0;
}

uint16_t proxy_port(const struct proxy *p)
{
    return p->port;
}

struct str proxy_address(const struct proxy *p)
{
    return str_of(p->address);
}

void proxy_stop(struct proxy *p)
{
    loop_del_timer(p->loop, &p->accept_again);
    if (p->listener.fd >= 0) {
        loop_del_fd(p->loop, &p->listener);
        close(p->listener.fd);
        p->listener.fd = -1;
    }
    while (p->clients)
        client_destroy(p->clients, WHY_SHUTDOWN, false);
}

static void free_proxy(void *ctx)
{
    struct proxy *p = ctx;

    resolver_destroy(p->resolver);
    arena_destroy(p->arena);
    free(p->scratch);
    free(p);
}

void proxy_destroy(struct proxy *p)
{
    if (!p)
        return;
    proxy_stop(p);
    loop_defer(p->loop, free_proxy, p); /* callbacks of this round may still hold it */
}
