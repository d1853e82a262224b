/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bodies that are made while they are read. */
#include "test/unit/serve/web_world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STREAMS = 128, PIECE_BYTES = 64 << 10, PIECES = 100 };

/* What there is to say to everybody; a stream says what it has not said. */
static struct buf news;
static bool is_over;
static unsigned fills, closes;

struct teller {
    size_t said;
};

static bool tell(void *ctx, struct buf *out)
{
    struct teller *t = ctx;

    fills++;
    buf_put_str(out, str_skip(buf_str(&news), t->said));
    t->said = news.n;
    return !is_over;
}

static void end_teller(void *ctx)
{
    closes++;
    free(ctx);
}

static void answer_news(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    (void)ctx;
    (void)request;
    answer->type = "text/event-stream";
    answer->stream = (struct web_stream){tell, end_teller, calloc(1, sizeof(struct teller))};
}

static bool put_piece(void *ctx, struct buf *out)
{
    unsigned *left = ctx;

    fills++;
    for (size_t i = 0; i < PIECE_BYTES; i++)
        buf_put_byte(out, 'x');
    return --*left > 0;
}

static void answer_long(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    unsigned *left = malloc(sizeof *left);

    (void)ctx;
    (void)request;
    *left = PIECES;
    answer->stream = (struct web_stream){put_piece, end_teller, left};
}

static bool put_too_much(void *ctx, struct buf *out)
{
    (void)ctx;
    while (!out->full)
        buf_put_str(out, STR("on and on and on\n"));
    return true;
}

static void answer_too_much(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    (void)ctx;
    (void)request;
    answer->stream = (struct web_stream){put_too_much, end_teller, malloc(1)};
}

static const struct web_route routes[] = {
    {"GET", "/news", answer_news},
    {"GET", "/long", answer_long},
    {"GET", "/too-much", answer_too_much},
};

static int set_up(void **state)
{
    static struct web_world world;

    buf_init(&news, BUF_UNBOUNDED);
    is_over = false;
    fills = closes = 0;
    web_world_open(&world, (struct web_options){.fd = -1,
                                                .routes = routes,
                                                .route_count = sizeof routes / sizeof *routes});
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    web_world_close(*state);
    buf_finish(&news);
    return 0;
}

static void add_news(struct web_world *w, const char *text)
{
    buf_put_str(&news, str_of(text));
    web_wake(w->web);
    loop_run(w->loop);
}

static int listen_to_news(struct web_world *w)
{
    int fd = visit(w);

    visitor_says(w, fd, "GET /news HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n");
    return fd;
}

static void what_is_new_is_told_at_once(void **state)
{
    struct web_world *w = *state;
    int fd = listen_to_news(w);
    const char *answer = visitor_hears(fd);

    expect(answer, "Content-Type: text/event-stream\r\n");
    expect(answer, "Transfer-Encoding: chunked\r\n");
    expect(answer, "Cache-Control: no-store\r\n");
    expect_not(answer, "gzip");
    assert_int_equal(web_stream_count(w->web), 1);
    add_news(w, "one");
    assert_string_equal(visitor_hears(fd), "3\r\none\r\n");
    add_news(w, "two!");
    assert_string_equal(visitor_hears(fd), "4\r\ntwo!\r\n");
    close(fd);
}

static void who_is_woken_for_nothing_waits_on(void **state)
{
    struct web_world *w = *state;
    int fd = listen_to_news(w);

    visitor_hears(fd);
    for (unsigned i = 0; i < 3; i++) {
        unsigned before = fills;

        add_news(w, "");
        assert_int_equal(fills, before + 1);
        assert_string_equal(visitor_hears(fd), "");
    }
    add_news(w, "x");
    assert_string_equal(visitor_hears(fd), "1\r\nx\r\n");
    close(fd);
}

static void the_end_ends_the_connection(void **state)
{
    struct web_world *w = *state;
    int fd = listen_to_news(w);

    visitor_hears(fd);
    is_over = true;
    add_news(w, "bye");
    assert_string_equal(visitor_hears(fd), "3\r\nbye\r\n0\r\n\r\n<FIN>");
    assert_int_equal(closes, 1);
    assert_int_equal(web_stream_count(w->web), 0);
    close(fd);
}

static void a_reader_who_leaves_is_noticed_while_nothing_is_said(void **state)
{
    struct web_world *w = *state;
    int gone = listen_to_news(w), half = listen_to_news(w), stays = listen_to_news(w);

    close(gone);
    loop_run(w->loop);
    assert_int_equal(closes, 1);
    shutdown(half, SHUT_WR);
    loop_run(w->loop);
    assert_int_equal(closes, 2);
    assert_int_equal(web_stream_count(w->web), 1);
    visitor_hears(stays);
    add_news(w, "x");
    assert_string_equal(visitor_hears(stays), "1\r\nx\r\n");
    close(half);
    close(stays);
}

