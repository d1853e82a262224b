/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * c-ares does the asking; we lend it the loop for its sockets and a timerfd for its deadlines.
 * Those are deadlines of the real network, so they run in real time whatever the loop's clock does,
 * and a held clock stands still (loop_busy) while a question is open.
 *
 * c-ares cannot take back one question. So a dropped query stays until its answer comes, and is
 * then freed without a call; it counts as pending until then.
 */
#include "loop/resolver.h"

#include "base/auto.h"
#include "base/xalloc.h"

#include <ares.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/timerfd.h>

enum {
    TRY_MS = 1500, /* c-ares doubles it each time: 10.5 seconds in all with one name server */
    TRIES = 3,
    NEGATIVE_SLOTS = 1024,
    NEGATIVE_US = 5 * 1000 * 1000,
    HOST_BYTES_MAX = 255, /* RFC 1035, section 2.3.4 */
};

/* What a name server said no to. A slot is overwritten by the next name that falls into it. */
struct negative {
    char host[HOST_BYTES_MAX + 1];
    const char *error;
    uint64_t until_us; /* the loop's clock */
};

/* A socket of c-ares. */
struct watch {
    struct loop_fd fd;
    struct resolver *resolver;
    struct watch *next;
};

struct resolver {
    struct loop *loop;
    ares_channel channel;
    struct watch *watches;
    struct loop_fd deadline; /* the timerfd */
    size_t pending;
    bool closing;
    struct negative *negatives;
};

struct resolver_query {
    struct resolver *resolver;
    bool answered;
    bool inside_ask; /* resolver_ask has not returned yet: it frees the query */
    void (*done)(void *ctx, const struct resolved *answer); /* NULL: dropped */
    void *ctx;
    char host[HOST_BYTES_MAX + 1];
};

/* c-ares' sockets and deadlines */

static void set_deadline(struct resolver *r)
{
    struct itimerspec in = {0};
    struct timeval left;

    if (ares_timeout(r->channel, NULL, &left)) {
        in.it_value.tv_sec = left.tv_sec;
        in.it_value.tv_nsec = left.tv_usec * 1000 + 1; /* all zero would mean never */
    }
    timerfd_settime(r->deadline.fd, 0, &in, NULL);
}

static void process(struct resolver *r, int read_fd, int write_fd)
{
    ares_process_fd(r->channel, read_fd, write_fd);
    set_deadline(r);
}

static void deadline_passed(void *ctx, unsigned events)
{
    struct resolver *r = ctx;
    uint64_t times;

    (void)events;
    if (read(r->deadline.fd, &times, sizeof times) == sizeof times)
        process(r, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void socket_ready(void *ctx, unsigned events)
{
    struct watch *w = ctx;
    int fd = w->fd.fd;
    bool hangup = events & LOOP_HANGUP;

    process(w->resolver, events & LOOP_READ || hangup ? fd : ARES_SOCKET_BAD,
            events & LOOP_WRITE ? fd : ARES_SOCKET_BAD);
}

static struct watch **find_watch(struct resolver *r, int fd)
{
    struct watch **at = &r->watches;

    while (*at && (*at)->fd.fd != fd)
        at = &(*at)->next;
    return at;
}

static void add_watch(struct resolver *r, int fd, unsigned events)
{
    struct watch *w = xalloc(sizeof *w);

    w->resolver = r;
    w->fd = (struct loop_fd){.fd = fd, .events = events, .ready = socket_ready, .ctx = w};
    if (loop_add_fd(r->loop, &w->fd) < 0) { /* the question then ends by its deadline */
        free(w);
        return;
    }
    w->next = r->watches;
    r->watches = w;
}

/* c-ares says here what it waits for, and last, before it closes the socket, that it is nothing. */
static void socket_wants(void *ctx, ares_socket_t fd, int readable, int writable)
{
    struct resolver *r = ctx;
    struct watch **at = find_watch(r, fd);
    struct watch *w = *at;
    unsigned events = (readable ? LOOP_READ : 0u) | (writable ? LOOP_WRITE : 0u);

    if (!w && events) {
        add_watch(r, fd, events);
    } else if (w && events) {
        loop_set_events(r->loop, &w->fd, events);
    } else if (w) {
        *at = w->next;
        loop_del_fd(r->loop, &w->fd);
        loop_defer(r->loop, free, w);
    }
}

/* Making and ending */

static int init_channel(struct resolver *r, const char *server, struct err *err)
{
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
        .timeout = TRY_MS,
        .tries = TRIES,
        .lookups = (char[]){"fb"}, /* the hosts file, then name servers */
        .sock_state_cb = socket_wants,
        .sock_state_cb_data = r,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
               ARES_OPT_SOCK_STATE_CB;
    int status = ares_library_init(ARES_LIB_INIT_ALL);

    if (status == ARES_SUCCESS)
        status = ares_init_options(&r->channel, &options, mask);
    if (status != ARES_SUCCESS)
        return err_set(err, -EIO, "cannot start the resolver: %s", ares_strerror(status));
    if (server && ares_set_servers_ports_csv(r->channel, server) != ARES_SUCCESS)
        return err_set(err, -EINVAL, "'%s': expected a name server as ADDR or ADDR:PORT", server);
    return 0;
}

static int init_deadline(struct resolver *r, struct err *err)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    int result;

    if (fd < 0)
        return err_set(err, -errno, "cannot start the resolver: %s", strerror(errno));
    r->deadline =
        (struct loop_fd){.fd = fd, .events = LOOP_READ, .ready = deadline_passed, .ctx = r};
    result = loop_add_fd(r->loop, &r->deadline);
    if (result < 0)
        return err_set(err, result, "cannot start the resolver: %s", strerror(-result));
    return 0;
}

int resolver_create(struct loop *loop, const char *server, struct resolver **ret_resolver,
                    struct err *err)
{
    struct resolver *r = xalloc(sizeof *r);
    int result;

    r->loop = loop;
    r->deadline.fd = -1;
    r->negatives = xalloc(NEGATIVE_SLOTS * sizeof *r->negatives);
    result = init_channel(r, server, err);
    if (result == 0)
        result = init_deadline(r, err);
    if (result < 0) {
        resolver_destroy(r);
        return result;
    }
    *ret_resolver = r;
    return 0;
}

void resolver_destroy(struct resolver *r)
{
    if (!r)
        return;
    r->closing = true;
    if (r->channel)
        ares_destroy(r->channel);
    if (r->deadline.fd >= 0) {
        loop_del_fd(r->loop, &r->deadline);
        close(r->deadline.fd);
    }
    ares_library_cleanup();
    free(r->negatives);
    free(r);
}

/* Answers that need no question */

static void add_address(struct resolved *answer, const void *address, size_t n)
{
    if (answer->n < RESOLVER_ADDRESSES_MAX && n <= sizeof answer->addresses[0])
        memcpy(&answer->addresses[answer->n++], address, n);
}

static bool read_literal(const char *host, struct resolved *ret_answer)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
        add_address(ret_answer, &v4, sizeof v4);
    else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1)
        add_address(ret_answer, &v6, sizeof v6);
    return ret_answer->n;
}

