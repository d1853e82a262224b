/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A dial asks for addresses until it has some of IPv6, or some of IPv4 and has waited a moment for
 * the others; from then on it connects, and what is answered later joins what is left to try. It
 * ends with the first connection, or when nothing is open, left to try or still asked for.
 */
#include "sources/proxy/dial.h"

#include "base/auto.h"
#include "base/xalloc.h"
#include "sources/proxy/address.h"
#include "sources/proxy/policy.h"
#include "sources/proxy/private.h"

#include <errno.h>
#include <string.h>

#define RESOLUTION_DELAY_US (SECONDS(1) / 20) /* RFC 8305, section 3 */
/* For the other family to be answered, when what one family has is refused or does not connect. */
#define LATE_ADDRESSES_US SECONDS(1)

/* A connection on its way. */
struct attempt {
    struct attempt *next; /* begun before it */
    struct dial *dial;
    struct loop_fd watch;
    struct sockaddr_storage address;
};

struct dial {
    struct worker *worker;
    struct flow *flow;
    dial_done *done;
    void *ctx;
    uint16_t port;
    bool meant;      /* the operator or the dial hook says where to go: policy does not ask */
    bool connecting; /* no longer only asking */
    bool over;

    struct resolver_query *queries[FAMILY_COUNT];
    unsigned unanswered; /* families that are still asked for */
    uint64_t asked_us, answered_us;
    const char *name_error;
    unsigned name_error_weight;

    struct addresses addresses;
    size_t tried[FAMILY_COUNT]; /* how many of them had their turn */
    enum family turn;
    uint64_t began_us, tried_us;
    struct attempt *open;
    bool refused;                  /* policy did one of the addresses, and this is why */
    char refused_says[RULES_SAYS]; /* "flightstrip …" */
    int error;                     /* of the attempt that failed at `failed` */
    struct sockaddr_storage failed;

    struct loop_timer next; /* what comes when nothing else does */
    struct loop_timer deadline;
    char host[]; /* after --connect-to */
};

static uint64_t ms_between(uint64_t from_us, uint64_t to_us)
{
    return (to_us - from_us + 500) / 1000;
}

static uint64_t now_us(const struct dial *d)
{
    return loop_now_us(d->worker->loop);
}

static void wait_until(struct dial *d, uint64_t at_us, void (*then)(void *ctx))
{
    d->next.fire = then;
    loop_set_timer(d->worker->loop, &d->next, at_us);
}

/* The end */

static void close_attempt(struct attempt *a)
{
    if (a->watch.fd >= 0) {
        loop_del_fd(a->dial->worker->loop, &a->watch);
        close(a->watch.fd);
    }
    free(a);
}

void dial_cancel(struct dial *d)
{
    if (!d)
        return;
    d->over = true;
    for (enum family f = 0; f < FAMILY_COUNT; f++)
        resolver_drop(d->worker->resolver, d->queries[f]);
    for (struct attempt *a = d->open, *next; a; a = next) {
        next = a->next;
        close_attempt(a);
    }
    loop_del_timer(d->worker->loop, &d->next);
    loop_del_timer(d->worker->loop, &d->deadline);
    loop_defer(d->worker->loop, free, d); /* callbacks of this round may still hold it */
}

static void end(struct dial *d, int fd, const struct refusal *refusal)
{
    dial_done *done = d->done;
    void *ctx = d->ctx;

    dial_cancel(d);
    done(ctx, fd, refusal);
}

static void succeed(struct dial *d, int fd, const struct sockaddr_storage *address)
{
    char text[ADDRESS_TEXT];

    counters_connected(&d->worker->counters);
    flow_put(d->flow, &(struct obs){.kind = OBS_CONNECTED,
                                    .address = address_text(address, text),
                                    .port = address_port(address),
                                    .ms = ms_between(d->began_us, now_us(d))});
    end(d, fd, NULL);
}

