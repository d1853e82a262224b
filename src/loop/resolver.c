/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * c-ares does the asking; we lend it the loop for its sockets and a ticking timerfd for its
 * deadlines. Those are deadlines of the real network, so they run in real time whatever the loop's
 * clock does. A held clock stands still (loop_busy) for the first moments after a question, in
 * which every name server of a test or a rehearsal has answered; one that has not is silent, and
 * the clock goes on.
 *
 * c-ares cannot take back one question. So a dropped query stays until its answer comes, and is
 * then freed without a call; it counts as pending until then.
 */
#include "loop/resolver.h"

#include "base/auto.h"
#include "base/url.h"
#include "base/xalloc.h"
#include "loop/hosts.h"

#include <ares.h>
#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>

enum {
    TRY_MS = 1500, /* c-ares doubles it each time: 10.5 seconds in all with one name server */
    TRIES = 3,
    TICK_MS = 100, /* how late a deadline may be noticed */
    HELD_TICKS = 2,
    NEGATIVE_SLOTS = 2048,
    NEGATIVE_US = 5 * 1000 * 1000,
};

/* Why there is no address. The weight: what is said of the name itself says more. */
struct failure {
    int status; /* as c-ares has it */
    unsigned weight;
    bool remembered;
    const char *says;
};

static const struct failure failures[] = {
    {ARES_ENODATA, 1, true, "the name has no address"},
    {ARES_ECONNREFUSED, 2, false, "the name servers cannot be reached, or failed"},
    {ARES_ETIMEOUT, 2, false, "the name servers did not answer"},
    {ARES_ESERVFAIL, 3, false, "the name server failed"},
    {ARES_EREFUSED, 3, false, "the name server refused to answer"},
    {ARES_ENOTIMP, 3, false, "the name server cannot answer this"},
    {ARES_EFORMERR, 3, false, "the name server did not understand the question"},
    {ARES_EBADRESP, 3, false, "the name server's answer makes no sense"},
    {ARES_ENOTFOUND, 4, true, "no such name"},
};

static const struct failure bad_name = {ARES_EBADNAME, 5, false, "not a host name"};
static const struct failure too_many = {0, 5, false, "too many names are being resolved"};
static const struct failure other = {0, 2, false, "the name could not be asked for"};

/* What a name server said no to. A slot is overwritten by the next name that falls into it. */
struct negative {
    char host[HOST_MAX + 1];
    enum family family;
    const struct failure *failure;
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
    struct hosts *hosts;
    ares_channel channel;
    struct watch *watches;
    struct loop_fd tick; /* the timerfd */
    bool ticks;
    unsigned held_ticks; /* for which a held clock still stands still */
    size_t pending;
    bool closing;
    struct negative *negatives;
};

struct resolver_query {
    struct resolver *resolver;
    enum family family;
    bool answered;
    bool inside_ask;     /* resolver_ask has not returned yet: it frees the query */
    resolver_done *done; /* NULL: dropped */
    void *ctx;
    char host[HOST_MAX + 1];
};

/* c-ares' deadlines */

static void set_ticking(struct resolver *r, bool on)
{
    struct itimerspec every = {0};

    every.it_interval.tv_nsec = every.it_value.tv_nsec = on ? TICK_MS * 1000 * 1000 : 0;
    r->ticks = on;
    timerfd_settime(r->tick.fd, 0, &every, NULL);
}

static void hold_clock(struct resolver *r, unsigned ticks)
{
    loop_busy(r->loop, (ticks != 0) - (r->held_ticks != 0));
    r->held_ticks = ticks;
}

static void question_begins(struct resolver *r)
{
    r->pending++;
    hold_clock(r, HELD_TICKS);
    if (!r->ticks)
        set_ticking(r, true);
}

/* The ticking goes on until it finds nothing to do: often there is another question by then. */
static void question_ended(struct resolver *r)
{
    if (!--r->pending)
        hold_clock(r, 0);
}

