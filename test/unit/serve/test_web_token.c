/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The web server on an address that others reach, and the page that is built in. */
#include "test/unit/serve/web_world.h"

#include "serve/assets.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MORE_THAN_OF_ONE = 140 };

static void answer_ok(void *ctx, const struct web_request *request, struct web_answer *answer)
{
    (void)ctx;
    buf_printf(&answer->body, "may_write=%d\n", request->may_write);
}

static const struct web_route routes[] = {
    {"GET", "/x", answer_ok},
    {"POST", "/x", answer_ok, .body_max = 100, .writes = true},
};

static int set_up_at(void **state, const char *listen)
{
    static struct web_world world;

    web_world_open(&world, (struct web_options){.listen = listen,
                                                .fd = -1,
                                                .routes = routes,
                                                .route_count = sizeof routes / sizeof *routes});
    web_add(world.web, asset_routes, ASSET_ROUTES, NULL);
    *state = &world;
    return 0;
}

static int set_up(void **state)
{
    return set_up_at(state, "0.0.0.0:0");
}

static int set_up_on_loopback(void **state)
{
    return set_up_at(state, "127.0.0.1:0");
}

static int tear_down(void **state)
{
    web_world_close(*state);
    return 0;
}

static const char *token_of(const struct web_world *w, bool may_write)
{
    static char token[2][64];
    struct str link = web_link(w->web, may_write);
    struct str rest = str_skip(link, str_search(link, STR("?token=")) + 7);

    snprintf(token[may_write], sizeof token[0], STR_FMT, STR_ARG(rest));
    return token[may_write];
}

/* One request with further fields, which have their line ends. */
static const char *ask_with(struct web_world *w, const char *line, const char *fields)
{
    char request[1024];

    snprintf(request, sizeof request, "%s HTTP/1.1\r\n" HOST "%s\r\n", line, fields);
    return ask(w, request);
}

static const char *ask_as(struct web_world *w, const char *line, bool may_write)
{
    char fields[256];

    snprintf(fields, sizeof fields, "Cookie: a=b; flightstrip-%u=%s\r\n", web_port(w->web),
             token_of(w, may_write));
    return ask_with(w, line, fields);
}

static void without_a_token_there_is_nothing(void **state)
{
    static const char *const lines[] = {"GET /", "GET /x", "HEAD /x", "POST /x", "GET /nowhere"};
    struct web_world *w = *state;

    assert_true(web_needs_token(w->web));
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const char *answer = ask_with(w, lines[i], "");

        expect(answer, " 401 ");
        expect(answer, "WWW-Authenticate: Bearer\r\n");
        expect_not(answer, "may_write");
    }
    expect(ask_with(w, "GET /x", ""), "the link that flightstrip printed");
    expect(ask_with(w, "POST /x", "Content-Length: 5\r\n"), "Connection: close\r\n");
    expect(ask_with(w, "GET /x?token=", ""), " 401 ");
}

static void the_link_gives_the_cookie(void **state)
{
    struct web_world *w = *state;
    char line[128], cookie[128];
    const char *answer;

    snprintf(line, sizeof line, "GET /?token=%s", token_of(w, true));
    snprintf(cookie, sizeof cookie,
             "Set-Cookie: flightstrip-%u=%s; Path=/; HttpOnly; SameSite=Strict\r\n",
             web_port(w->web), token_of(w, true));
    answer = ask_with(w, line, "");
    expect(answer, " 303 ");
    expect(answer, "Location: /\r\n");
    expect(answer, cookie);
    expect(answer, "Cache-Control: no-store\r\n");
    answer = ask_with(w, line,
                      "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n"
                      "Sec-Fetch-Dest: document\r\n");
    expect(answer, " 200 ");
    expect(answer, cookie);
    expect(answer, "<meta http-equiv=refresh");
}

static void the_cookie_may_what_its_token_may(void **state)
{
    struct web_world *w = *state;

    expect(ask_as(w, "GET /", false), " 200 ");
    expect(ask_as(w, "GET /x", false), "may_write=0\n");
    expect(ask_as(w, "POST /x", false), " 403 ");
    expect(ask_as(w, "GET /x", true), "may_write=1\n");
    expect(ask_as(w, "POST /x", true), "may_write=1\n");
    expect(ask_as(w, "DELETE /x", false), " 405 ");
}

static void a_program_sends_it_as_a_bearer(void **state)
{
    struct web_world *w = *state;
    char fields[128];

    snprintf(fields, sizeof fields, "Authorization: Bearer %s\r\n", token_of(w, false));
    expect(ask_with(w, "GET /x", fields), "may_write=0\n");
    expect(ask_with(w, "GET /x", "Authorization: Bearer x\r\n"), " 401 ");
    expect(ask_with(w, "GET /x", "Authorization: Basic eDp5\r\n"), " 401 ");
}