/* What this machine has run out of; NULL: the failure is not of that sort. */
static const char *shortage(int error, const struct sockaddr_storage *address)
{
    switch (error) {
    case EMFILE:
        return "the proxy has as many connections and files open as it may";
    case ENFILE:
        return "this machine has as many files open as it can";
    case ENOBUFS:
    case ENOMEM:
        return "this machine has no memory for another connection";
    case EADDRNOTAVAIL: /* IPv6 says so too when it is switched off */
        return address->ss_family == AF_INET ? "this machine has no port left to connect from"
                                             : NULL;
    default:
        return NULL;
    }
}

static void fail_to_connect(struct dial *d)
{
    const char *short_of = shortage(d->error, &d->failed);
    const char *says = short_of ? short_of : strerror(d->error);
    unsigned status = d->error == ETIMEDOUT ? 504 : 502;
    struct refusal refusal;
    char text[ADDRESS_TEXT];

    counters_connect_failed(&d->worker->counters);
    flow_put(d->flow, &(struct obs){.kind = OBS_CONNECT_FAILED,
                                    .address = address_text(&d->failed, text),
                                    .port = address_port(&d->failed),
                                    .error = str_of(says),
                                    .ms = ms_between(d->began_us, now_us(d))});
    refusal_set(&refusal, short_of ? 503 : status, short_of ? WHY_TOO_MANY : WHY_CONNECT_FAILED,
                "cannot connect to %s port %u: %s", d->host, d->port, says);
    end(d, -1, &refusal);
}

static void refuse(struct dial *d)
{
    struct refusal refusal;

    refusal_set(&refusal, 403, WHY_REFUSED, "%s port %u is refused: flightstrip %s", d->host,
                d->port, d->refused_says);
    end(d, -1, &refusal);
}

static void give_up(void *ctx)
{
    struct dial *d = ctx;

    if (d->error)
        fail_to_connect(d);
    else
        refuse(d);
}

static void fail_to_resolve(struct dial *d, unsigned status, const char *error)
{
    struct refusal refusal;

    counters_name_failed(&d->worker->counters);
    flow_put(d->flow, &(struct obs){.kind = OBS_NAME_FAILED,
                                    .error = str_of(error),
                                    .ms = ms_between(d->asked_us, now_us(d))});
    refusal_set(&refusal, status, WHY_NAME_FAILED, "cannot resolve %s: %s", d->host, error);
    end(d, -1, &refusal);
}

/* Connecting */

/* This machine has no IPv6: what another address says counts for more. */
static bool has_no_v6(const struct sockaddr_storage *address, int error)
{
    return address->ss_family == AF_INET6 &&
           (error == ENETUNREACH || error == EAFNOSUPPORT || error == EADDRNOTAVAIL);
}

static void note_failure(struct dial *d, const struct sockaddr_storage *address, int error)
{
    if (d->error && has_no_v6(address, error))
        return;
    d->error = error;
    d->failed = *address;
}

static void begin_next(void *ctx);

static void take_out(struct attempt *a)
{
    struct attempt **at = &a->dial->open;

    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
}

static int error_of(int fd)
{
    int error = 0;
    socklen_t n = sizeof error;

    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n);
    return error;
}

static void attempt_ready(void *ctx, unsigned events)
{
    struct attempt *a = ctx;
    struct dial *d = a->dial;
    int error = events & LOOP_HANGUP ? error_of(a->watch.fd) : 0;

    if (!error) {
        loop_del_fd(d->worker->loop, &a->watch);
        succeed(d, steal_fd(&a->watch.fd), &a->address); /* which frees the attempt */
        return;
    }
    note_failure(d, &a->address, error);
    take_out(a);
    close_attempt(a);
    begin_next(d);
}

/* Takes the descriptor. 0, or a negative errno. */
static int watch_attempt(struct dial *d, int fd, const struct sockaddr_storage *address)
{
    struct attempt *a = xalloc(sizeof *a);
    int r;

    *a = (struct attempt){.next = d->open, .dial = d, .address = *address};
    a->watch = (struct loop_fd){.fd = fd, .events = LOOP_WRITE, .ready = attempt_ready, .ctx = a};
    r = loop_add_fd(d->worker->loop, &a->watch);
    if (r < 0) {
        close(fd);
        free(a);
        return r;
    }
    d->open = a;
    return 0;
}

