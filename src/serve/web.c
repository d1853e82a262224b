/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libmicrohttpd has an epoll descriptor of its own, which is one of those that our loop watches:
 * when it is ready, MHD_run does what there is to do. What it has to do without that (somebody has
 * waited too long) it asks for in milliseconds. A timerfd waits for them, not a timer of the loop:
 * who looks at a page lives in real time, also when the loop's clock is faster or held.
 *
 * While a TLS handshake is half done it asks to be run at once, again and again, though nothing has
 * come. So when that goes on, and nothing is seen to move, it is run once a millisecond: an answer
 * over TLS then goes out at some 16 MB/s.
 */
#include "serve/web.h"

#include "base/auto.h"
#include "base/xalloc.h"
#include "serve/web_private.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>

enum { HASTY_RUNS = 64, HASTE_MS = 1 };

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

static struct itimerspec due_in(uint64_t ms)
{
    return (struct itimerspec){.it_value = {.tv_sec = (time_t)(ms / 1000),
                                            /* 0 would be never */
                                            .tv_nsec = (long)(ms % 1000) * 1000000 + 1}};
}

void web_run_soon(struct web *w)
{
    const struct itimerspec due = due_in(0);

    w->is_due = true;
    timerfd_settime(w->timer_watch.fd, 0, &due, NULL);
}

static void run(struct web *w)
{
    struct itimerspec due = {0};
    MHD_UNSIGNED_LONG_LONG ms;

    w->is_due = false;
    run_daemon(w);
    if (w->is_due)
        due = due_in(0);
    else if (MHD_get_timeout(w->daemon, &ms) == MHD_YES)
        due = due_in(ms || w->hasty_runs++ < HASTY_RUNS ? ms : HASTE_MS);
    timerfd_settime(w->timer_watch.fd, 0, &due, NULL); /* and it is not due any more */
}

static void on_daemon(void *ctx, unsigned events)
{
    struct web *w = ctx;

    (void)events;
    w->hasty_runs = 0;
    run(w);
}

static void on_time(void *ctx, unsigned events)
{
    (void)events;
    run(ctx);
}

static int watch(struct web *w, struct loop_fd *watch, int fd,
                 void (*ready)(void *ctx, unsigned events), struct err *err)
{
    int r;

    *watch = (struct loop_fd){.fd = fd, .events = LOOP_READ, .ready = ready, .ctx = w};
    r = loop_add_fd(w->loop, watch);
    if (r < 0)
        return err_set(err, r, "cannot watch the web server: %s", strerror(-r));
    return 0;
}

/* --- making and ending --- */

static void set_guard(struct web *w, bool is_loopback)
{
    char *name = w->guard.host_name;

    guard_init(&w->guard, is_loopback, w->tls != NULL, w->port);
    if (gethostname(name, GUARD_NAME_CHARS - 1) < 0)
        name[0] = '\0';
    if (w->tls) {
        w->guard.certifies = web_tls_certifies;
        w->guard.ctx = w->tls;
    }
}

static int load_tls(struct web *w, const struct web_options *options, struct err *err)
{
    if (!options->cert && !options->key)
        return 0;
    if (!options->cert || !options->key)
        return err_set(err, -EINVAL,
                       "the web server wants a certificate and its key: %s is missing",
                       options->cert ? "the key" : "the certificate");
    return web_tls_load(options->cert, options->key, &w->tls, err);
}

static struct MHD_Daemon *new_daemon(struct web *w, int fd)
{
    const struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, w->tls ? (void *)web_tls_cert(w->tls) : NULL},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, w->tls ? (void *)web_tls_key(w->tls) : NULL},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)WEB_TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };

    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (w->tls ? MHD_USE_TLS : 0u), 0, NULL, NULL,
        request_go_on, w, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, request_open,
        w, MHD_OPTION_NOTIFY_COMPLETED, request_close, w, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)VISITORS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        w->guard.is_open ? 0u : (unsigned)VISITORS_OF_ONE_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)VISITOR_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_ARRAY,
        w->tls ? tls : plain, MHD_OPTION_END);
}

static int start_daemon(struct web *w, int fd, struct err *err)
{
    const union MHD_DaemonInfo *epoll;

    w->daemon = new_daemon(w, fd);
    if (!w->daemon)
        return err_set(err, -EIO, "cannot start the web server on %s", w->address);
    epoll = MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return watch(w, &w->daemon_watch, epoll->epoll_fd, on_daemon, err);
}

static int start(struct web *w, const struct web_options *options, struct err *err)
{
    AUTO(auto_close) int fd = -1;
    bool is_loopback;
    int timer_fd, r;

    r = listener_open(w, options, &fd, &is_loopback, err);
    if (r < 0)
        return r;
    r = load_tls(w, options, err);
    if (r < 0)
        return r;
    set_guard(w, is_loopback);
    web_write_links(w);
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer_fd < 0)
        return err_set(err, -errno, "cannot make a timer: %s", strerror(errno));
    r = watch(w, &w->timer_watch, timer_fd, on_time, err);
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

uint16_t web_port(const struct web *w)
{
    return w->port;
}

struct str web_address(const struct web *w)
{
    return str_of(w->address);
}

struct str web_link(const struct web *w, bool may_write)
{
    return str_of(w->links[may_write]);
}

bool web_needs_token(const struct web *w)
{
    return !w->guard.is_open;
}

static void free_web(void *web)
{
    explicit_bzero(web, sizeof(struct web)); /* the tokens */
    free(web);
}

void web_destroy(struct web *w)
{
    if (!w)
        return;
    streams_end(w);
    if (w->daemon_watch.fd >= 0)
        loop_del_fd(w->loop, &w->daemon_watch);
    if (w->timer_watch.fd >= 0) {
        loop_del_fd(w->loop, &w->timer_watch);
        close(w->timer_watch.fd);
    }
    if (w->daemon)
        MHD_stop_daemon(w->daemon);
    web_tls_destroy(w->tls);
    loop_defer(w->loop, free_web, w); /* callbacks of this round may still hold it */
}
