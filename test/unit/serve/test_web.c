/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The web server among visitors that the test plays, in one thread, the loop's clock held. */
#include "test/unit/serve/web_world.h"

#include "sources/proxy/address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

enum { MORE_THAN_SERVED = 300, BIG_BYTES = 3 << 20, BODY_MAX = 20 };

static unsigned hellos;
static int opened_fd; /* of the last file that was answered */

static void answer_hello(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    unsigned *count = ctx;

    (void)request;
    ++*count;
    buf_put_str(&answer->body, STR("hello\n"));
}

static void answer_teapot(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    (void)ctx;
    (void)request;
    answer->status = 418;
    answer->type = "text/x-tea";
}

static void answer_too_much(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    (void)ctx;
    (void)request;
    while (!answer->body.full)
        buf_put_str(&answer->body, STR("on and on and on\n"));
}

static void answer_big(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    (void)ctx;
    (void)request;
    answer->type = "application/octet-stream";
    while (answer->body.n < BIG_BYTES)
        buf_put_byte(&answer->body, 'x');
}

/* What was asked, in its parts. */
static void answer_echo(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    struct str q = web_query(request, "q"), x = web_header(request, "X-Thing");

    (void)ctx;
    buf_printf(&answer->body, "%s [" STR_FMT "][" STR_FMT "] q=" STR_FMT " x=" STR_FMT,
               request->method, STR_ARG(request->params[0]), STR_ARG(request->params[1]),
               STR_ARG(q.p ? q : STR("none")), STR_ARG(x.p ? x : STR("none")));
    buf_printf(&answer->body, " body=" STR_FMT "\n", STR_ARG(request->body));
}

static void answer_text(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    (void)ctx;
    answer->type = "application/json";
    answer->etag = arena_printf(request->arena, "v%d", 7).p;
    answer->filename = "a \"b\"\r\nX: \xc3\xa9.json";
    while (answer->body.n < 5000)
        buf_put_str(&answer->body, STR("again "));
}

static void answer_policy(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    (void)ctx;
    (void)request;
    answer->fields[0] = (struct web_field){"Content-Security-Policy", "script-src 'self'"};
}

static void answer_file(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    (void)ctx;
    (void)request;
    opened_fd = memfd_create("file", MFD_CLOEXEC);
    assert_int_equal(write(opened_fd, "0123456789", 10), 10);
    answer->fd = opened_fd;
    answer->bytes = 10;
    answer->etag = "f1";
    answer->type = "application/octet-stream";
}

static void answer_refusal(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    (void)ctx;
    web_refuse(request, answer, 409, "\"%s\" is no good", "x");
}

static const struct web_route routes[] = {
    {"GET", "/hello", answer_hello},       {"GET", "/tea", answer_teapot},
    {"POST", "/tea", answer_teapot},       {"DELETE", "/x", answer_teapot},
    {"GET", "/too-much", answer_too_much}, {"GET", "/big", answer_big},
    {"GET", "/a/*/b/*", answer_echo},      {"PUT", "/a/*/b/*", answer_echo, .body_max = BODY_MAX},
    {"GET", "/text", answer_text},         {"GET", "/policy", answer_policy},
    {"GET", "/file", answer_file},         {"GET", "/no", answer_refusal},
    {"GET", "/api/no", answer_refusal},
};
static const struct web_route more_routes[] = {
    {"GET", "/hello", answer_teapot}, /* comes too late */
    {"GET", "/more", answer_teapot},
};

static struct web_options options_of(const char *listen)
{
    return (struct web_options){.listen = listen,
                                .fd = -1,
                                .routes = routes,
                                .route_count = sizeof routes / sizeof *routes,
                                .ctx = &hellos};
}

