/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/unit/sources/proxy_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A client is an address and a port that the kernel picked, or "*" and a port of the proxy. */
static void put_client(struct world *w, struct str client)
{
    char own[16];

    snprintf(own, sizeof own, "*:%u", proxy_port(w->proxy, 0));
    if (str_eq(client, str_of(own)))
        buf_put_str(&w->seen, STR(" client=*:PROXY"));
}

static void put_field(struct world *w, const struct obs *o, enum obs_field field)
{
    const struct field_info *info = &obs_fields[field];
    unsigned n;
    const struct word_info *words = field_words(info->type, &n);

    if (field == FIELD_client)
        put_client(w, o->client);
    if (field == FIELD_client || field == FIELD_ms)
        return;
    if (info->type == FIELD_STR) {
        struct str value = obs_str(o, field);
        if (value.n)
            buf_printf(&w->seen, " %s=" STR_FMT, info->name, STR_ARG(value));
        return;
    }
    uint64_t value = obs_num(o, field);
    if (words && value)
        buf_printf(&w->seen, " %s=%s", info->name, words[value].name);
    else if (field == FIELD_port && value == w->server_port)
        buf_printf(&w->seen, " port=ORIGIN");
    else if (field == FIELD_port && value == proxy_port(w->proxy, 0))
        buf_printf(&w->seen, " port=PROXY");
    else if (value)
        buf_printf(&w->seen, " %s=%llu", info->name, (unsigned long long)value);
}

static void note(void *ctx, const struct obs *o)
{
    struct world *w = ctx;
    const struct kind_info *kind = &obs_kinds[o->kind];

    w->at_us[o->kind] = o->at_us;
    buf_put_str(&w->seen, str_of(kind->name));
    for (unsigned i = 0; i < kind->field_count; i++)
        put_field(w, o, kind->fields[i]);
    buf_put_byte(&w->seen, '\n');
}

static void open_server(struct world *w)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;

    w->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(w->listener, (void *)&a, sizeof a), 0);
    assert_int_equal(listen(w->listener, 16), 0);
    assert_int_equal(getsockname(w->listener, (void *)&a, &n), 0);
    w->server_port = ntohs(a.sin_port);
}

static void halt(void *ctx)
{
    loop_stop(ctx);
}

void world_init(struct world *w, const struct proxy_options *more)
{
    static const char *const anywhere[] = {"127.0.0.1:0"};
    static const char *const hosts[] = {"origin.test", "192.0.2.7", "[2001:db8::7]"};
    struct proxy_options options = more ? *more : (struct proxy_options){0};
    char leads[3][64];
    const char *const rules[] = {leads[0], leads[1], leads[2]};
    struct err err = {0};

    *w = (struct world){0};
    buf_init(&w->seen, BUF_UNBOUNDED);
    clock_init_held(&w->clock, 0);
    assert_int_equal(loop_create(&w->clock, &w->loop, NULL), 0);
    w->halt = (struct loop_timer){.fire = halt, .ctx = w->loop};
    stream_init(&w->stream, &w->clock);
    stream_add_sink(&w->stream, note, w);
    devices_init(&w->devices);
    stream_use_devices(&w->stream, &w->devices);
    open_server(w);

    for (size_t i = 0; i < 3; i++)
        snprintf(leads[i], sizeof leads[i], "%s::127.0.0.1:%u", hosts[i], w->server_port);
    if (!options.listen_count) {
        options.listen = anywhere;
        options.listen_count = 1;
    }
    if (!options.connect_to_count) {
        options.connect_to = rules;
        options.connect_to_count = 3;
    }
    if (proxy_create(w->loop, &w->stream, &w->devices, &options, &w->proxy, &err) < 0)
        fail_msg("%s", err.text);
}

void world_finish(struct world *w)
{
    for (size_t i = 0; i < w->fd_count; i++)
        if (w->fds[i] >= 0)
            close(w->fds[i]);
    close(w->listener);
    proxy_destroy(w->proxy);
    loop_destroy(w->loop);
    devices_finish(&w->devices);
    buf_finish(&w->seen);
}

