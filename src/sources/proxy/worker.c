/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/worker.h"

#include "base/xalloc.h"
#include "sources/proxy/client.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    ACCEPTS_A_TURN = 64,
    DESCRIPTORS_KEPT = 24, /* for the recording, the loop, names: what is not a client's */
    CLIENTS_MIN = 8,
    WORKER_DESCRIPTORS = 8,
    CLIENT_DESCRIPTORS = 2,
    PIPE_DESCRIPTORS = 2,
    WORKER_PIPES_MAX = 256,
    HEADS_MAX = 4 * HTTP1_HEAD_MAX,
    JOIN_NS = 1000 * 1000,
    CROWD_MIN = 1024,
};

#define TRIM_US SECONDS(1)

struct listener {
    struct worker *worker;
    const struct port *port;
    struct loop_fd watch;
};

/* Accepting */

static void listen_for(struct worker *w, unsigned events)
{
    w->accepting = events;
    for (size_t i = 0; i < w->proxy->port_count; i++)
        if (w->listeners[i].watch.fd >= 0)
            loop_set_events(w->loop, &w->listeners[i].watch, events);
}

static void accept_again(void *ctx)
{
    listen_for(ctx, LOOP_READ);
}

/* For a time, or until a client has gone: whichever comes first. */
static void pause_accepting(struct worker *w, uint64_t us)
{
    listen_for(w, 0);
    counters_accept_paused(&w->counters);
    loop_set_timer(w->loop, &w->accept_again, loop_now_us(w->loop) + us);
}

static void accept_more(struct worker *w)
{
    if (w->accepting || w->draining)
        return;
    loop_del_timer(w->loop, &w->accept_again);
    listen_for(w, LOOP_READ);
}

/* No descriptors or memory. */
static bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* One that has just come has to have its chance to speak. */
static bool may_have_to_go(const struct worker *w, const struct client *c)
{
    return c && c->moved_us + CHANCE_US <= loop_now_us(w->loop);
}

static bool has_room(const struct worker *w)
{
    return w->client_count < w->clients_max || may_have_to_go(w, w->idle.first);
}

static bool may_accept(struct worker *w)
{
    if (w->inlet && inlet_is_slow(w->inlet)) {
        pause_accepting(w, SLOW_PAUSE_US);
        return false;
    }
    if (!has_room(w)) {
        pause_accepting(w, ACCEPT_PAUSE_US);
        return false;
    }
    return true;
}

