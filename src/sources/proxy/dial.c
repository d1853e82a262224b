/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/dial.h"

#include "base/auto.h"
#include "base/url.h"
#include "base/xalloc.h"
#include "sources/proxy/address.h"
#include "sources/proxy/policy.h"

#include <errno.h>
#include <string.h>

struct attempt {
    struct dial *dial;
    struct loop_fd watch; /* fd -1: not begun, or over */
    struct sockaddr_storage address;
    int family; /* of the address that the name has; the dial hook may lead to another */
};

struct dial {
    struct proxy *proxy;
    struct flow *flow;
    char host[HOST_MAX + 1]; /* after --connect-to */
    uint16_t port;
    bool meant; /* --connect-to or the dial hook says where to go: policy does not ask */
    dial_done *done;
    void *ctx;

    struct resolver_query *query;
    uint64_t asked_us, began_us;
    struct attempt attempts[RESOLVER_ADDRESSES_MAX];
    size_t count, begun, open;
    int last_error;
    size_t last_failed; /* the attempt that it was */

    struct loop_timer next; /* begins the next attempt; the first time, everything */
    struct loop_timer deadline;
};

static uint64_t ms_since(const struct dial *d, uint64_t us)
{
    return (loop_now_us(d->proxy->loop) - us + 500) / 1000;
}

static void end_attempt(struct attempt *a)
{
    if (a->watch.fd < 0)
        return;
    loop_del_fd(a->dial->proxy->loop, &a->watch);
    close(a->watch.fd);
    a->watch.fd = -1;
    a->dial->open--;
}

void dial_cancel(struct dial *d)
{
    if (!d)
        return;
    resolver_drop(d->proxy->resolver, d->query);
    for (size_t i = 0; i < d->begun; i++)
        end_attempt(&d->attempts[i]);
    loop_del_timer(d->proxy->loop, &d->next);
    loop_del_timer(d->proxy->loop, &d->deadline);
    loop_defer(d->proxy->loop, free, d); /* callbacks of this round may still hold it */
}

static void end(struct dial *d, int fd, const struct refusal *refusal)
{
    dial_done *done = d->done;
    void *ctx = d->ctx;

    dial_cancel(d);
    done(ctx, fd, refusal);
}

/* Connecting */

static void fail_to_connect(struct dial *d)
{
    struct sockaddr_storage *address = &d->attempts[d->last_failed].address;
    bool late = d->last_error == ETIMEDOUT;
    struct refusal refusal;
    char text[ADDRESS_TEXT];

    flow_put(d->flow, (struct obs){.kind = OBS_CONNECT_FAILED,
                                   .address = address_text(address, text),
                                   .port = address_port(address),
                                   .error = str_of(strerror(d->last_error)),
                                   .ms = ms_since(d, d->began_us)});
    refusal_set(&refusal, late ? 504 : 502, WHY_CONNECT_FAILED, "cannot connect to %s port %u: %s",
                d->host, d->port, strerror(d->last_error));
    end(d, -1, &refusal);
}

static void succeed(struct dial *d, struct attempt *a)
{
    char text[ADDRESS_TEXT];
    int fd;

    flow_put(d->flow, (struct obs){.kind = OBS_CONNECTED,
                                   .address = address_text(&a->address, text),
                                   .port = address_port(&a->address),
                                   .ms = ms_since(d, d->began_us)});
    loop_del_fd(d->proxy->loop, &a->watch);
    fd = steal_fd(&a->watch.fd);
    d->open--;
    end(d, fd, NULL);
}

static void note_failure(struct dial *d, struct attempt *a, int error)
{
    d->last_error = error;
    d->last_failed = (size_t)(a - d->attempts);
}

static void begin_next(struct dial *d);

static void attempt_ready(void *ctx, unsigned events)
{
    struct attempt *a = ctx;
    struct dial *d = a->dial;
    int error = 0;
    socklen_t n = sizeof error;

    (void)events;
    getsockopt(a->watch.fd, SOL_SOCKET, SO_ERROR, &error, &n);
    if (!error) {
        succeed(d, a);
        return;
    }
    note_failure(d, a, error);
    end_attempt(a);
    begin_next(d);
}

