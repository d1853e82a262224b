/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libmicrohttpd has an epoll descriptor of its own, which is one of those that our loop watches:
 * when it is ready, MHD_run does what there is to do. What it has to do without that (somebody has
 * waited too long) it asks for in milliseconds. A timerfd waits for them, not a timer of the loop:
 * who looks at a page lives in real time, also when the loop's clock is faster or held.
 *
 * A request is handed to us twice. What is answered the first time, when its head alone is there,
 * ends the connection, which is right for what may have a body: nobody wants one. The others are
 * answered the second time.
 */
#include "serve/web.h"

#include "base/auto.h"
#include "base/url.h"
#include "base/xalloc.h"
#include "sources/proxy/address.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/timerfd.h>

enum {
    VISITORS_MAX = 64,        /* connections; more wait in the kernel's queue */
    VISITOR_BYTES = 16 << 10, /* for a request's head and the answer's */
    IDLE_SECONDS = 30,        /* nothing moves on a connection */
    ANSWER_BYTES = 4 << 20,
    BACKLOG = 64,
};

struct table {
    const struct web_route *routes;
    size_t count;
    void *ctx;
};

struct web {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct loop_fd daemon_watch, timer_watch;
    struct table tables[WEB_TABLES_MAX];
    size_t table_count;
    uint16_t port;
    char address[ADDRESS_TEXT];
    char link[ADDRESS_TEXT + 16];
};

/* --- answers --- */

/* With every answer, whatever it is. */
static const struct {
    const char *name, *value;
} always[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Referrer-Policy", "no-referrer"},
};

static void say(struct web_answer *a, unsigned status, const char *sentence)
{
    a->status = status;
    buf_clear(&a->body);
    buf_printf(&a->body, "%s\n", sentence);
}

/* Takes the answer's body. */
static enum MHD_Result send_answer(struct MHD_Connection *connection, struct web_answer *a,
                                   const char *allow)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(a->body.n, a->body.p, MHD_RESPMEM_MUST_FREE);
    enum MHD_Result queued;

    if (!response) {
        buf_finish(&a->body);
        return MHD_NO;
    }
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        MHD_add_response_header(response, always[i].name, always[i].value);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, a->type);
    if (allow)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
    queued = MHD_queue_response(connection, a->status, response);
    MHD_destroy_response(response);
    return queued;
}

/* --- requests --- */

static bool is_name_of_ours(struct str authority)
{
    struct sockaddr_storage address;
    struct str host;
    uint16_t port;

    if (!authority_parse(authority, 0, &host, &port))
        return false;
    return str_ieq(host, STR("localhost")) ||
           (address_parse(host, &address) && address_is_loopback(&address));
}

struct hosts {
    unsigned count, ours;
};

static enum MHD_Result see_field(void *ctx, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct hosts *hosts = ctx;

    (void)kind;
    if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
        hosts->count++;
        hosts->ours += is_name_of_ours(str_of(value));
    }
    return MHD_YES;
}

/* The port is not looked at: a tunnel such as ssh -L has another at its far end. */
static bool is_for_us(struct MHD_Connection *connection)
{
    struct hosts hosts = {0};

    MHD_get_connection_values(connection, MHD_HEADER_KIND, see_field, &hosts);
    return hosts.count == 1 && hosts.ours == 1;
}

static bool serves(const struct web_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 || (strcmp(route->method, MHD_HTTP_METHOD_GET) == 0 &&
                                                  strcmp(method, MHD_HTTP_METHOD_HEAD) == 0);
}

static void put_method(struct buf *allow, const char *method)
{
    buf_printf(allow, "%s%s", allow->n ? ", " : "", method);
    if (strcmp(method, MHD_HTTP_METHOD_GET) == 0)
        buf_put_str(allow, STR(", HEAD"));
}

/* What the path could be asked with, when it is there but not for this method, goes into allow. */
static void answer(const struct web *w, const char *method, const char *path, struct web_answer *a,
                   struct buf *allow)
{
    struct web_request r = {.method = method, .path = str_of(path), .may_write = true};

