/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The proxy with threads of its own, in real time: what they observe comes together. */
#include "obs/devices.h"
#include "sources/proxy/proxy.h"
#include "test/unit/unit.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS = 3, CROWDS = 4, EACH = 50, FLOWS_MAX = 100000 };

struct rig {
    struct clock clock;
    struct loop *loop;
    struct stream stream;
    struct devices devices;
    struct proxy *proxy;
    unsigned opened, closed, refused, shut_down, halt_at; /* stops the loop when so many closed */
    uint8_t open[FLOWS_MAX];                              /* by the flow's number */
    bool odd; /* a flow that was not opened and closed once each */
    uint64_t last_us;

    /* The server, which says back what it hears. */
    int listener;
    uint16_t server_port;
    pthread_t server;
};

static void count_flow(struct rig *r, const struct obs *o)
{
    bool opens = o->kind == OBS_FLOW_OPENED;

    assert_true(o->flow < FLOWS_MAX);
    r->odd |= r->open[o->flow] != !opens;
    r->open[o->flow] += 1;
}

static void note(void *ctx, const struct obs *o)
{
    struct rig *r = ctx;

    assert_true(o->at_us >= r->last_us);
    r->last_us = o->at_us;
    r->opened += o->kind == OBS_FLOW_OPENED;
    r->closed += o->kind == OBS_FLOW_CLOSED;
    r->refused += o->kind == OBS_FLOW_CLOSED && o->why == WHY_REFUSED;
    r->shut_down += o->kind == OBS_FLOW_CLOSED && o->why == WHY_SHUTDOWN;
    if (o->kind == OBS_FLOW_OPENED || o->kind == OBS_FLOW_CLOSED)
        count_flow(r, o);
    if (r->closed == r->halt_at)
        loop_stop(r->loop);
}

static void *say_back(void *ctx)
{
    const struct rig *r = ctx;
    char bytes[64];

    for (int fd; (fd = accept(r->listener, NULL, NULL)) >= 0; close(fd)) {
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);

        if (n > 0)
            send(fd, bytes, (size_t)n, MSG_NOSIGNAL);
    }
    return NULL;
}

static void begin_server(struct rig *r)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;

    r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(r->listener, (void *)&a, sizeof a), 0);
    assert_int_equal(listen(r->listener, 64), 0);
    assert_int_equal(getsockname(r->listener, (void *)&a, &n), 0);
    r->server_port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&r->server, NULL, say_back, r), 0);
}

static void begin(struct rig *r)
{
    static const char *const listen[] = {"127.0.0.1:0"};
    char lead[64];
    const char *const leads[] = {lead};
    const struct proxy_options options = {.listen = listen,
                                          .listen_count = 1,
                                          .connect_to = leads,
                                          .connect_to_count = 1,
                                          .threads = THREADS};
    struct err err;

    *r = (struct rig){.halt_at = UINT_MAX};
    begin_server(r);
    snprintf(lead, sizeof lead, "origin.test::127.0.0.1:%u", r->server_port);
    clock_init_real(&r->clock);
    assert_int_equal(loop_create(&r->clock, &r->loop, NULL), 0);
    devices_init(&r->devices);
    stream_init(&r->stream, &r->clock);
    stream_use_devices(&r->stream, &r->devices);
    stream_add_sink(&r->stream, note, r);
    if (proxy_create(r->loop, &r->stream, &r->devices, &options, &r->proxy, &err) < 0)
        fail_msg("%s", err.text);
}

static void end(struct rig *r)
{
    shutdown(r->listener, SHUT_RDWR); /* wakes the thread that accepts */
    pthread_join(r->server, NULL);
    close(r->listener);
    proxy_destroy(r->proxy);
    loop_destroy(r->loop);
    devices_finish(&r->devices);
}

static int visit(const struct rig *r)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons(proxy_port(r->proxy, 0))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return connect(fd, (void *)&a, sizeof a) < 0 ? -1 : fd;
}

/* Asks for what is refused, and reads until the proxy has said so. */
static void *crowd(void *ctx)
{
    static const char request[] = "CONNECT 127.0.0.1:443 HTTP/1.1\r\n\r\n";
    const struct rig *r = ctx;
    uintptr_t answered = 0;
    char answer[1024];

    for (int i = 0; i < EACH; i++) {
        int fd = visit(r);

        if (fd >= 0 && write(fd, request, sizeof request - 1) > 0)
            answered += read(fd, answer, sizeof answer) > 12 && memcmp(answer + 9, "403", 3) == 0;
        close(fd);
    }
    return (void *)answered;
}

static void every_flow_of_every_thread_is_observed_once(void **state)
{
    pthread_t crowds[CROWDS];
    struct rig r;

    (void)state;
    begin(&r);
    for (size_t i = 0; i < CROWDS; i++)
        assert_int_equal(pthread_create(&crowds[i], NULL, crowd, &r), 0);
    for (size_t i = 0; i < CROWDS; i++) {
        void *answered;

        assert_int_equal(pthread_join(crowds[i], &answered), 0);
        assert_int_equal((uintptr_t)answered, EACH);
    }
    proxy_stop(r.proxy);
    assert_int_equal(r.opened, CROWDS * EACH);
    assert_int_equal(r.refused, CROWDS * EACH);
    assert_int_equal(r.closed, CROWDS * EACH);
    assert_false(r.odd);
    end(&r);
}

