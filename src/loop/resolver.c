/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * c-ares does the asking (channel.h); we lend it a ticking timerfd for its deadlines. Those are
 * deadlines of the real network, so they run in real time whatever the loop's clock does. A held
 * clock stands still (loop_busy) for the first moments after a question, in which every name server
 * of a test or a rehearsal has answered; one that has not is silent, and the clock goes on.
 *
 * c-ares cannot take back one question. So a dropped query stays until its answer comes, and is
 * then freed without a call; it counts as pending until then. Nor can it move one to other name
 * servers: when those have changed there is a new channel for new questions, and the old one stays
 * until its last question has ended.
 */
#include "loop/resolver.h"

#include "base/log.h"
#include "base/url.h"
#include "base/xalloc.h"
#include "loop/channel.h"
#include "loop/hosts.h"
#include "loop/watched_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define CONF "/etc/resolv.conf"

enum {
    PORT = 53,
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

/* A channel for which there is a newer one, and whose questions have not ended. */
struct older {
    struct channel *channel;
    struct older *next;
};

struct resolver {
    struct loop *loop;
    struct hosts *hosts;
    char *conf; /* the path of resolv.conf */
    uint16_t port;
    struct watched_file conf_file;
    bool conf_counts;        /* no name server was given instead */
    struct channel *channel; /* for new questions */
    struct older *older;
    struct loop_fd tick; /* the timerfd */
    bool ticks;
    unsigned held_ticks; /* for which a held clock still stands still */
    size_t pending;
    bool closing;
    struct negative *negatives;
};

struct resolver_query {
    struct resolver *resolver;
    const struct channel *channel; /* that asks */
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

static void destroy_idle(struct resolver *r)
{
    struct older **at = &r->older;

    while (*at) {
        struct older *it = *at;

        if (!channel_is_idle(it->channel)) {
            at = &it->next;
            continue;
        }
        *at = it->next;
        channel_destroy(it->channel);
        free(it);
    }
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
    channel_look_at_deadlines(r->channel);
    for (struct older *at = r->older; at; at = at->next)
        channel_look_at_deadlines(at->channel);
    destroy_idle(r);
    if (!r->pending)
        set_ticking(r, false);
}

/* Name servers */

static void set_conf(struct resolver *r, const char *path, uint16_t port)
{
    free(r->conf);
    r->conf = xstrdup(path);
    r->port = port;
    r->conf_file = (struct watched_file){.path = r->conf};
    r->conf_counts = true;
}

static int open_channel(struct resolver *r, const char *server, struct err *err)
{
    const struct name_servers servers = {r->conf, r->port, server};

    return channel_create(r->loop, &servers, &r->channel, err);
}

/* Before they are read: a change that comes in between is then found the next time. */
static bool conf_changed(struct resolver *r)
{
    return r->conf_counts && watched_file_changed(&r->conf_file, loop_now_us(r->loop)) &&
           watched_file_was_there(&r->conf_file);
}

/* Another name server may know what the one before did not. */
static void forget_nos(struct resolver *r)
{
    for (size_t i = 0; i < NEGATIVE_SLOTS; i++)
        r->negatives[i].failure = NULL;
}

static void add_older(struct resolver *r, struct channel *channel)
{
    struct older *own = xalloc(sizeof *own);

    *own = (struct older){channel, r->older};
    r->older = own;
}

/* This may be within a call of the older channel, so that one is left to the next tick. */
static void look_at_conf(struct resolver *r)
{
    struct channel *before = r->channel;
    struct err err;

    if (!conf_changed(r))
        return;
    if (open_channel(r, NULL, &err) < 0) {
        log_warn("%s: %s; the name servers stay as they were", r->conf, err.text);
        return;
    }
    add_older(r, before);
    forget_nos(r);
    if (!r->ticks)
        set_ticking(r, true);
}

/* Making and ending */

/* c-ares counts its users without a lock, so this is not left to whoever makes a channel. */
static int init_channel(struct resolver *r, const char *server, struct err *err)
{
    int status = ares_library_init(ARES_LIB_INIT_ALL);

    if (status != ARES_SUCCESS)
        return err_set(err, -EIO, "cannot start the resolver: %s", ares_strerror(status));
    set_conf(r, CONF, PORT);
    r->conf_counts = !server;
    conf_changed(r);
    return open_channel(r, server, err);
}

static void destroy_channels(struct resolver *r)
{
    channel_destroy(r->channel);
    while (r->older) {
        struct older *first = r->older;

        channel_destroy(first->channel);
        r->older = first->next;
        free(first);
    }
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
    destroy_channels(r);
    if (r->tick.fd >= 0) {
        loop_del_fd(r->loop, &r->tick);
        close(r->tick.fd);
    }
    ares_library_cleanup();
    hosts_destroy(r->hosts);
    free(r->conf);
    free(r->negatives);
    free(r);
}

void resolver_use_hosts(struct resolver *r, const char *path)
{
    hosts_destroy(r->hosts);
    r->hosts = hosts_create(r->loop, path);
}

void resolver_use_conf(struct resolver *r, const char *path, uint16_t port)
{
    set_conf(r, path, port);
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
    if (failure->remembered && q->channel == q->resolver->channel)
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
    const struct failure *failure;
    struct resolver_query *q;

    look_at_conf(r);
    failure = failure_now(r, host, family);
    if (failure) {
        say_failure(failure, family, done, ctx);
        return NULL;
    }

    q = xalloc(sizeof *q);
    *q = (struct resolver_query){
        .resolver = r,
        .channel = r->channel,
        .family = family,
        .inside_ask = true,
        .done = done,
        .ctx = ctx,
    };
    memcpy(q->host, host.p, host.n);
    question_begins(r);
    channel_ask(r->channel, q->host, family, answered, q);
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