    for (size_t t = 0; t < w->table_count; t++)
        for (size_t i = 0; i < w->tables[t].count; i++) {
            const struct web_route *route = &w->tables[t].routes[i];

            if (strcmp(route->path, path) != 0)
                continue;
            if (serves(route, method)) {
                buf_clear(allow);
                route->answer(w->tables[t].ctx, &r, a);
                return;
            }
            put_method(allow, route->method);
        }
    if (allow->n)
        say(a, MHD_HTTP_METHOD_NOT_ALLOWED, "this cannot be asked for in that way");
    else
        say(a, MHD_HTTP_NOT_FOUND, "there is nothing here");
}

static enum MHD_Result answer_request(const struct web *w, struct MHD_Connection *connection,
                                      const char *path, const char *method)
{
    struct web_answer a = {.status = MHD_HTTP_OK, .type = "text/plain; charset=utf-8"};
    enum MHD_Result sent;
    struct buf allow;

    buf_init(&a.body, ANSWER_BYTES);
    buf_init(&allow, 256);
    if (is_for_us(connection))
        answer(w, method, path, &a, &allow);
    else
        say(&a, MHD_HTTP_MISDIRECTED_REQUEST, "the Host of the request is not this machine");
    if (a.body.full)
        say(&a, MHD_HTTP_INTERNAL_SERVER_ERROR, "the answer is too long");
    buf_put_byte(&allow, '\0');
    sent = send_answer(connection, &a, allow.n > 1 ? allow.p : NULL);
    buf_finish(&allow);
    return sent;
}

static bool has_field(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static bool may_have_body(struct MHD_Connection *connection, const char *method)
{
    return (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
            strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) ||
           has_field(connection, MHD_HTTP_HEADER_CONTENT_LENGTH) ||
           has_field(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

static enum MHD_Result on_request(void *web, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_bytes, void **seen)
{
    (void)version;
    (void)upload;
    *upload_bytes = 0; /* of a body whatever comes is thrown away */
    if (!*seen && !may_have_body(connection, method)) {
        *seen = web;
        return MHD_YES;
    }
    return answer_request(web, connection, path, method);
}

/* --- in the loop --- */

static bool is_full(const struct web *w)
{
    return MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections >=
           VISITORS_MAX;
}

/* A full daemon does not listen, and thinks of it again only at the beginning of a run. */
static void run_daemon(const struct web *w)
{
    bool was_full;

    do {
        was_full = is_full(w);
        MHD_run(w->daemon);
    } while (was_full && !is_full(w));
}

static void run(void *ctx, unsigned events)
{
    struct web *w = ctx;
    struct itimerspec due = {0};
    MHD_UNSIGNED_LONG_LONG ms;

    (void)events;
    run_daemon(w);
    if (MHD_get_timeout(w->daemon, &ms) == MHD_YES) {
        due.it_value.tv_sec = (time_t)(ms / 1000);
        due.it_value.tv_nsec = (long)(ms % 1000) * 1000000 + 1; /* 0 would be never */
    }
    timerfd_settime(w->timer_watch.fd, 0, &due, NULL); /* and it is not due any more */
}

static int watch(struct web *w, struct loop_fd *watch, int fd, struct err *err)
{
    int r;

    *watch = (struct loop_fd){.fd = fd, .events = LOOP_READ, .ready = run, .ctx = w};
    r = loop_add_fd(w->loop, watch);
    if (r < 0)
        return err_set(err, r, "cannot watch the web server: %s", strerror(-r));
    return 0;
}

/* --- listening --- */

static int open_listener(const struct sockaddr_storage *address)
{
    static const int on = 1;
    AUTO(auto_close)
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (const void *)address, address_bytes(address)) < 0 || listen(fd, BACKLOG) < 0)
        return -errno;
    return steal_fd(&fd);
}

static int refuse_strangers(const struct sockaddr_storage *address, const char *where,
                            struct err *err)
{
    if (address_is_loopback(address))
        return 0;
    return err_set(err, -EADDRNOTAVAIL,
                   "the web server cannot be on %s: it is for this machine alone, on 127.0.0.1 or "
                   "[::1]; ssh -L or a reverse proxy leads to it from elsewhere",
                   where);
}

static int listen_on(const char *where, struct err *err)
{
    struct sockaddr_storage address;
    struct str host = {0};
    uint16_t port = 0;
    int r;

    if (!address_parse_listen(str_of(where), &host, &port) ||
        !address_parse(host.n ? host : STR("127.0.0.1"), &address))
        return err_set(err, -EINVAL, "'%s': expected [ADDR:]PORT to listen on", where);
    r = refuse_strangers(&address, where, err);
    if (r < 0)
        return r;
    address_set_port(&address, port);
    r = open_listener(&address);
    return r < 0 ? err_set(err, r, "cannot listen on %s: %s", where, strerror(-r)) : r;
}

/* Also asked of a socket that somebody else opened: what it listens on is its own word. */
static int learn_address(struct web *w, int fd, struct err *err)
{
    struct sockaddr_storage address = {0};
    socklen_t n = sizeof address;

    if (getsockname(fd, (void *)&address, &n) < 0)
        return err_set(err, -errno, "cannot use the web server's socket: %s", strerror(errno));
    if (address.ss_family != AF_INET && address.ss_family != AF_INET6)
        return err_set(err, -EAFNOSUPPORT, "the web server's socket is not one of TCP");
    w->port = address_port(&address);
    address_port_text(&address, w->address);
    snprintf(w->link, sizeof w->link, "http://%s/", w->address);
    return refuse_strangers(&address, w->address, err);
}

/* --- making and ending --- */

static int start_daemon(struct web *w, int fd, struct err *err)
{
    const union MHD_DaemonInfo *epoll;

    w->daemon = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, on_request, w, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)VISITORS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)VISITOR_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    if (!w->daemon)
        return err_set(err, -EIO, "cannot start the web server on %s", w->address);
    epoll = MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return watch(w, &w->daemon_watch, epoll->epoll_fd, err);
}