static int set_up(void **state)
{
    static struct web_world world;

    hellos = 0;
    web_world_open(&world, options_of(NULL));
    web_add(world.web, more_routes, sizeof more_routes / sizeof *more_routes, NULL);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    web_world_close(*state);
    return 0;
}

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
    struct web_world *w = *state;
    int fd = visit(w);

    for (unsigned i = 1; i <= 3; i++) {
        visitor_says(w, fd, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        expect(visitor_hears(fd), "hello\n");
        assert_int_equal(hellos, i);
    }
    visitor_says(w, fd, "GET /hello HTTP/1.1\r\n" HOST "\r\nGET /tea HTTP/1.1\r\n" HOST "\r\n");
    expect(visitor_hears(fd), " 418 ");
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
    struct web_world *w = *state;

    expect(ask(w, "GET /hello HTTP/1.1\r\n" HOST "Host: evil.test\r\n\r\n"), " 421 ");
    expect(ask(w, "GET /hello HTTP/1.1\r\n" HOST HOST "\r\n"), " 421 ");
    expect(ask(w, "GET /hello HTTP/1.0\r\n\r\n"), " 421 ");
    expect(ask(w, "GET /hello HTTP/1.1\r\n\r\n"), " 400 ");
    expect(ask(w, "GET http://evil.test/hello HTTP/1.1\r\n" HOST "\r\n"), " 404 ");
    assert_int_equal(hellos, 0);
}

static void an_answer_has_a_ceiling(void **state)
{
    expect(ask(*state, "GET /too-much HTTP/1.1\r\n" HOST "\r\n"), "HTTP/1.1 500 ");
}

static void a_long_answer_waits_for_its_reader(void **state)
{
    struct web_world *w = *state;
    int fd = visit(w);
    size_t n = 0;

    visitor_says(w, fd, "GET /big HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    for (const char *part; !strstr(part = visitor_hears(fd), "<FIN>"); loop_run(w->loop))
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
    struct web_world *w = *state;
    int fds[MORE_THAN_SERVED];

    for (int i = 0; i < MORE_THAN_SERVED; i++)
        visitor_says(w, fds[i] = visit(w), "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    assert_true(hellos < MORE_THAN_SERVED);
    assert_string_equal(visitor_hears(fds[MORE_THAN_SERVED - 1]), "");
    for (int i = 0; i < MORE_THAN_SERVED / 2; i++)
        close(fds[i]);
    loop_run(w->loop);
    assert_int_equal(hellos, MORE_THAN_SERVED);
    expect(visitor_hears(fds[MORE_THAN_SERVED - 1]), "hello\n");
    for (int i = MORE_THAN_SERVED / 2; i < MORE_THAN_SERVED; i++)
        close(fds[i]);
}

static void what_is_no_address_is_an_error(void **state)
{
    static const char *const nonsense[] = {"", "x", "localhost:80", "127.0.0.1:", "1:2:3:99999"};
    struct web_world *w = *state;
    struct web *web;
    struct err err;

    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        struct web_options options = options_of(nonsense[i]);

        assert_int_equal(web_create(w->loop, &options, &web, &err), -EINVAL);
        expect(err.text, "expected [ADDR:]PORT");
    }
}

static void a_port_that_is_taken_is_an_error(void **state)
{
    struct web_world *w = *state;
    struct web_options options = options_of(web_address(w->web).p);
    struct web *web;
    struct err err;

    assert_int_equal(web_create(w->loop, &options, &web, &err), -EADDRINUSE);
    expect(err.text, web_address(w->web).p);
}

static void a_socket_that_somebody_opened_serves_too(void **state)
{
    struct web_world *w = *state;
    struct web_options options = options_of(NULL);

    web_destroy(w->web);
    options.fd = web_world_listener(INADDR_LOOPBACK);
    assert_int_equal(web_create(w->loop, &options, &w->web, NULL), 0);
    expect(ask(w, "GET /hello HTTP/1.1\r\n" HOST "\r\n"), "hello\n");
}

static void but_not_one_that_is_none_of_tcp(void **state)
{
    struct web_world *w = *state;
    struct web_options options = options_of(NULL);
    struct web *web;
    struct err err;

    options.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(web_create(w->loop, &options, &web, &err), -EAFNOSUPPORT);
}

static void a_star_is_a_segment(void **state)
{
    static const struct {
        const char *target, *answer;
    } cases[] = {
        {"/a/1/b/2", "GET [1][2] q=none"},
        {"/a/x%2Fy/b/%20%c3%a9", "GET [x/y][ \xc3\xa9]"},
        {"/%61/1/b/2?q=1", "[1][2] q=1 "},
        {"/a/1/b/2?p=0&q=a+b%26c%3D&q=2", "q=a b&c= "},
        {"/a/1/b/2?q", "q= x="},
        {"/a/1/b/2?qq=1&Q=2", "q=none"},
        {"/a/%zz%/b/%4", "[%zz%][%4]"},
        {"/a//b/2", " 404 "},
        {"/a/1/b/", " 404 "},
        {"/a/1/b", " 404 "},
        {"/a/1/b/2/", " 404 "},
        {"/a/1/c/2", " 404 "},
        {"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15", " 404 "},
        {"//a/1/b/2", " 404 "},
        {"/a/1/../b/2", " 404 "},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[256];

        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "\r\n", cases[i].target);
        expect(ask(*state, request), cases[i].answer);
    }
}