/*
 * The descriptor when it is connected already, else a negative errno: -EINPROGRESS when it is
 * watched. A peer on this machine has often answered before we look, so we ask a second time: that
 * costs less than a wait.
 */
static int begin(struct dial *d, const struct sockaddr_storage *address)
{
    const struct sockaddr *to = (const void *)address;
    socklen_t n = address_bytes(address);
    AUTO(auto_close)
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int r;

    if (fd < 0)
        return -errno;
    r = connect(fd, to, n);
    if (r < 0 && errno == EINPROGRESS)
        r = connect(fd, to, n);
    if (r == 0)
        return steal_fd(&fd);
    if (errno != EALREADY)
        return -errno;
    r = watch_attempt(d, steal_fd(&fd), address);
    return r < 0 ? r : -EINPROGRESS;
}

static bool has_next(const struct dial *d, enum family family)
{
    return d->tried[family] < d->addresses.count[family];
}

static bool has_any(const struct dial *d)
{
    return has_next(d, FAMILY_V6) || has_next(d, FAMILY_V4);
}

/* Families in turn; within one the order stays. */
static bool take_next(struct dial *d, struct sockaddr_storage *ret_address)
{
    enum family family = has_next(d, d->turn) ? d->turn : family_other(d->turn);

    if (!has_next(d, family))
        return false;
    *ret_address = addresses_at(&d->addresses, family, d->tried[family]++);
    d->turn = family_other(family);
    return true;
}

/* Where the operator leads is meant, but never back to the proxy. */
static bool is_self(const struct worker *w, const struct sockaddr_storage *address)
{
    for (size_t i = 0; i < w->proxy->port_count; i++)
        if (policy_is_self(address, w->proxy->ports[i].number))
            return true;
    return false;
}

/* Where the address leads, and whether that may be dialled. */
static bool may_dial(struct dial *d, struct sockaddr_storage *address)
{
    const struct worker *w = d->worker;
    const struct proxy *p = w->proxy;
    bool allowed =
        d->meant || rules_relay_to(w->rules, w->networks, address, now_us(d), d->refused_says);

    address_set_port(address, d->port);
    if (p->dial)
        p->dial(p->dial_ctx, address);
    if (allowed && is_self(w, address)) {
        snprintf(d->refused_says, sizeof d->refused_says, "does not relay to its own addresses");
        allowed = false;
    }
    d->refused = d->refused || !allowed;
    return allowed;
}

/* Nothing is left to try. */
static void wait_for_others(struct dial *d)
{
    if (d->open)
        return;
    if (d->unanswered)
        wait_until(d, now_us(d) + LATE_ADDRESSES_US, give_up);
    else
        give_up(d);
}

static void begin_next(void *ctx)
{
    struct dial *d = ctx;
    struct sockaddr_storage address;

    loop_del_timer(d->worker->loop, &d->next);
    while (take_next(d, &address)) {
        int fd;

        if (!may_dial(d, &address))
            continue;
        d->tried_us = now_us(d);
        fd = begin(d, &address);
        if (fd >= 0) {
            succeed(d, fd, &address);
            return;
        }
        if (fd == -EINPROGRESS) {
            if (has_any(d))
                wait_until(d, d->tried_us + NEXT_ADDRESS_US, begin_next);
            return;
        }
        note_failure(d, &address, -fd);
    }
    wait_for_others(d);
}

/* Names */

static void put_addresses(const struct dial *d, enum family family, struct buf *out)
{
    char text[ADDRESS_TEXT];

    for (size_t i = 0; i < d->addresses.count[family]; i++) {
        struct sockaddr_storage address = addresses_at(&d->addresses, family, i);

        if (out->n)
            buf_put_byte(out, ' ');
        buf_put_str(out, address_text(&address, text));
    }
}