static void on_connection(void *ctx, unsigned events)
{
    struct listener *l = ctx;
    struct worker *w = l->worker;

    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN && may_accept(w); i++) {
        struct sockaddr_storage from;
        socklen_t n = sizeof from;
        int fd = accept4(l->watch.fd, (void *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            if (w->client_count >= w->clients_max)
                client_make_room(w->idle.first);
            client_create(w, l->port, fd, &from);
        } else if (is_shortage(errno)) {
            pause_accepting(w, ACCEPT_PAUSE_US);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

static void close_listeners(struct worker *w)
{
    loop_del_timer(w->loop, &w->accept_again);
    for (size_t i = 0; w->listeners && i < w->proxy->port_count; i++)
        if (w->listeners[i].watch.fd >= 0)
            loop_close_fd(w->loop, &w->listeners[i].watch);
}

static int open_listeners(struct worker *w, size_t number, struct err *err)
{
    struct proxy *p = w->proxy;

    w->listeners = xreallocarray(NULL, p->port_count, sizeof *w->listeners);
    for (size_t i = 0; i < p->port_count; i++)
        w->listeners[i] =
            (struct listener){.worker = w,
                              .port = &p->ports[i],
                              .watch = {.fd = -1, .events = LOOP_READ, .ready = on_connection}};
    for (size_t i = 0; i < p->port_count; i++) {
        struct listener *l = &w->listeners[i];
        int r;

        l->watch.ctx = l;
        l->watch.fd = p->ports[i].fds[number];
        p->ports[i].fds[number] = -1;
        r = loop_add_fd(w->loop, &l->watch);
        if (r < 0)
            return err_set(err, r, "cannot listen on %s: %s", p->ports[i].address, strerror(-r));
    }
    w->accepting = true;
    return 0;
}

/* Clients */

static void append(struct client_list *list, struct client *c)
{
    c->previous = list->last;
    c->next = NULL;
    *(c->previous ? &c->previous->next : &list->first) = c;
    list->last = c;
}

static void take_out(struct client_list *list, struct client *c)
{
    *(c->previous ? &c->previous->next : &list->first) = c->next;
    *(c->next ? &c->next->previous : &list->last) = c->previous;
}

static struct client_list *list_of(struct worker *w, const struct client *c)
{
    return c->is_busy ? &w->busy : &w->idle;
}

static void move(struct worker *w, struct client *c, bool to_busy)
{
    take_out(list_of(w, c), c);
    c->is_busy = to_busy;
    append(list_of(w, c), c);
}

void worker_is_busy(struct worker *w, struct client *c)
{
    move(w, c, true);
}

void worker_is_idle(struct worker *w, struct client *c)
{
    move(w, c, false);
}

/* After a crowd its memory goes back: the allocator by itself would keep it for the next. */
static void give_memory_back(void *ctx)
{
    struct worker *w = ctx;

    w->crowd = w->client_count;
    malloc_trim(0);
}

static void note_crowd(struct worker *w)
{
    if (w->client_count > w->crowd)
        w->crowd = w->client_count;
    if (w->crowd >= CROWD_MIN && w->client_count < w->crowd / 2 && !w->trim.slot)
        loop_set_timer(w->loop, &w->trim, loop_now_us(w->loop) + TRIM_US);
}

void worker_add(struct worker *w, struct client *c)
{
    append(list_of(w, c), c);
    w->client_count++;
    note_crowd(w);
    counters_client_came(&w->counters);
}

static void is_empty(void *ctx);

void worker_remove(struct worker *w, struct client *c)
{
    take_out(list_of(w, c), c);
    w->client_count--;
    note_crowd(w);
    counters_client_left(&w->counters);
    if (w->draining && !w->client_count)
        loop_post(w->proxy->loop, is_empty, w->proxy);
    accept_more(w);
}

static size_t descriptors(void)
{
    struct rlimit limit = {.rlim_cur = 1024};

    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur < SIZE_MAX ? (size_t)limit.rlim_cur : SIZE_MAX;
}

/* A small share of the descriptors: what moves much is dear without one, but it moves. */
static size_t pipes_max(const struct proxy *p)
{
    size_t n = descriptors() / 32 / p->worker_count;

    return n < WORKER_PIPES_MAX ? n : WORKER_PIPES_MAX;
}

/*
 * Each client may need a second descriptor, for its server: so there are only half as many as there
 * are descriptors, and a device that was let in is not refused for want of one.
 */
static size_t clients_max(const struct proxy *p)
{
    size_t kept =
        DESCRIPTORS_KEPT + p->worker_count * (WORKER_DESCRIPTORS + PIPE_DESCRIPTORS * pipes_max(p));
    size_t n = CLIENTS_MIN;

    if (descriptors() > kept)
        n = (descriptors() - kept) / CLIENT_DESCRIPTORS / p->worker_count;
    if (n > CLIENTS_MAX / p->worker_count)
        n = CLIENTS_MAX / p->worker_count;
    return n > CLIENTS_MIN ? n : CLIENTS_MIN;
}

/* Rules and credentials */

struct new_rules {
    struct worker *worker;
    struct rules *rules;
};

static void take_rules(void *ctx)
{
    struct new_rules *new = ctx;

    rules_unref(new->worker->rules);
    new->worker->rules = new->rules;
    free(new);
}

void worker_set_rules(struct worker *w, struct rules *rules)
{
    struct new_rules *new = xalloc(sizeof *new);

    *new = (struct new_rules){w, rules_ref(rules)};
    loop_post(w->loop, take_rules, new);
}

struct new_credentials {
    struct worker *worker;
    struct credentials *credentials;
};

static void take_credentials(void *ctx)
{
    struct new_credentials *new = ctx;

    checker_use(new->worker->checker, new->credentials);
    credentials_unref(new->credentials);
    free(new);
}

void worker_set_credentials(struct worker *w, struct credentials *credentials)
{
    struct new_credentials *new = xalloc(sizeof *new);

    *new = (struct new_credentials){w, credentials_ref(credentials)};
    loop_post(w->loop, take_credentials, new);
}

/* Ending */

/* In the proxy's loop. */
static void is_empty(void *ctx)
{
    struct proxy *p = ctx;

    if (!p->workers_open || --p->workers_open)
        return;
    loop_del_timer(p->loop, &p->grace);
    p->drained(p->drained_ctx);
}

static void drain(void *ctx)
{
    struct worker *w = ctx;

    w->draining = true;
    close_listeners(w);
    if (!w->client_count)
        loop_post(w->proxy->loop, is_empty, w->proxy);
    for (struct client *c = w->idle.first, *next; c; c = next) {
        next = c->next;
        if (c->state == CLIENT_READS) /* one that lingers may have to send what it was told */
            client_shut_down(c);
    }
}

static void end_all(struct worker *w)
{
    w->draining = false; /* nobody waits for that any more */
    close_listeners(w);
    while (w->idle.first)
        client_shut_down(w->idle.first);
    while (w->busy.first)
        client_shut_down(w->busy.first);
    loop_del_timer(w->loop, &w->trim); /* which a crowd that goes sets */
}

static void end_thread(void *ctx)
{
    struct worker *w = ctx;

    end_all(w);
    loop_stop(w->loop);
}

void worker_drain(struct worker *w)
{
    if (w->has_thread)
        loop_post(w->loop, drain, w);
    else
        drain(w);
}

/*
 * What the last flows say has to be fetched meanwhile, or the thread would wait for room for it.
 * ThreadSanitizer does not know pthread_clockjoin_np.
 */
static void join(struct worker *w)
{
    static const struct timespec moment = {.tv_nsec = JOIN_NS};

    while (pthread_tryjoin_np(w->thread, NULL) == EBUSY) {
        funnel_fetch(w->proxy->funnel);
        nanosleep(&moment, NULL);
    }
}

void worker_stop(struct worker *w)
{
    if (!w->has_thread) {
        end_all(w);
        return;
    }
    loop_post(w->loop, end_thread, w);
    join(w);
    w->has_thread = false;
}

/* Making and destroying */

int worker_create(struct proxy *p, size_t number, struct stream *stream, const char *name_server,
                  struct worker **ret_worker, struct err *err)
{
    struct worker *w = xalloc(sizeof *w);
    int r = 0;

    *w = (struct worker){.proxy = p,
                         .loop = p->loop,
                         .stream = stream,
                         .rules = rules_ref(p->rules),
                         .networks = networks_create(NULL, NULL),
                         .checker = p->credentials ? checker_create(p->credentials) : NULL,
                         .scratch = xalloc(READ_BYTES),
                         .clients_max = clients_max(p)};
    w->accept_again = (struct loop_timer){.fire = accept_again, .ctx = w};
    w->trim = (struct loop_timer){.fire = give_memory_back, .ctx = w};
    buf_init(&w->head, HEADS_MAX);
    pipes_init(&w->pipes, pipes_max(p));
    if (p->funnel) {
        w->inlet = funnel_add_inlet(p->funnel);
        w->stream = inlet_stream(w->inlet);
        w->loop = NULL;
        r = loop_create(loop_clock(p->loop), &w->loop, err);
    }
    if (r == 0)
        r = resolver_create(w->loop, name_server, &w->resolver, err);
    if (r == 0)
        r = open_listeners(w, number, err);
    if (r < 0) {
        worker_destroy(w);
        return r;
    }
    *ret_worker = w;
    return 0;
}

static void *run(void *ctx)
{
    struct worker *w = ctx;

    loop_run(w->loop);
    return NULL;
}

int worker_start(struct worker *w, struct err *err)
{
    int r;

    if (!w->inlet)
        return 0;
    r = pthread_create(&w->thread, NULL, run, w);
    if (r)
        return err_set(err, -r, "cannot start a thread: %s", strerror(r));
    w->has_thread = true;
    return 0;
}

static void free_worker(struct worker *w)
{
    if (w->inlet)
        loop_destroy(w->loop);
    buf_finish(&w->head);
    checker_destroy(w->checker);
    networks_destroy(w->networks);
    rules_unref(w->rules);
    free(w->listeners);
    free(w->scratch);
    free(w);
}

void worker_destroy(struct worker *w)
{
    if (!w)
        return;
    if (w->loop)
        worker_stop(w);
    pipes_finish(&w->pipes);
    resolver_destroy(w->resolver);
    free_worker(w);
}
