/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The web server among visitors that the test plays, in one thread, the loop's clock held. */
#include "serve/web.h"

#include "sources/proxy/address.h"
#include "test/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEARD_BYTES = 64 << 10, MORE_THAN_SERVED = 80, BIG_BYTES = 3 << 20 };

struct world {
    struct clock clock;
    struct loop *loop;
    struct web *web;
    unsigned hellos;
};

static void answer_hello(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    (void)request;
    struct world *w = ctx;

    w->hellos++;
    buf_put_str(&answer->body, STR("hello\n"));
}

static void answer_teapot(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    (void)request;
    (void)ctx;
    answer->status = 418;
    answer->type = "text/x-tea";
}

static void answer_too_much(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    (void)request;
    (void)ctx;
    while (!answer->body.full)
        buf_put_str(&answer->body, STR("on and on and on\n"));
}

static void answer_big(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    (void)request;
    (void)ctx;
    while (answer->body.n < BIG_BYTES)
        buf_put_byte(&answer->body, 'x');
}

static const struct web_route routes[] = {
    {"GET", "/hello", answer_hello},       {"GET", "/tea", answer_teapot},
    {"POST", "/tea", answer_teapot},       {"DELETE", "/x", answer_teapot},
    {"GET", "/too-much", answer_too_much}, {"GET", "/big", answer_big},
};

static struct world world;

static struct web_options options_of(const char *listen)
{
    return (struct web_options){.listen = listen,
                                .fd = -1,
                                .routes = routes,
                                .route_count = sizeof routes / sizeof *routes,
                                .ctx = &world};
}

static int set_up(void **state)
{
    struct web_options options = options_of("0");

    world = (struct world){0};
    clock_init_held(&world.clock, 0);
    assert_int_equal(loop_create(&world.clock, &world.loop, NULL), 0);
    assert_int_equal(web_create(world.loop, &options, &world.web, NULL), 0);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    web_destroy(w->web);
    loop_destroy(w->loop);
    return 0;
}

static int visit(const struct world *w)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons(web_port(w->web))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (void *)&a, sizeof a), 0);
    return fd;
}

static void say(struct world *w, int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    loop_run(w->loop); /* until nothing moves */
}

/* What has come; "<FIN>" stands for the end. */
static const char *heard(int fd)
{
    static char text[HEARD_BYTES + 8];
    size_t n = 0;
    ssize_t r;

    while (n < HEARD_BYTES && (r = recv(fd, text + n, HEARD_BYTES - n, MSG_DONTWAIT)) > 0)
        n += (size_t)r;
    text[n] = '\0';
    if (n < HEARD_BYTES && r == 0)
        strcat(text, "<FIN>");
    return text;
}

static const char *ask(struct world *w, const char *request)
{
    int fd = visit(w);
    const char *answer;

    say(w, fd, request);
    answer = heard(fd);
    close(fd);
    loop_run(w->loop);
    return answer;
}

static void expect(const char *answer, const char *part)
{
    if (!strstr(answer, part))
        fail_msg("'%s' is not in: %s", part, answer);
}

#define HOST "Host: localhost\r\n"

static void a_route_is_answered(void **state)
{
    const char *answer = ask(*state, "GET /hello HTTP/1.1\r\n" HOST "\r\n");

    expect(answer, "HTTP/1.1 200 OK\r\n");
    expect(answer, "Content-Type: text/plain; charset=utf-8\r\n");
    expect(answer, "Content-Length: 6\r\n");
    expect(answer, "\r\n\r\nhello\n");
}

static void every_answer_is_kept_on_a_short_leash(void **state)
{
    static const char *const requests[] = {
        "GET /hello HTTP/1.1\r\n" HOST "\r\n",
        "GET /nowhere HTTP/1.1\r\n" HOST "\r\n",
        "POST /hello HTTP/1.1\r\n" HOST "\r\n",
        "GET /hello HTTP/1.1\r\nHost: evil.test\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        const char *answer = ask(*state, requests[i]);

        expect(answer, "X-Content-Type-Options: nosniff\r\n");
        expect(answer, "Cache-Control: no-store\r\n");
        expect(answer, "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n");
    }
}

static void a_route_may_say_status_and_type(void **state)
{
    const char *answer = ask(*state, "GET /tea HTTP/1.1\r\n" HOST "\r\n");

    expect(answer, "HTTP/1.1 418 ");
    expect(answer, "Content-Type: text/x-tea\r\n");
    expect(answer, "Content-Length: 0\r\n");
}