static void tell_addresses(struct dial *d)
{
    struct buf all;

    buf_init(&all, FAMILY_COUNT * ADDRESSES_MAX * ADDRESS_TEXT);
    put_addresses(d, FAMILY_V6, &all);
    put_addresses(d, FAMILY_V4, &all);
    flow_put(d->flow, &(struct obs){.kind = OBS_NAME_RESOLVED,
                                    .addresses = buf_str(&all),
                                    .ms = ms_between(d->asked_us, d->answered_us)});
    buf_finish(&all);
}

static void begin_connecting(void *ctx)
{
    struct dial *d = ctx;
    struct sockaddr_storage literal;

    d->connecting = true;
    if (!address_parse(str_of(d->host), &literal))
        tell_addresses(d);
    d->began_us = now_us(d);
    begin_next(d);
}

/* An answer has come before anything is dialled. */
static void ask_on(struct dial *d)
{
    if (d->addresses.count[FAMILY_V6] || (d->addresses.count[FAMILY_V4] && !d->unanswered))
        begin_connecting(d);
    else if (d->addresses.count[FAMILY_V4])
        wait_until(d, now_us(d) + RESOLUTION_DELAY_US, begin_connecting);
    else if (!d->unanswered)
        fail_to_resolve(d, 502, d->name_error);
}

/* An answer has come while others are dialled. */
static void connect_on(struct dial *d)
{
    if (!d->open)
        begin_next(d);
    else if (has_any(d))
        wait_until(d, d->tried_us + NEXT_ADDRESS_US, begin_next);
}

static void answered(void *ctx, const struct resolved *answer)
{
    struct dial *d = ctx;

    d->queries[answer->family] = NULL;
    d->unanswered--;
    if (!answer->error) {
        addresses_add_all(&d->addresses, &answer->addresses);
        d->answered_us = now_us(d);
    } else if (answer->weight >= d->name_error_weight) {
        d->name_error = answer->error;
        d->name_error_weight = answer->weight;
    }
    if (d->connecting)
        connect_on(d);
    else
        ask_on(d);
}

/* An answer may come during the call, and end the dial. */
static void ask(struct dial *d)
{
    d->unanswered = FAMILY_COUNT;
    for (enum family f = 0; f < FAMILY_COUNT && !d->over; f++) {
        struct resolver_query *query =
            resolver_ask(d->worker->resolver, str_of(d->host), f, answered, d);

        if (query)
            d->queries[f] = query;
    }
}

/* Beginning */

static void deadline_passed(void *ctx)
{
    struct dial *d = ctx;

    if (!d->connecting) {
        fail_to_resolve(d, 504, "the name servers did not answer in time");
        return;
    }
    if (d->open)
        note_failure(d, &d->open->address, ETIMEDOUT);
    give_up(d);
}

static void begin_dial(void *ctx)
{
    struct dial *d = ctx;

    if (d->over) /* it was cancelled meanwhile */
        return;
    d->asked_us = d->answered_us = now_us(d);
    if (resolver_knows(d->worker->resolver, str_of(d->host), &d->addresses))
        begin_connecting(d);
    else
        ask(d);
}

struct dial *dial_start(struct worker *w, struct flow *flow, struct dial_target target,
                        dial_done *done, void *ctx)
{
    const struct proxy *p = w->proxy;
    bool meant = target.meant ||
                 connect_to_apply(p->connect_to, p->connect_to_count, &target.host, &target.port);
    struct dial *d = xalloc(sizeof *d + target.host.n + 1);
    uint64_t begin_us = loop_now_us(w->loop) + target.delay_us;

    *d = (struct dial){.worker = w,
                       .flow = flow,
                       .done = done,
                       .ctx = ctx,
                       .port = target.port,
                       .meant = meant || p->dial,
                       .turn = FAMILY_V6};
    if (target.host.n)
        memcpy(d->host, target.host.p, target.host.n);
    d->next.ctx = d;
    d->deadline = (struct loop_timer){.fire = deadline_passed, .ctx = d};
    loop_set_timer(w->loop, &d->deadline, begin_us + DIAL_US);
    if (target.delay_us)
        wait_until(d, begin_us, begin_dial);
    else
        loop_defer(w->loop, begin_dial, d);
    return d;
}