void world_obey(struct world *w, const struct rules_options *options)
{
    struct rules *rules = NULL;
    struct err err = {0};

    if (rules_create(options, &rules, &err) < 0)
        fail_msg("%s", err.text);
    proxy_set_rules(w->proxy, rules);
    rules_unref(rules);
    settle(w);
}

int world_set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    world_init(w, NULL);
    *state = w;
    return 0;
}

int world_tear_down(void **state)
{
    world_finish(*state);
    free(*state);
    return 0;
}

void pass_time(struct world *w, uint64_t us)
{
    loop_set_timer(w->loop, &w->halt, clock_now_us(&w->clock) + us);
    loop_run(w->loop);
}

void settle(struct world *w)
{
    pass_time(w, 1);
}

/* Without Nagle's waiting: it is real time, which the held clock knows nothing of. */
static int keep(struct world *w, int fd)
{
    static const int on = 1;

    assert_true(fd >= 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    assert_true(w->fd_count < WORLD_FDS);
    return w->fds[w->fd_count++] = fd;
}

int device(struct world *w)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons(proxy_port(w->proxy, 0))};
    int fd = keep(w, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

    assert_int_equal(connect(fd, (void *)&a, sizeof a), 0);
    return fd;
}

static int accept_one(struct world *w)
{
    settle(w);
    return accept4(w->listener, NULL, NULL, SOCK_CLOEXEC);
}

int server(struct world *w)
{
    return keep(w, accept_one(w));
}

bool server_was_called(struct world *w)
{
    int fd = accept_one(w);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

void world_tunnel(struct world *w, int *ret_device, int *ret_server)
{
    *ret_device = device(w);
    say(w, *ret_device, "CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test:443\r\n\r\n");
    *ret_server = server(w);
    assert_string_equal(heard(w, *ret_device), "HTTP/1.1 200 Connection established\r\n\r\n");
    seen(w);
}

void say_bytes(struct world *w, int fd, const void *p, size_t n)
{
    const char *at = p;

    for (int stuck = 0; n && stuck < 100; stuck++) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL | MSG_DONTWAIT);

        settle(w);
        if (sent < 0 && errno != EAGAIN)
            return; /* the other side is gone: the test will see it */
        if (sent > 0) {
            at += sent;
            n -= (size_t)sent;
            stuck = 0;
        }
    }
}

void say(struct world *w, int fd, const char *text)
{
    say_bytes(w, fd, text, strlen(text));
}

size_t hear_bytes(struct world *w, int fd, char *p, size_t n)
{
    size_t at = 0;

    for (int quiet = 0; at < n && quiet < 3;) {
        ssize_t got = recv(fd, p + at, n - at, MSG_DONTWAIT);

        if (got <= 0) {
            quiet++;
            settle(w);
            continue;
        }
        at += (size_t)got;
        quiet = 0;
    }
    return at;
}

const char *heard(struct world *w, int fd)
{
    static char text[256 << 10];
    size_t n = 0;

    settle(w);
    for (;;) {
        ssize_t got = recv(fd, text + n, sizeof text - n - 8, MSG_DONTWAIT);

        if (got > 0) {
            n += (size_t)got;
            settle(w);
            continue;
        }
        strcpy(text + n, got == 0 ? "<FIN>" : errno == EAGAIN ? "" : "<RST>");
        return text;
    }
}

void end_of(struct world *w, int fd)
{
    shutdown(fd, SHUT_WR);
    settle(w);
}

static void forget(struct world *w, int fd)
{
    for (size_t i = 0; i < w->fd_count; i++)
        if (w->fds[i] == fd)
            w->fds[i] = -1;
    close(fd);
    settle(w);
}

void leave(struct world *w, int fd)
{
    forget(w, fd);
}

void reset_by(struct world *w, int fd)
{
    static const struct linger now = {.l_onoff = 1};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    forget(w, fd);
}

const char *seen(struct world *w)
{
    static char text[64 << 10];
    size_t n = w->seen.n < sizeof text - 1 ? w->seen.n : sizeof text - 1;

    if (n)
        memcpy(text, w->seen.p, n);
    text[n] = '\0';
    buf_clear(&w->seen);
    return text;
}
