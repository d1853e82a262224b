/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The proxy with threads of its own, in real time: what they observe comes together. */
#include "obs/devices.h"
#include "sources/proxy/proxy.h"
#include "test/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS = 3, CROWDS = 4, EACH = 50 };

struct rig {
    struct clock clock;
    struct loop *loop;
    struct stream stream;
    struct devices devices;
    struct proxy *proxy;
    unsigned opened, closed, refused, shut_down;
    uint64_t last_us;
};

static void note(void *ctx, const struct obs *o)
{
    struct rig *r = ctx;

    assert_true(o->at_us >= r->last_us);
    r->last_us = o->at_us;
    r->opened += o->kind == OBS_FLOW_OPENED;
    r->closed += o->kind == OBS_FLOW_CLOSED;
    r->refused += o->kind == OBS_FLOW_CLOSED && o->why == WHY_REFUSED;
    r->shut_down += o->kind == OBS_FLOW_CLOSED && o->why == WHY_SHUTDOWN;
}

static void begin(struct rig *r)
{
    static const char *const listen[] = {"127.0.0.1:0"};
    const struct proxy_options options = {.listen = listen, .listen_count = 1, .threads = THREADS};
    struct err err;

    *r = (struct rig){0};
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
        cmocka_unit_test(another_on_the_same_port_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