static void head_has_the_head_alone(void **state)
{
    const char *answer = ask(*state, "HEAD /hello HTTP/1.1\r\n" HOST "\r\n");

    expect(answer, "HTTP/1.1 200 OK\r\n");
    expect(answer, "Content-Length: 6\r\n");
    assert_null(strstr(answer, "hello"));
}

static void a_connection_is_used_again(void **state)
{
    struct world *w = *state;
    int fd = visit(w);

    for (unsigned i = 1; i <= 3; i++) {
        say(w, fd, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        expect(heard(fd), "hello\n");
        assert_int_equal(w->hellos, i);
    }
    say(w, fd, "GET /hello HTTP/1.1\r\n" HOST "\r\nGET /tea HTTP/1.1\r\n" HOST "\r\n");
    expect(heard(fd), " 418 ");
    close(fd);
}

static void what_is_not_there_is_404(void **state)
{
    const char *answer = ask(*state, "GET /hello/ HTTP/1.1\r\n" HOST "\r\n");

    expect(answer, "HTTP/1.1 404 ");
    expect(answer, "Content-Type: text/plain; charset=utf-8\r\n");
}

static void another_method_is_405_and_says_which_ones_serve(void **state)
{
    static const struct {
        const char *request, *allow;
    } cases[] = {
        {"POST /hello HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", "GET, HEAD"},
        {"PATCH /hello HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\n", "GET, HEAD"},
        {"OPTIONS /hello HTTP/1.1\r\n" HOST "\r\n", "GET, HEAD"},
        {"DELETE /tea HTTP/1.1\r\n" HOST "\r\n", "GET, HEAD, POST"},
        {"GET /x HTTP/1.1\r\n" HOST "\r\n", "DELETE"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *answer = ask(*state, cases[i].request);
        char allow[64];

        snprintf(allow, sizeof allow, "Allow: %s\r\n", cases[i].allow);
        expect(answer, "HTTP/1.1 405 ");
        expect(answer, allow);
    }
}

static void a_body_that_nobody_wants_ends_the_connection(void **state)
{
    static const char *const requests[] = {
        "POST /hello HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\nabc",
        "POST /hello HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "PATCH /hello HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\nabc",
        "GET /hello HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\nabc",
        "GET /hello HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    };

    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        expect(ask(*state, requests[i]), "Connection: close\r\n");
}

static void a_name_that_was_made_to_lead_here_is_refused(void **state)
{
    static const struct {
        const char *host;
        bool ours;
    } cases[] = {
        {"localhost", true},       {"LocalHost:8088", true},  {"127.0.0.1", true},
        {"127.0.0.1:9", true},     {"[::1]", true},           {"[::1]:80", true},
        {"evil.test", false},      {"localhost.evil", false}, {"127.0.0.1.evil", false},
        {"192.168.1.1", false},    {"[fd00::1]", false},      {"::1", false},
        {"localhost@evil", false}, {"evil/localhost", false}, {"localhost:x", false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[256];
        const char *answer;

        snprintf(request, sizeof request, "GET /hello HTTP/1.1\r\nHost: %s\r\n\r\n", cases[i].host);
        answer = ask(*state, request);
        if (!strstr(answer, cases[i].ours ? " 200 " : " 421 "))
            fail_msg("%s: %s", cases[i].host, answer);
    }
}

static void a_request_has_one_host(void **state)
{
    struct world *w = *state;

    expect(ask(w, "GET /hello HTTP/1.1\r\n" HOST "Host: evil.test\r\n\r\n"), " 421 ");
    expect(ask(w, "GET /hello HTTP/1.1\r\n" HOST HOST "\r\n"), " 421 ");
    expect(ask(w, "GET /hello HTTP/1.0\r\n\r\n"), " 421 ");
    expect(ask(w, "GET /hello HTTP/1.1\r\n\r\n"), " 400 ");
    expect(ask(w, "GET http://evil.test/hello HTTP/1.1\r\n" HOST "\r\n"), " 404 ");
    assert_int_equal(w->hellos, 0);
}

static void an_answer_has_a_ceiling(void **state)
{
    expect(ask(*state, "GET /too-much HTTP/1.1\r\n" HOST "\r\n"), "HTTP/1.1 500 ");
}

static void a_long_answer_waits_for_its_reader(void **state)
{
    struct world *w = *state;
    int fd = visit(w);
    size_t n = 0;

    say(w, fd, "GET /big HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    for (const char *part; !strstr(part = heard(fd), "<FIN>"); loop_run(w->loop))
        n += strlen(part);
    assert_true(n > BIG_BYTES - HEARD_BYTES);
    close(fd);
}

static void a_long_head_is_refused(void **state)
{
    static char request[40 << 10];

    memset(request, 'a', sizeof request - 1);
    memcpy(request, STR("GET /hello HTTP/1.1\r\nX: ").p, 24);
    assert_null(strstr(ask(*state, request), " 200 "));
}

static void those_beyond_the_ceiling_wait_until_there_is_room(void **state)
{
    struct world *w = *state;
    int fds[MORE_THAN_SERVED];

    for (int i = 0; i < MORE_THAN_SERVED; i++)
        say(w, fds[i] = visit(w), "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    assert_true(w->hellos < MORE_THAN_SERVED);
    assert_string_equal(heard(fds[MORE_THAN_SERVED - 1]), "");
    for (int i = 0; i < MORE_THAN_SERVED / 2; i++)
        close(fds[i]);
    loop_run(w->loop);
    assert_int_equal(w->hellos, MORE_THAN_SERVED);
    expect(heard(fds[MORE_THAN_SERVED - 1]), "hello\n");
    for (int i = MORE_THAN_SERVED / 2; i < MORE_THAN_SERVED; i++)
        close(fds[i]);
}

static void only_this_machine_is_served(void **state)
{
    static const char *const elsewhere[] = {"0.0.0.0:0", "[::]:0", "192.0.2.1:80", "[fd00::1]:80"};
    static const char *const nonsense[] = {"", "x", "localhost:80", "127.0.0.1:", "1:2:3:99999"};
    struct world *w = *state;
    struct web *web;
    struct err err;

    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        struct web_options options = options_of(elsewhere[i]);

        assert_int_equal(web_create(w->loop, &options, &web, &err), -EADDRNOTAVAIL);
        expect(err.text, elsewhere[i]);
        expect(err.text, "127.0.0.1");
    }
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        struct web_options options = options_of(nonsense[i]);

        assert_int_equal(web_create(w->loop, &options, &web, &err), -EINVAL);
        expect(err.text, "expected [ADDR:]PORT");
    }
}

static void a_port_that_is_taken_is_an_error(void **state)
{
    struct world *w = *state;
    struct web_options options = options_of(web_address(w->web).p);
    struct web *web;
    struct err err;

    assert_int_equal(web_create(w->loop, &options, &web, &err), -EADDRINUSE);
    expect(err.text, web_address(w->web).p);
}

static int listener_at(in_addr_t address)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (void *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

static void a_socket_that_somebody_opened_serves_too(void **state)
{
    struct world *w = *state;
    struct web_options options = options_of(NULL);

    web_destroy(w->web);
    options.fd = listener_at(INADDR_LOOPBACK);
    assert_int_equal(web_create(w->loop, &options, &w->web, NULL), 0);
    expect(ask(w, "GET /hello HTTP/1.1\r\n" HOST "\r\n"), "hello\n");
}

static void but_not_one_that_strangers_reach(void **state)
{
    struct world *w = *state;
    struct web_options options = options_of(NULL);
    struct web *web;
    struct err err;

    options.fd = listener_at(INADDR_ANY);
    assert_int_equal(web_create(w->loop, &options, &web, &err), -EADDRNOTAVAIL);
    expect(err.text, "0.0.0.0:");
    options.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(web_create(w->loop, &options, &web, &err), -EAFNOSUPPORT);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_route_is_answered),
        CASE(every_answer_is_kept_on_a_short_leash),
        CASE(a_route_may_say_status_and_type),
        CASE(head_has_the_head_alone),
        CASE(a_connection_is_used_again),
        CASE(what_is_not_there_is_404),
        CASE(another_method_is_405_and_says_which_ones_serve),
        CASE(a_body_that_nobody_wants_ends_the_connection),
        CASE(a_name_that_was_made_to_lead_here_is_refused),
        CASE(a_request_has_one_host),
        CASE(an_answer_has_a_ceiling),
        CASE(a_long_answer_waits_for_its_reader),
        CASE(a_long_head_is_refused),
        CASE(those_beyond_the_ceiling_wait_until_there_is_room),
        CASE(only_this_machine_is_served),
        CASE(a_port_that_is_taken_is_an_error),
        CASE(a_socket_that_somebody_opened_serves_too),
        CASE(but_not_one_that_strangers_reach),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