static int start(struct web *w, const struct web_options *options, struct err *err)
{
    AUTO(auto_close) int fd = options->fd;
    int timer_fd, r;

    if (fd < 0)
        fd = listen_on(options->listen, err);
    if (fd < 0)
        return fd;
    r = learn_address(w, fd, err);
    if (r < 0)
        return r;
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer_fd < 0)
        return err_set(err, -errno, "cannot make a timer: %s", strerror(errno));
    r = watch(w, &w->timer_watch, timer_fd, err);
    return r < 0 ? r : start_daemon(w, steal_fd(&fd), err); /* which closes it when it ends */
}

int web_create(struct loop *loop, const struct web_options *options, struct web **ret_web,
               struct err *err)
{
    struct web *w = xalloc(sizeof *w);
    int r;

    *w = (struct web){.loop = loop, .daemon_watch.fd = -1, .timer_watch.fd = -1};
    web_add(w, options->routes, options->route_count, options->ctx);
    r = start(w, options, err);
    if (r < 0) {
        web_destroy(w);
        return r;
    }
    *ret_web = w;
    return 0;
}

void web_add(struct web *w, const struct web_route *routes, size_t count, void *ctx)
{
    assert(w->table_count < WEB_TABLES_MAX);
    w->tables[w->table_count++] = (struct table){routes, count, ctx};
}

struct str web_query(const struct web_request *r, const char *name)
{
    (void)r;
    (void)name;
    return (struct str){0};
}

struct str web_header(const struct web_request *r, const char *name)
{
    (void)r;
    (void)name;
    return (struct str){0};
}

void web_refuse(const struct web_request *r, struct web_answer *answer, unsigned status,
                const char *format, ...)
{
    va_list args;

    (void)r;
    answer->status = status;
    va_start(args, format);
    buf_vprintf(&answer->body, format, args);
    va_end(args);
}

void web_wake(struct web *w)
{
    (void)w;
}

size_t web_stream_count(const struct web *w)
{
    (void)w;
    return 0;
}

struct str web_link(const struct web *w, bool may_write)
{
    (void)may_write;
    return str_of(w->link);
}

bool web_needs_token(const struct web *w)
{
    (void)w;
    return false;
}

uint16_t web_port(const struct web *w)
{
    return w->port;
}

struct str web_address(const struct web *w)
{
    return str_of(w->address);
}

static void free_web(void *web)
{
    free(web);
}

void web_destroy(struct web *w)
{
    if (!w)
        return;
    if (w->daemon_watch.fd >= 0)
        loop_del_fd(w->loop, &w->daemon_watch);
    if (w->timer_watch.fd >= 0) {
        loop_del_fd(w->loop, &w->timer_watch);
        close(w->timer_watch.fd);
    }
    if (w->daemon)
        MHD_stop_daemon(w->daemon);
    loop_defer(w->loop, free_web, w); /* callbacks of this round may still hold it */
}