/* Letters, digits, hyphens, dots, and the underscores that people use. Not c-ares' escapes. */
static bool is_host_name(struct str host)
{
    for (size_t i = 0; i < host.n; i++) {
        char c = ascii_lower(host.p[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'))
            return false;
    }
    return host.n;
}

static struct negative *negative_slot(struct resolver *r, const char *host)
{
    return &r->negatives[str_ihash(str_of(host)) % NEGATIVE_SLOTS];
}

static const char *remembered_no(struct resolver *r, const char *host)
{
    const struct negative *no = negative_slot(r, host);
    bool valid =
        no->error && str_ieq(str_of(no->host), str_of(host)) && loop_now_us(r->loop) < no->until_us;

    return valid ? no->error : NULL;
}

static void remember_no(struct resolver *r, const char *host, const char *error)
{
    struct negative *no = negative_slot(r, host);

    strcpy(no->host, host);
    no->error = error;
    no->until_us = loop_now_us(r->loop) + NEGATIVE_US;
}

/* Asking */

static const char *failure_says(int status)
{
    switch (status) {
    case ARES_ENOTFOUND:
        return "no such name";
    case ARES_ENODATA:
        return "the name has no address";
    case ARES_ETIMEOUT:
        return "the name servers did not answer";
    case ARES_ECONNREFUSED:
        return "the name servers cannot be reached";
    case ARES_ESERVFAIL:
        return "the name server failed";
    case ARES_EREFUSED:
        return "the name server refused to answer";
    default:
        return ares_strerror(status);
    }
}

static void fill(struct resolved *answer, const struct ares_addrinfo *list)
{
    for (const struct ares_addrinfo_node *node = list->nodes; node; node = node->ai_next)
        add_address(answer, node->ai_addr, node->ai_addrlen);
}

static void answered(void *ctx, int status, int timeouts, struct ares_addrinfo *list)
{
    struct resolver_query *q = ctx;
    struct resolver *r = q->resolver;
    struct resolved answer = {0};

    (void)timeouts;
    if (list) {
        fill(&answer, list);
        ares_freeaddrinfo(list);
    }
    if (!answer.n)
        answer.error = failure_says(status == ARES_SUCCESS ? ARES_ENODATA : status);
    if (!r->closing && (status == ARES_ENOTFOUND || status == ARES_ENODATA))
        remember_no(r, q->host, answer.error);

    r->pending--;
    loop_busy(r->loop, -1);
    q->answered = true;
    if (q->done && !r->closing)
        q->done(q->ctx, &answer);
    if (!q->inside_ask)
        free(q);
}

/* The answer when there is one without asking; false: ask. */
static bool answer_now(struct resolver *r, struct str host, struct resolved *ret_answer)
{
    char terminated[HOST_BYTES_MAX + 1];

    ret_answer->n = 0;
    ret_answer->error = NULL;
    if (!host.n || host.n > HOST_BYTES_MAX || memchr(host.p, '\0', host.n)) {
        ret_answer->error = "not a host name";
        return true;
    }
    snprintf(terminated, sizeof terminated, STR_FMT, STR_ARG(host));
    if (read_literal(terminated, ret_answer))
        return true;
    if (!is_host_name(host))
        ret_answer->error = "not a host name";
    else if (r->pending == RESOLVER_PENDING_MAX)
        ret_answer->error = "too many names are being resolved";
    else
        ret_answer->error = remembered_no(r, terminated);
    return ret_answer->error;
}

struct resolver_query *resolver_ask(struct resolver *r, struct str host,
                                    void (*done)(void *ctx, const struct resolved *answer),
                                    void *ctx)
{
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct resolved answer = {0};

    if (answer_now(r, host, &answer)) {
        done(ctx, &answer);
        return NULL;
    }

    struct resolver_query *q = xalloc(sizeof *q);
    *q = (struct resolver_query){.resolver = r, .inside_ask = true, .done = done, .ctx = ctx};
    memcpy(q->host, host.p, host.n);
    r->pending++;
    loop_busy(r->loop, 1);
    ares_getaddrinfo(r->channel, q->host, NULL, &hints, answered, q);
    set_deadline(r);
    q->inside_ask = false;
    if (q->answered) {
        free(q);
        return NULL;
    }
    return q;
}

void resolver_drop(struct resolver *r, struct resolver_query *query)
{
    (void)r;
    if (query)
        query->done = NULL;
}