static void what_is_open_when_it_stops_is_closed_and_observed(void **state)
{
    static const char half[] = "GET http://origin.test/ HTTP/1.1\r\nX:";
    int fds[20];
    struct rig r;

    (void)state;
    begin(&r);
    for (size_t i = 0; i < 20; i++) {
        fds[i] = visit(&r);
        assert_int_equal(write(fds[i], half, sizeof half - 1), sizeof half - 1);
    }
    proxy_stop(r.proxy);
    assert_int_equal(r.opened, r.closed);
    proxy_stop(r.proxy);
    for (size_t i = 0; i < 20; i++)
        close(fds[i]);
    end(&r);
}

struct traffic {
    const struct rig *rig;
    pthread_t thread;
    atomic_bool over;
};

/* One tunnel: 0 when it said back what was said. */
static int use_tunnel(const struct rig *r)
{
    static const char request[] = "CONNECT origin.test:443 HTTP/1.1\r\n\r\nhello";
    static const char wanted[] = "HTTP/1.1 200 Connection established\r\n\r\nhello";
    char answer[sizeof wanted - 1];
    int fd = visit(r), same = -1;

    if (fd >= 0 && send(fd, request, sizeof request - 1, MSG_NOSIGNAL) > 0 &&
        recv(fd, answer, sizeof answer, MSG_WAITALL) == sizeof answer)
        same = memcmp(answer, wanted, sizeof answer);
    close(fd);
    return same;
}

static void *use_tunnels(void *ctx)
{
    struct traffic *t = ctx;

    while (!atomic_load(&t->over))
        use_tunnel(t->rig);
    return NULL;
}

static void stopping_in_the_middle_of_traffic_loses_no_flow(void **state)
{
    struct traffic traffic[CROWDS];
    struct rig r;

    (void)state;
    begin(&r);
    r.halt_at = CROWDS * EACH;
    for (size_t i = 0; i < CROWDS; i++) {
        traffic[i].rig = &r;
        atomic_init(&traffic[i].over, false);
        assert_int_equal(pthread_create(&traffic[i].thread, NULL, use_tunnels, &traffic[i]), 0);
    }
    loop_run(r.loop);
    proxy_stop(r.proxy);
    assert_int_equal(r.opened, r.closed);
    assert_true(r.closed >= CROWDS * EACH);
    assert_false(r.odd);
    for (size_t i = 0; i < CROWDS; i++) {
        atomic_store(&traffic[i].over, true);
        assert_int_equal(pthread_join(traffic[i].thread, NULL), 0);
    }
    end(&r);
}

static void done(void *ctx)
{
    loop_stop(ctx);
}

static void draining_waits_for_the_flows_of_every_thread(void **state)
{
    enum { TUNNELS = 12 };
    static const char request[] = "CONNECT origin.test:443 HTTP/1.1\r\n\r\n";
    int fds[TUNNELS];
    char answer[64];
    struct rig r;

    (void)state;
    begin(&r);
    for (size_t i = 0; i < TUNNELS; i++) {
        fds[i] = visit(&r);
        assert_int_equal(send(fds[i], request, sizeof request - 1, 0), sizeof request - 1);
        assert_true(recv(fds[i], answer, sizeof answer, 0) > 0);
    }
    proxy_drain(r.proxy, UINT64_C(3600000000), done, r.loop);
    for (size_t i = 0; i < TUNNELS; i++)
        close(fds[i]);
    loop_run(r.loop); /* an hour, if it missed one */
    proxy_stop(r.proxy);
    assert_int_equal(r.opened, TUNNELS);
    assert_int_equal(r.closed, TUNNELS);
    assert_int_equal(r.shut_down, 0);
    assert_false(r.odd);
    end(&r);
}

static void another_on_the_same_port_is_refused(void **state)
{
    struct rig r;
    char text[64];
    const char *listen[] = {text};
    const struct proxy_options options = {.listen = listen, .listen_count = 1, .threads = THREADS};
    struct proxy *second = NULL;
    struct err err;

    (void)state;
    begin(&r);
    snprintf(text, sizeof text, "127.0.0.1:%u", proxy_port(r.proxy, 0));
    assert_true(proxy_create(r.loop, &r.stream, &r.devices, &options, &second, &err) < 0);
    assert_non_null(strstr(err.text, "Address already in use"));
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flow_of_every_thread_is_observed_once),
        cmocka_unit_test(what_is_open_when_it_stops_is_closed_and_observed),
        cmocka_unit_test(stopping_in_the_middle_of_traffic_loses_no_flow),
        cmocka_unit_test(draining_waits_for_the_flows_of_every_thread),
        cmocka_unit_test(another_on_the_same_port_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