static void a_further_request_is_not_heard(void **state)
{
    struct web_world *w = *state;
    int fd = listen_to_news(w);

    visitor_says(w, fd, "GET /long HTTP/1.1\r\n" HOST "\r\n");
    visitor_hears(fd);
    add_news(w, "x");
    assert_string_equal(visitor_hears(fd), "1\r\nx\r\n");
    assert_int_equal(web_stream_count(w->web), 1);
    close(fd);
    add_news(w, "y");
    add_news(w, "z");
    assert_int_equal(closes, 1);
}

static void head_has_no_stream(void **state)
{
    struct web_world *w = *state;
    const char *answer = ask(w, "HEAD /news HTTP/1.1\r\n" HOST "\r\n");

    expect(answer, "Content-Type: text/event-stream\r\n");
    assert_int_equal(fills, 0);
    assert_int_equal(closes, 1);
}

static void an_older_visitor_has_it_until_the_connection_ends(void **state)
{
    struct web_world *w = *state;
    int fd = visit(w);

    visitor_says(w, fd, "GET /news HTTP/1.0\r\n" HOST "\r\n");
    expect_not(visitor_hears(fd), "chunked");
    is_over = true;
    add_news(w, "bye");
    assert_string_equal(visitor_hears(fd), "bye<FIN>");
    close(fd);
}

static void a_slow_reader_is_asked_no_more_of_than_it_reads(void **state)
{
    struct web_world *w = *state;
    int slow = visit(w);
    unsigned filled;
    size_t n = 0;

    visitor_says(w, slow, "GET /long HTTP/1.1\r\n" HOST "\r\n");
    filled = fills;
    assert_in_range(filled, 1, PIECES - 1);
    expect(ask(w, "GET /nowhere HTTP/1.1\r\n" HOST "\r\n"), " 404 ");
    assert_int_equal(fills, filled);
    for (const char *part; !strstr(part = visitor_hears(slow), "<FIN>"); loop_run(w->loop))
        n += strlen(part);
    assert_true(n > (size_t)PIECES * PIECE_BYTES - HEARD_BYTES);
    assert_int_equal(fills, PIECES);
    assert_int_equal(closes, 1);
    close(slow);
}

static void one_who_leaves_in_the_middle_is_noticed_too(void **state)
{
    struct web_world *w = *state;
    int fd = visit(w);

    visitor_says(w, fd, "GET /long HTTP/1.1\r\n" HOST "\r\n");
    close(fd);
    loop_run(w->loop);
    assert_int_equal(closes, 1);
    assert_true(fills < PIECES);
}

static void a_piece_has_a_ceiling(void **state)
{
    const char *answer = ask(*state, "GET /too-much HTTP/1.1\r\n" HOST "\r\n");

    expect(answer, "\r\n\r\n<FIN>");
    assert_int_equal(closes, 1);
}

static void those_beyond_the_ceiling_are_told_to_come_later(void **state)
{
    struct web_world *w = *state;
    int fds[STREAMS];
    const char *answer;

    for (int i = 0; i < STREAMS; i++)
        fds[i] = listen_to_news(w);
    assert_int_equal(web_stream_count(w->web), STREAMS);
    answer = ask(w, "GET /news HTTP/1.1\r\n" HOST "\r\n");
    expect(answer, " 503 ");
    expect(answer, "Retry-After: 5\r\n");
    assert_int_equal(closes, 1);
    close(fds[0]);
    loop_run(w->loop);
    fds[0] = listen_to_news(w);
    expect(visitor_hears(fds[0]), " 200 ");
    add_news(w, "all");
    for (int i = 0; i < STREAMS; i++) {
        expect(visitor_hears(fds[i]), "3\r\nall\r\n");
        close(fds[i]);
    }
}

static void those_that_wait_end_with_the_server(void **state)
{
    struct web_world *w = *state;
    int one = listen_to_news(w), two = listen_to_news(w), three = visit(w);

    visitor_says(w, three, "GET /long HTTP/1.1\r\n" HOST "\r\n");
    web_destroy(w->web);
    w->web = NULL;
    assert_int_equal(closes, 3);
    close(one);
    close(two);
    close(three);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_new_is_told_at_once),
        CASE(who_is_woken_for_nothing_waits_on),
        CASE(the_end_ends_the_connection),
        CASE(a_reader_who_leaves_is_noticed_while_nothing_is_said),
        CASE(a_further_request_is_not_heard),
        CASE(head_has_no_stream),
        CASE(an_older_visitor_has_it_until_the_connection_ends),
        CASE(a_slow_reader_is_asked_no_more_of_than_it_reads),
        CASE(one_who_leaves_in_the_middle_is_noticed_too),
        CASE(a_piece_has_a_ceiling),
        CASE(those_beyond_the_ceiling_are_told_to_come_later),
        CASE(those_that_wait_end_with_the_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