/* 0, or the errno with which it failed at once. */
static int begin(struct dial *d, struct attempt *a)
{
    AUTO(auto_close)
    int fd = socket(a->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int r;

    if (fd < 0)
        return errno;
    if (connect(fd, (void *)&a->address, address_bytes(&a->address)) < 0 && errno != EINPROGRESS)
        return errno;
    a->watch = (struct loop_fd){.fd = fd, .events = LOOP_WRITE, .ready = attempt_ready, .ctx = a};
    r = loop_add_fd(d->proxy->loop, &a->watch);
    if (r < 0) {
        a->watch.fd = -1;
        return -r;
    }
    steal_fd(&fd);
    d->open++;
    return 0;
}

static void begin_next(struct dial *d)
{
    while (d->begun < d->count) {
        struct attempt *a = &d->attempts[d->begun++];
        int error = begin(d, a);

        if (!error) {
            if (d->begun < d->count)
                loop_set_timer(d->proxy->loop, &d->next,
                               loop_now_us(d->proxy->loop) + NEXT_ADDRESS_US);
            return;
        }
        note_failure(d, a, error);
    }
    if (!d->open)
        fail_to_connect(d);
}

static void next_is_due(void *ctx)
{
    begin_next(ctx);
}

static void deadline_passed(void *ctx)
{
    struct dial *d = ctx;
    struct refusal refusal;

    if (d->begun) {
        note_failure(d, &d->attempts[d->begun - 1], ETIMEDOUT);
        fail_to_connect(d);
        return;
    }
    flow_put(d->flow, (struct obs){.kind = OBS_NAME_FAILED,
                                   .error = STR("the name servers did not answer in time"),
                                   .ms = ms_since(d, d->asked_us)});
    refusal_set(&refusal, 504, WHY_NAME_FAILED, "cannot resolve %s: it took too long", d->host);
    end(d, -1, &refusal);
}

/* Addresses */

static void add_address(struct dial *d, const struct sockaddr_storage *address, int family)
{
    d->attempts[d->count++] =
        (struct attempt){.dial = d, .watch.fd = -1, .address = *address, .family = family};
}

/* Families in turn, beginning with the one that came first; within one the order stays. */
static void alternate_families(struct dial *d)
{
    for (size_t i = 1; i < d->count; i++) {
        size_t other = i;

        while (other < d->count && d->attempts[other].family == d->attempts[i - 1].family)
            other++;
        if (other == i || other == d->count)
            continue;
        struct attempt moved = d->attempts[other];
        memmove(&d->attempts[i + 1], &d->attempts[i], (other - i) * sizeof moved);
        d->attempts[i] = moved;
    }
}

/* Keeps the addresses that may be dialled. NULL, or what the last of the others is. */
static const char *choose_addresses(struct dial *d, const struct resolved *answer)
{
    const char *refused = NULL;

    for (size_t i = 0; i < answer->n; i++) {
        struct sockaddr_storage address = answer->addresses[i];
        const char *says = d->meant ? NULL : policy_refuses(&address);

        address_set_port(&address, d->port);
        if (d->proxy->dial)
            d->proxy->dial(d->proxy->dial_ctx, &address);
        if (!says && policy_is_self(&address, d->proxy->port))
            says = "its own";
        if (!says)
            add_address(d, &address, answer->addresses[i].ss_family);
        else
            refused = says;
    }
    alternate_families(d);
    return d->count ? NULL : refused;
}

static void tell_addresses(struct dial *d, const struct resolved *answer)
{
    struct buf all;
    char text[ADDRESS_TEXT];

    buf_init(&all, RESOLVER_ADDRESSES_MAX * ADDRESS_TEXT);
    for (size_t i = 0; i < answer->n; i++) {
        if (i)
            buf_put_byte(&all, ' ');
        buf_put_str(&all, address_text(&answer->addresses[i], text));
    }
    flow_put(d->flow, (struct obs){.kind = OBS_NAME_RESOLVED,
                                   .addresses = buf_str(&all),
                                   .ms = ms_since(d, d->asked_us)});
    buf_finish(&all);
}

static void fail_to_resolve(struct dial *d, const char *error)
{
    struct refusal refusal;

    flow_put(d->flow, (struct obs){.kind = OBS_NAME_FAILED,
                                   .error = str_of(error),
                                   .ms = ms_since(d, d->asked_us)});
    refusal_set(&refusal, 502, WHY_NAME_FAILED, "cannot resolve %s: %s", d->host, error);
    end(d, -1, &refusal);
}

static void resolved(void *ctx, const struct resolved *answer)
{
    struct dial *d = ctx;
    struct sockaddr_storage literal;
    struct refusal refusal;
    const char *refused;

    d->query = NULL;
    if (answer->error) {
        fail_to_resolve(d, answer->error);
        return;
    }
    if (!address_parse(str_of(d->host), &literal))
        tell_addresses(d, answer);
    refused = choose_addresses(d, answer);
    if (refused) {
        refusal_set(&refusal, 403, WHY_REFUSED,
                    "%s port %u is refused: this proxy does not relay to %s addresses", d->host,
                    d->port, refused);
        end(d, -1, &refusal);
        return;
    }
    d->began_us = loop_now_us(d->proxy->loop);
    begin_next(d);
}

static void begin_dial(void *ctx)
{
    struct dial *d = ctx;
    struct resolver_query *query;
    struct loop_timer *next = &d->next;

    d->asked_us = loop_now_us(d->proxy->loop);
    next->fire = next_is_due;
    query = resolver_ask(d->proxy->resolver, str_of(d->host), resolved, d);
    if (query) /* NULL: it was answered meanwhile, and d may be over */
        d->query = query;
}

struct dial *dial_start(struct proxy *p, struct flow *flow, struct str host, uint16_t port,
                        dial_done *done, void *ctx)
{
    struct dial *d = xalloc(sizeof *d);

    *d = (struct dial){.proxy = p, .flow = flow, .port = port, .done = done, .ctx = ctx};
    d->meant = connect_to_apply(p->connect_to, p->connect_to_count, &host, &d->port) || p->dial;
    memcpy(d->host, host.p, host.n < HOST_MAX ? host.n : HOST_MAX);
    d->next = (struct loop_timer){.fire = begin_dial, .ctx = d};
    d->deadline = (struct loop_timer){.fire = deadline_passed, .ctx = d};
    loop_set_timer(p->loop, &d->next, loop_now_us(p->loop));
    loop_set_timer(p->loop, &d->deadline, loop_now_us(p->loop) + DIAL_US);
    return d;
}