static void a_field_can_be_asked_for(void **state)
{
    expect(ask(*state, "GET /a/1/b/2 HTTP/1.1\r\n" HOST "x-thing: y z\r\n\r\n"), " x=y z ");
}

static void a_body_is_read_whole(void **state)
{
    struct web_world *w = *state;
    int fd = visit(w);

    visitor_says(w, fd, "PUT /a/1/b/2 HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\nabc");
    assert_string_equal(visitor_hears(fd), "");
    visitor_says(w, fd, "def");
    expect(visitor_hears(fd), "body=abcdef\n");
    visitor_says(w, fd,
                 "PUT /a/1/b/2 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    visitor_says(w, fd, "2\r\nde\r\n0\r\n\r\n");
    expect(visitor_hears(fd), "body=abcde\n");
    visitor_says(w, fd, "PUT /a/1/b/2 HTTP/1.1\r\n" HOST "\r\n");
    expect(visitor_hears(fd), "body=\n");
    visitor_says(w, fd,
                 "PUT /a/1/b/2 HTTP/1.1\r\n" HOST
                 "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    expect(visitor_hears(fd), "HTTP/1.1 100 ");
    visitor_says(w, fd, "ok");
    expect(visitor_hears(fd), "body=ok\n");
    close(fd);
}

static void a_body_that_is_too_long_is_413(void **state)
{
    expect(ask(*state, "PUT /a/1/b/2 HTTP/1.1\r\n" HOST "Content-Length: 21\r\n\r\n"), " 413 ");
    expect(ask(*state, "PUT /a/1/b/2 HTTP/1.1\r\n" HOST "Content-Length: 99999999999\r\n\r\nabc"),
           " 413 ");
    expect(ask(*state, "PUT /a/1/b/2 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                       "f\r\nabcdefghijklmno\r\nf\r\nabcdefghijklmno\r\n0\r\n\r\n"),
           " 413 ");
    expect(ask(*state, "PUT /a/1/b/2 HTTP/1.1\r\n" HOST "Content-Length: 20\r\n\r\n"
                       "abcdefghijklmnopqrst"),
           "body=abcdefghijklmnopqrst\n");
}

static void half_a_body_is_no_request(void **state)
{
    struct web_world *w = *state;
    int fd = visit(w);

    visitor_says(w, fd, "PUT /a/1/b/2 HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\nabc");
    close(fd);
    loop_run(w->loop);
}

static void who_has_the_body_gets_304(void **state)
{
    static const struct {
        const char *tags;
        bool has;
    } cases[] = {
        {"\"v7\"", true}, {"W/\"v7\"", true}, {"\"x\", W/\"v7\"", true},
        {"*", true},      {"\"v8\"", false},  {"v7", false},
        {"\"v7", false},  {"", false},        {"\"\", \"\"", false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[256];
        const char *answer;

        snprintf(request, sizeof request, "GET /text HTTP/1.1\r\n" HOST "If-None-Match: %s\r\n\r\n",
                 cases[i].tags);
        answer = ask(*state, request);
        expect(answer, cases[i].has ? " 304 " : " 200 ");
        expect(answer, "ETag: W/\"v7\"\r\n");
        expect(answer, "Cache-Control: private, no-cache\r\n");
        expect(answer, "Vary: Accept-Encoding\r\n");
        (cases[i].has ? expect_not : expect)(answer, "again");
    }
}

static void an_answer_may_have_a_policy_of_its_own(void **state)
{
    const char *answer = ask(*state, "GET /policy HTTP/1.1\r\n" HOST "\r\n");

    expect(answer, "Content-Security-Policy: script-src 'self'\r\n");
    expect_not(answer, "default-src 'none'");
}

static void a_file_name_is_a_name_and_no_more(void **state)
{
    const char *answer = ask(*state, "GET /text HTTP/1.1\r\n" HOST "\r\n");

    expect(answer, "Content-Disposition: attachment; filename=\"a _b___X: __.json\"; "
                   "filename*=UTF-8''a%20%22b%22%0D%0AX%3A%20%C3%A9.json\r\n");
    expect_not(answer, "\nX:");
}

static void text_is_compressed_for_who_takes_it(void **state)
{
    static const struct {
        const char *path, *encodings;
        bool is_compressed;
    } cases[] = {
        {"/text", "gzip, deflate, br", true},
        {"/text", "*", true},
        {"/text", "GZIP;q=0.1", true},
        {"/text", "gzip;q=0", false},
        {"/text", "*, gzip; q=0.000", false},
        {"/text", "br", false},
        {"/text", "", false},
        {"/hello", "gzip", false},
        {"/big", "gzip", false},
        {"/file", "gzip", false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[256];
        const char *answer;

        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "Accept-Encoding: %s\r\n\r\n",
                 cases[i].path, cases[i].encodings);
        answer = ask(*state, request);
        expect(answer, " 200 ");
        (cases[i].is_compressed ? expect : expect_not)(answer, "Content-Encoding: gzip\r\n");
        if (strcmp(cases[i].path, "/text") == 0)
            expect(answer, "Vary: Accept-Encoding\r\n");
    }
}

static void a_range_of_a_file_is_served(void **state)
{
    static const struct {
        const char *fields, *status, *range, *body;
    } cases[] = {
        {"", " 200 ", "Accept-Ranges: bytes\r\n", "\r\n\r\n0123456789"},
        {"Range: bytes=0-0\r\n", " 206 ", "Content-Range: bytes 0-0/10\r\n", "\r\n\r\n0"},
        {"Range: bytes=2-4\r\n", " 206 ", "Content-Range: bytes 2-4/10\r\n", "\r\n\r\n234"},
        {"Range: bytes=7-\r\n", " 206 ", "Content-Range: bytes 7-9/10\r\n", "\r\n\r\n789"},
        {"Range: bytes=7-99\r\n", " 206 ", "Content-Range: bytes 7-9/10\r\n", "\r\n\r\n789"},
        {"Range: bytes=-3\r\n", " 206 ", "Content-Range: bytes 7-9/10\r\n", "\r\n\r\n789"},
        {"Range: bytes=-99\r\n", " 206 ", "Content-Range: bytes 0-9/10\r\n", "\r\n\r\n0123456789"},
        {"Range: bytes=10-\r\n", " 416 ", "Content-Range: bytes */10\r\n", "\r\n\r\n"},
        {"Range: bytes=-0\r\n", " 416 ", "Content-Range: bytes */10\r\n", "\r\n\r\n"},
        {"Range: bytes=1-2,4-5\r\n", " 200 ", "", "0123456789"},
        {"Range: bytes=4-2\r\n", " 200 ", "", "0123456789"},
        {"Range: lines=1-2\r\n", " 200 ", "", "0123456789"},
        {"Range: bytes=99999999999999999999-\r\n", " 200 ", "", "0123456789"},
        {"Range: bytes=2-4\r\nIf-Range: \"f1\"\r\n", " 206 ", "2-4/10", "\r\n\r\n234"},
        {"Range: bytes=2-4\r\nIf-Range: \"f0\"\r\n", " 200 ", "", "0123456789"},
        {"Range: bytes=2-4\r\nIf-Range: W/\"f1\"\r\n", " 200 ", "", "0123456789"},
        {"Range: bytes=2-4\r\nIf-Range: Sat, 29 Oct 1994 19:43:31 GMT\r\n", " 200 ", "",
         "0123456789"},
        {"Range: bytes=2-4\r\nIf-None-Match: \"f1\"\r\n", " 304 ", "ETag: \"f1\"", "\r\n\r\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[256];
        const char *answer;

        snprintf(request, sizeof request, "GET /file HTTP/1.1\r\n" HOST "%s\r\n", cases[i].fields);
        answer = ask(*state, request);
        expect(answer, cases[i].status);
        expect(answer, cases[i].range);
        expect(answer, "ETag: \"f1\"\r\n");
        assert_string_equal(answer + strlen(answer) - strlen(cases[i].body), cases[i].body);
        assert_int_equal(fcntl(opened_fd, F_GETFD), -1); /* web has closed it */
    }
}

static void head_of_a_file_is_without_it(void **state)
{
    const char *answer = ask(*state, "HEAD /file HTTP/1.1\r\n" HOST "\r\n");

    expect(answer, "Content-Length: 10\r\n");
    expect_not(answer, "0123");
    assert_int_equal(fcntl(opened_fd, F_GETFD), -1);
}

static void an_error_is_json_for_the_api(void **state)
{
    const char *answer = ask(*state, "GET /api/no HTTP/1.1\r\n" HOST "\r\n");

    expect(answer, " 409 ");
    expect(answer, "Content-Type: application/json\r\n");
    expect(answer, "\r\n\r\n{\"error\":\"\\\"x\\\" is no good\"}\n");
    expect(ask(*state, "GET /api/nowhere HTTP/1.1\r\n" HOST "\r\n"),
           "{\"error\":\"there is nothing");
    expect(ask(*state, "GET /no HTTP/1.1\r\n" HOST "\r\n"), "\r\n\r\n\"x\" is no good\n");
}

static void later_tables_are_looked_at_later(void **state)
{
    expect(ask(*state, "GET /more HTTP/1.1\r\n" HOST "\r\n"), " 418 ");
    expect(ask(*state, "GET /hello HTTP/1.1\r\n" HOST "\r\n"), " 200 ");
}

static void a_url_of_a_megabyte_is_refused(void **state)
{
    struct web_world *w = *state;
    char *request = malloc((1 << 20) + 100);
    int fd = visit(w);

    memset(request, 'a', 1 << 20);
    memcpy(request, "GET /", 5);
    strcpy(request + (1 << 20), " HTTP/1.1\r\n" HOST "\r\n");
    for (const char *rest = request; *rest;) {
        ssize_t n = send(fd, rest, strlen(rest), MSG_NOSIGNAL | MSG_DONTWAIT);

        loop_run(w->loop);
        if (n < 0 && errno != EAGAIN)
            break; /* it does not listen any more */
        rest += n > 0 ? n : 0;
    }
    expect_not(visitor_hears(fd), " 200 ");
    close(fd);
    free(request);
    expect(ask(w, "GET /hello HTTP/1.1\r\n" HOST "\r\n"), " 200 ");
}

static void who_reads_slowly_holds_nobody_up(void **state)
{
    struct web_world *w = *state;
    int slow = visit(w);

    visitor_says(w, slow, "GET /big HTTP/1.1\r\n" HOST "\r\n");
    for (int i = 0; i < 3; i++)
        expect(ask(w, "GET /hello HTTP/1.1\r\n" HOST "\r\n"), "hello\n");
    close(slow);
    loop_run(w->loop);
}

static void another_page_is_refused(void **state)
{
    struct web_world *w = *state;

    expect(ask(w, "POST /tea HTTP/1.1\r\n" HOST "Origin: http://evil.test\r\n\r\n"), " 403 ");
    expect(ask(w, "POST /tea HTTP/1.1\r\n" HOST "Origin: http://localhost\r\n\r\n"), " 418 ");
    expect(ask(w, "POST /tea HTTP/1.1\r\n" HOST "Sec-Fetch-Site: cross-site\r\n\r\n"), " 403 ");
    expect(
        ask(w, "PUT /a/1/b/2 HTTP/1.1\r\n" HOST "Origin: null\r\nContent-Length: 9999\r\n\r\nab"),
        "Connection: close\r\n");
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
        CASE(what_is_no_address_is_an_error),
        CASE(a_port_that_is_taken_is_an_error),
        CASE(a_socket_that_somebody_opened_serves_too),
        CASE(but_not_one_that_is_none_of_tcp),
        CASE(a_star_is_a_segment),
        CASE(a_field_can_be_asked_for),
        CASE(a_body_is_read_whole),
        CASE(a_body_that_is_too_long_is_413),
        CASE(half_a_body_is_no_request),
        CASE(who_has_the_body_gets_304),
        CASE(an_answer_may_have_a_policy_of_its_own),
        CASE(a_file_name_is_a_name_and_no_more),
        CASE(text_is_compressed_for_who_takes_it),
        CASE(a_range_of_a_file_is_served),
        CASE(head_of_a_file_is_without_it),
        CASE(an_error_is_json_for_the_api),
        CASE(later_tables_are_looked_at_later),
        CASE(a_url_of_a_megabyte_is_refused),
        CASE(who_reads_slowly_holds_nobody_up),
        CASE(another_page_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