static void wrong_tokens_change_nothing(void **state)
{
    struct web_world *w = *state;

    for (unsigned i = 0; i < 50; i++) {
        char line[64];

        snprintf(line, sizeof line, "GET /?token=%022u", i);
        expect(ask_with(w, line, ""), " 401 ");
    }
    expect(ask_as(w, "GET /x", true), " 200 ");
}

static void the_token_does_not_help_another_page(void **state)
{
    struct web_world *w = *state;
    char fields[256];

    snprintf(fields, sizeof fields, "Origin: http://evil.test\r\nAuthorization: Bearer %s\r\n",
             token_of(w, true));
    expect(ask_with(w, "POST /x", fields), " 403 ");
    snprintf(fields, sizeof fields,
             "GET /x HTTP/1.1\r\nHost: evil.test\r\nAuthorization: Bearer %s\r\n\r\n",
             token_of(w, true));
    expect(ask(w, fields), " 421 ");
}

static void one_stranger_does_not_take_all_the_room(void **state)
{
    struct web_world *w = *state;
    int fds[MORE_THAN_OF_ONE];
    unsigned turned_away = 0;

    for (int i = 0; i < MORE_THAN_OF_ONE; i++) {
        fds[i] = visit(w);
        loop_run(w->loop);
    }
    for (int i = 0; i < MORE_THAN_OF_ONE; i++) {
        turned_away += strcmp(visitor_hears(fds[i]), "<FIN>") == 0;
        close(fds[i]);
    }
    assert_int_equal(turned_away, MORE_THAN_OF_ONE - 128);
    loop_run(w->loop);
    expect(ask_as(w, "GET /x", true), " 200 ");
}

static void the_link_leads_to_an_address(void **state)
{
    struct web_world *w = *state;
    struct str link = web_link(w->web, false);

    assert_true(str_starts(link, STR("http://")));
    assert_int_not_equal(str_search(link, STR("/?token=")), link.n);
    assert_string_not_equal(token_of(w, false), token_of(w, true));
}

static void on_loopback_there_is_no_token(void **state)
{
    struct web_world *w = *state;
    char link[64];

    snprintf(link, sizeof link, "http://127.0.0.1:%u/", web_port(w->web));
    assert_false(web_needs_token(w->web));
    assert_string_equal(web_link(w->web, false).p, link);
    assert_string_equal(web_link(w->web, true).p, link);
    expect(ask_with(w, "POST /x", ""), "may_write=1\n");
}

/* --- the page --- */

static const char *etag_of(const char *answer)
{
    static char etag[64];
    const char *at = strstr(answer, "ETag: ");

    assert_non_null(at);
    snprintf(etag, sizeof etag, "%.*s", (int)strcspn(at + 6, "\r"), at + 6);
    return etag;
}

static void the_page_is_built_in(void **state)
{
    const char *answer = ask_with(*state, "GET /", "");

    expect(answer, " 200 ");
    expect(answer, "Content-Type: text/html; charset=utf-8\r\n");
    expect(answer, "Content-Security-Policy: default-src 'none'; script-src 'self'; ");
    expect(answer, "Cache-Control: private, no-cache\r\n");
    expect(answer, "Vary: Accept-Encoding\r\n");
    expect_not(answer, "Content-Encoding");
    expect(answer, "</html>");
    expect(ask_with(*state, "GET /index.html", ""), "</html>");
}

static void it_comes_compressed_and_once(void **state)
{
    char fields[128];
    const char *answer = ask_with(*state, "GET /", "Accept-Encoding: gzip\r\n");

    expect(answer, "Content-Encoding: gzip\r\n");
    expect_not(answer, "</html>");
    snprintf(fields, sizeof fields, "If-None-Match: %s\r\n", etag_of(answer));
    expect(ask_with(*state, "GET /", fields), " 304 ");
}

static void nothing_else_is(void **state)
{
    static const char *const lines[] = {"GET /x.js",           "GET /../etc/passwd",
                                        "GET /..%2f..%2fetc",  "GET /index.html%00",
                                        "GET /assets/none.js", "GET /index.html/"};

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        expect(ask_with(*state, lines[i], ""), " 404 ");
    expect(ask_with(*state, "POST /", ""), " 405 ");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define LOOPBACK_CASE(name) cmocka_unit_test_setup_teardown(name, set_up_on_loopback, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(without_a_token_there_is_nothing),
        CASE(the_link_gives_the_cookie),
        CASE(the_cookie_may_what_its_token_may),
        CASE(a_program_sends_it_as_a_bearer),
        CASE(wrong_tokens_change_nothing),
        CASE(the_token_does_not_help_another_page),
        CASE(one_stranger_does_not_take_all_the_room),
        CASE(the_link_leads_to_an_address),
        LOOPBACK_CASE(on_loopback_there_is_no_token),
        LOOPBACK_CASE(the_page_is_built_in),
        LOOPBACK_CASE(it_comes_compressed_and_once),
        LOOPBACK_CASE(nothing_else_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