static void on_tick(void *ctx, unsigned events)
{
    struct resolver *r = ctx;
    uint64_t times;

    (void)events;
    if (read(r->tick.fd, &times, sizeof times) != sizeof times)
        return;
    if (r->held_ticks)
        hold_clock(r, r->held_ticks - 1);
    if (r->pending)
        ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    else
        set_ticking(r, false);
}

/* c-ares' sockets */

static void socket_ready(void *ctx, unsigned events)
{
    struct watch *w = ctx;
    int fd = w->fd.fd;
    bool hangup = events & LOOP_HANGUP;

    ares_process_fd(w->resolver->channel, events & LOOP_READ || hangup ? fd : ARES_SOCKET_BAD,
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

static int open_channel(struct resolver *r, int flags, const char *server, struct err *err)
{
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | flags,
        .timeout = TRY_MS,
        .tries = TRIES,
        .lookups = (char[]){"b"}, /* name servers alone: the hosts file is read in hosts.c */
        .sock_state_cb = socket_wants,
        .sock_state_cb_data = r,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
               ARES_OPT_SOCK_STATE_CB;
    int status = ares_init_options(&r->channel, &options, mask);

    if (status != ARES_SUCCESS)
        return err_set(err, -EIO, "cannot start the resolver: %s", ares_strerror(status));
    if (server && ares_set_servers_ports_csv(r->channel, server) != ARES_SUCCESS)
        return err_set(err, -EINVAL, "'%s': expected a name server as ADDR or ADDR:PORT", server);
    return 0;
}

static bool has_one_server(const struct resolver *r)
{
    struct ares_addr_port_node *servers = NULL;
    bool one =
        ares_get_servers_ports(r->channel, &servers) == ARES_SUCCESS && servers && !servers->next;

    ares_free_data(servers);
    return one;
}

/*
 * A server that fails or refuses is passed over for the next one, and c-ares forgets what it said.
 * Where there is no next one it shall tell us. How many there are is known when it has begun.
 */
static int init_channel(struct resolver *r, const char *server, struct err *err)
{
    int status = ares_library_init(ARES_LIB_INIT_ALL);
    int result;

    if (status != ARES_SUCCESS)
        return err_set(err, -EIO, "cannot start the resolver: %s", ares_strerror(status));
    result = open_channel(r, 0, server, err);
    if (result < 0 || !has_one_server(r))
        return result;
    ares_destroy(r->channel);
    r->channel = NULL;
    return open_channel(r, ARES_FLAG_NOCHECKRESP, server, err);
}

static int init_tick(struct resolver *r, struct err *err)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    int result;

    if (fd < 0)
        return err_set(err, -errno, "cannot start the resolver: %s", strerror(errno));
    r->tick = (struct loop_fd){.fd = fd, .events = LOOP_READ, .ready = on_tick, .ctx = r};
    result = loop_add_fd(r->loop, &r->tick);
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
    r->tick.fd = -1;
    r->hosts = hosts_create(loop, "/etc/hosts");
    r->negatives = xalloc(NEGATIVE_SLOTS * sizeof *r->negatives);
    result = init_channel(r, server, err);
    if (result == 0)
        result = init_tick(r, err);
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
    if (r->tick.fd >= 0) {
        loop_del_fd(r->loop, &r->tick);
        close(r->tick.fd);
    }
    ares_library_cleanup();
    hosts_destroy(r->hosts);
    free(r->negatives);
    free(r);
}

void resolver_use_hosts(struct resolver *r, const char *path)
{
    hosts_destroy(r->hosts);
    r->hosts = hosts_create(r->loop, path);
}

/* Answers that need no question */

/* A terminated copy; false: no name is as long, or has such a byte. */
static bool copy_host(struct str host, char ret_text[static HOST_MAX + 1])
{
    if (!host.n || host.n > HOST_MAX || memchr(host.p, '\0', host.n))
        return false;
    memcpy(ret_text, host.p, host.n);
    ret_text[host.n] = '\0';
    return true;
}

bool resolver_knows(struct resolver *r, struct str host, struct addresses *ret_addresses)
{
    char text[HOST_MAX + 1];

    return copy_host(host, text) && (addresses_add_literal(ret_addresses, text) ||
                                     hosts_find(r->hosts, host, ret_addresses));
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

static struct negative *negative_slot(struct resolver *r, const char *host, enum family family)
{
    return &r->negatives[(str_ihash(str_of(host)) ^ family) % NEGATIVE_SLOTS];
}

static const struct failure *remembered_no(struct resolver *r, const char *host, enum family family)
{
    const struct negative *no = negative_slot(r, host, family);
    bool valid = no->failure && no->family == family && str_ieq(str_of(no->host), str_of(host)) &&
                 loop_now_us(r->loop) < no->until_us;

    return valid ? no->failure : NULL;
}

static void remember_no(const struct resolver_query *q, const struct failure *failure)
{
    struct resolver *r = q->resolver;
    struct negative *no = negative_slot(r, q->host, q->family);

    strcpy(no->host, q->host);
    no->family = q->family;
    no->failure = failure;
    no->until_us = loop_now_us(r->loop) + NEGATIVE_US;
}

/* Why it cannot be asked for, or need not be; NULL: ask. */
static const struct failure *failure_now(struct resolver *r, struct str host, enum family family)
{
    char text[HOST_MAX + 1];

    if (!copy_host(host, text) || !is_host_name(host))
        return &bad_name;
    if (r->pending == RESOLVER_PENDING_MAX)
        return &too_many;
    return remembered_no(r, text, family);
}

/* Asking */

static const struct failure *failure_of(int status)
{
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        if (failures[i].status == status)
            return &failures[i];
    return &other;
}

/* Of the family that was asked for; what else came along is not taken. */
static void fill(struct addresses *out, enum family family, const struct ares_addrinfo *list)
{
    for (const struct ares_addrinfo_node *node = list->nodes; node; node = node->ai_next) {
        if (node->ai_family != family_number(family))
            continue;
        if (family == FAMILY_V6)
            addresses_add(out, family, &((const struct sockaddr_in6 *)node->ai_addr)->sin6_addr);
        else
            addresses_add(out, family, &((const struct sockaddr_in *)node->ai_addr)->sin_addr);
    }
}

static void say_failure(const struct failure *failure, enum family family, resolver_done *done,
                        void *ctx)
{
    const struct resolved answer = {
        .family = family, .error = failure->says, .weight = failure->weight};

    done(ctx, &answer);
}

static void say_answer(struct resolver_query *q, const struct resolved *answer, int status)
{
    const struct failure *failure = failure_of(status == ARES_SUCCESS ? ARES_ENODATA : status);

    if (answer->addresses.count[q->family]) {
        if (q->done)
            q->done(q->ctx, answer);
        return;
    }
    if (failure->remembered)
        remember_no(q, failure);
    if (q->done)
        say_failure(failure, q->family, q->done, q->ctx);
}

static void answered(void *ctx, int status, int timeouts, struct ares_addrinfo *list)
{
    struct resolver_query *q = ctx;
    struct resolved answer = {.family = q->family};

    (void)timeouts;
    if (list) {
        fill(&answer.addresses, q->family, list);
        ares_freeaddrinfo(list);
    }
    question_ended(q->resolver);
    q->answered = true;
    if (!q->resolver->closing)
        say_answer(q, &answer, status);
    if (!q->inside_ask)
        free(q);
}

struct resolver_query *resolver_ask(struct resolver *r, struct str host, enum family family,
                                    resolver_done *done, void *ctx)
{
    /* Sorting would cost a socket for each address, and dialling does not need it. */
    const struct ares_addrinfo_hints hints = {
        .ai_flags = ARES_AI_NOSORT, .ai_family = family_number(family), .ai_socktype = SOCK_STREAM};
    const struct failure *failure = failure_now(r, host, family);
    struct resolver_query *q;

    if (failure) {
        say_failure(failure, family, done, ctx);
        return NULL;
    }

    q = xalloc(sizeof *q);
    *q = (struct resolver_query){
        .resolver = r, .family = family, .inside_ask = true, .done = done, .ctx = ctx};
    memcpy(q->host, host.p, host.n);
    question_begins(r);
    ares_getaddrinfo(r->channel, q->host, NULL, &hints, answered, q);
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
