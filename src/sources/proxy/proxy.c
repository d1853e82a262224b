/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/proxy.h"

#include "base/xalloc.h"
#include "sources/proxy/worker.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Making */

static int take_connect_to(struct proxy *p, const struct proxy_options *options, struct err *err)
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

static void take_direct(struct proxy *p, const struct proxy_options *options)
{
    const char **direct = arena_array(p->arena, options->direct_count, sizeof *direct);

    for (size_t i = 0; i < options->direct_count; i++)
        direct[i] = arena_str(p->arena, str_of(options->direct[i])).p;
    p->direct = direct;
    p->direct_count = options->direct_count;
}

static int take_rules(struct proxy *p, const struct proxy_options *options, struct err *err)
{
    p->credentials = options->credentials ? credentials_ref(options->credentials) : NULL;
    if (!options->rules)
        return rules_create(&(struct rules_options){0}, &p->rules, err);
    p->rules = rules_ref(options->rules);
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

/* Who comes to a port that has a name is the device of that name. */
static void name_device(struct proxy *p, const struct port *port)
{
    char key[16];

    if (!port->device.n)
        return;
    snprintf(key, sizeof key, "*:%u", port->number);
    devices_suggest_name(p->devices, str_of(key), port->device);
}

static int open_ports(struct proxy *p, const struct proxy_options *options, struct err *err)
{
    int r = 0;

    p->ports = arena_array(p->arena, options->fd_count + options->listen_count, sizeof *p->ports);
    /* All are taken, so that all are closed, whatever comes of it. */
    for (size_t i = 0; i < options->fd_count; i++) {
        int taken =
            port_take(&p->ports[p->port_count++], options->fds[i], p->worker_count, r ? NULL : err);
        r = r < 0 ? r : taken;
    }
    for (size_t i = 0; r == 0 && i < options->listen_count; i++)
        r = port_open(&p->ports[p->port_count++], options->listen[i], p->worker_count, err);
    for (size_t i = 0; r == 0 && i < p->port_count; i++)
        name_device(p, &p->ports[i]);
    return r;
}

static int create_workers(struct proxy *p, struct stream *stream, const char *name_server,
                          struct err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < p->worker_count; i++)
        r = worker_create(p, i, stream, name_server, &p->workers[i], err);
    for (size_t i = 0; r == 0 && i < p->worker_count; i++)
        r = worker_start(p->workers[i], err);
    return r;
}

static size_t worker_count(unsigned threads)
{
    return threads < 1 ? 1 : threads < WORKERS_MAX ? threads : WORKERS_MAX;
}

static void grace_is_over(void *ctx)
{
    struct proxy *p = ctx;

    p->workers_open = 0;
    p->drained(p->drained_ctx);
}

int proxy_create(struct loop *loop, struct stream *stream, struct devices *devices,
                 const struct proxy_options *options, struct proxy **ret_proxy, struct err *err)
{
    struct proxy *p = xalloc(sizeof *p);
    int r;

    *p = (struct proxy){
        .loop = loop,
        .devices = devices,
        .arena = arena_create(),
        .dial = options->dial,
        .dial_ctx = options->dial_ctx,
        .refuse = options->refuse,
        .refuse_ctx = options->refuse_ctx,
        .funnel = options->threads ? funnel_create(loop, stream) : NULL,
        .worker_count = worker_count(options->threads),
    };
    p->workers = arena_array(p->arena, p->worker_count, sizeof *p->workers);
    p->grace = (struct loop_timer){.fire = grace_is_over, .ctx = p};
    allow_many_descriptors();
    take_direct(p, options);
    r = open_ports(p, options, err);
    if (r == 0)
        r = take_connect_to(p, options, err);
    if (r == 0)
        r = take_rules(p, options, err);
    if (r == 0)
        r = create_workers(p, stream, options->name_server, err);
    if (r < 0) {
        proxy_destroy(p);
        return r;
    }
    *ret_proxy = p;
    return 0;
}

/* Asking */

size_t proxy_port_count(const struct proxy *p)
{
    return p->port_count;
}

uint16_t proxy_port(const struct proxy *p, size_t i)
{
    return p->ports[i].number;
}

struct str proxy_address(const struct proxy *p, size_t i)
{
    return str_of(p->ports[i].address);
}

void proxy_counters(const struct proxy *p, struct counters *ret_sum)
{
    *ret_sum = (struct counters){0};
    for (size_t i = 0; i < p->worker_count; i++)
        counters_add(ret_sum, &p->workers[i]->counters);
}

/* Changing */

void proxy_set_rules(struct proxy *p, struct rules *rules)
{
    struct rules *old = p->rules;

    p->rules = rules_ref(rules);
    for (size_t i = 0; i < p->worker_count; i++)
        worker_set_rules(p->workers[i], rules);
    rules_unref(old);
}

void proxy_set_credentials(struct proxy *p, struct credentials *credentials)
{
    assert(p->credentials);
    credentials_ref(credentials);
    credentials_unref(p->credentials);
    p->credentials = credentials;
    for (size_t i = 0; i < p->worker_count; i++)
        worker_set_credentials(p->workers[i], credentials);
}

/* Ending */

void proxy_drain(struct proxy *p, uint64_t grace_us, void (*done)(void *ctx), void *ctx)
{
    p->drained = done;
    p->drained_ctx = ctx;
    p->workers_open = p->worker_count;
    loop_set_timer(p->loop, &p->grace, loop_now_us(p->loop) + grace_us);
    for (size_t i = 0; i < p->worker_count; i++)
        worker_drain(p->workers[i]);
}

void proxy_stop(struct proxy *p)
{
    loop_del_timer(p->loop, &p->grace);
    p->workers_open = 0;
    for (size_t i = 0; i < p->worker_count; i++)
        if (p->workers[i])
            worker_stop(p->workers[i]);
    if (p->funnel)
        funnel_fetch(p->funnel);
}

static void free_proxy(void *ctx)
{
    struct proxy *p = ctx;

    for (size_t i = 0; i < p->worker_count; i++)
        worker_destroy(p->workers[i]);
    for (size_t i = 0; i < p->port_count; i++)
        port_close(&p->ports[i]);
    funnel_destroy(p->funnel);
    rules_unref(p->rules);
    credentials_unref(p->credentials);
    arena_destroy(p->arena);
    free(p);
}

void proxy_destroy(struct proxy *p)
{
    if (!p)
        return;
    proxy_stop(p);
    loop_post(p->loop, free_proxy, p); /* what was posted before may still speak of it */
}
