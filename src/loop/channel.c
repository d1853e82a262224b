/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "loop/channel.h"

#include "base/auto.h"
#include "base/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    TRY_MS = 1500, /* c-ares doubles it each time: 10.5 seconds in all with one name server */
    TRIES = 3,
};

/* A socket of c-ares. */
struct watch {
    struct loop_fd fd;
    struct channel *channel;
    struct watch *next;
};

struct channel {
    struct loop *loop;
    ares_channel ares;
    struct watch *watches;
};

/* Its sockets */

static void socket_ready(void *ctx, unsigned events)
{
    struct watch *w = ctx;
    int fd = w->fd.fd;
    bool hangup = events & LOOP_HANGUP;

    ares_process_fd(w->channel->ares, events & LOOP_READ || hangup ? fd : ARES_SOCKET_BAD,
                    events & LOOP_WRITE ? fd : ARES_SOCKET_BAD);
}

static struct watch **find_watch(struct channel *c, int fd)
{
    struct watch **at = &c->watches;

    while (*at && (*at)->fd.fd != fd)
        at = &(*at)->next;
    return at;
}

static void add_watch(struct channel *c, int fd, unsigned events)
{
    struct watch *w = xalloc(sizeof *w);

    w->channel = c;
    w->fd = (struct loop_fd){.fd = fd, .events = events, .ready = socket_ready, .ctx = w};
    if (loop_add_fd(c->loop, &w->fd) < 0) { /* the question then ends by its deadline */
        free(w);
        return;
    }
    w->next = c->watches;
    c->watches = w;
}

/* c-ares says here what it waits for, and last, before it closes the socket, that it is nothing. */
static void socket_wants(void *ctx, ares_socket_t fd, int readable, int writable)
{
    struct channel *c = ctx;
    struct watch **at = find_watch(c, fd);
    struct watch *w = *at;
    unsigned events = (readable ? LOOP_READ : 0u) | (writable ? LOOP_WRITE : 0u);

    if (!w && events) {
        add_watch(c, fd, events);
    } else if (w && events) {
        loop_set_events(c->loop, &w->fd, events);
    } else if (w) {
        *at = w->next;
        loop_del_fd(c->loop, &w->fd);
        loop_defer(c->loop, free, w);
    }
}

/* Asking */

void channel_ask(struct channel *c, const char *host, enum family family,
                 ares_addrinfo_callback done, void *ctx)
{
    /* Sorting would cost a socket for each address, and dialling does not need it. */
    const struct ares_addrinfo_hints hints = {
        .ai_flags = ARES_AI_NOSORT, .ai_family = family_number(family), .ai_socktype = SOCK_STREAM};

    ares_getaddrinfo(c->ares, host, NULL, &hints, done, ctx);
}

bool channel_is_idle(const struct channel *c)
{
    struct timeval room;

    return !ares_timeout(c->ares, NULL, &room);
}

void channel_look_at_deadlines(struct channel *c)
{
    ares_process_fd(c->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/* Making and ending */

static int open_channel(struct channel *c, int flags, const struct name_servers *servers,
                        struct err *err)
{
    AUTO(auto_free) char *conf = xstrdup(servers->conf);
    const char *server = servers->server;
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | flags,
        .timeout = TRY_MS,
        .tries = TRIES,
        .lookups = (char[]){"b"}, /* name servers alone: the hosts file is read in hosts.c */
        .resolvconf_path = conf,
        .udp_port = servers->port,
        .tcp_port = servers->port,
        .sock_state_cb = socket_wants,
        .sock_state_cb_data = c,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
               ARES_OPT_RESOLVCONF | ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT | ARES_OPT_SOCK_STATE_CB;
    int status = ares_init_options(&c->ares, &options, mask);

    if (status != ARES_SUCCESS)
        return err_set(err, -EIO, "cannot start the resolver: %s", ares_strerror(status));
    if (server && ares_set_servers_ports_csv(c->ares, server) != ARES_SUCCESS)
        return err_set(err, -EINVAL, "'%s': expected a name server as ADDR or ADDR:PORT", server);
    return 0;
}

static void close_channel(struct channel *c)
{
    if (c->ares)
        ares_destroy(c->ares);
    c->ares = NULL;
}

static bool has_one_server(const struct channel *c)
{
    struct ares_addr_port_node *servers = NULL;
    bool one =
        ares_get_servers_ports(c->ares, &servers) == ARES_SUCCESS && servers && !servers->next;

    ares_free_data(servers);
    return one;
}

/*
 * A server that fails or refuses is passed over for the next one, and c-ares forgets what it said.
 * Where there is no next one it shall tell us. How many there are is known when it has begun.
 */
int channel_create(struct loop *loop, const struct name_servers *servers,
                   struct channel **ret_channel, struct err *err)
{
    struct channel *c = xalloc(sizeof *c);
    int r;

    c->loop = loop;
    r = open_channel(c, 0, servers, err);
    if (r == 0 && has_one_server(c)) {
        close_channel(c);
        r = open_channel(c, ARES_FLAG_NOCHECKRESP, servers, err);
    }
    if (r < 0) {
        channel_destroy(c);
        return r;
    }
    *ret_channel = c;
    return 0;
}

void channel_destroy(struct channel *c)
{
    if (!c)
        return;
    close_channel(c);
    free(c);
}
