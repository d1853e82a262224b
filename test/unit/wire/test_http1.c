/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/http1.h"

#include "test/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void the_end_of_a_head_is_found_whatever_the_pieces(void **state)
{
    static const char head[] = "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\nrest";
    const size_t whole = sizeof head - 1 - 4;

    (void)state;
    for (size_t piece = 1; piece < sizeof head; piece++) {
        enum parsed r = PARSED_MORE;
        size_t at = 0;

        for (size_t n = piece; r == PARSED_MORE && n < sizeof head + piece; n += piece) {
            struct str bytes = {head, n < sizeof head - 1 ? n : sizeof head - 1};
            r = http1_find_end(bytes, &at, NULL);
            assert_int_equal(r, bytes.n < whole ? PARSED_MORE : PARSED_DONE);
        }
        assert_int_equal(at, whole);
    }
}

static void what_is_not_http_is_odd_at_once(void **state)
{
    static const struct {
        const char *bytes, *why;
    } cases[] = {
        {"\x16\x03\x01\x02", "not HTTP"},
        {" GET", "not HTTP"},
        {"\r\n", "not HTTP"},
        {"GET http://a/ HTTP/1.1\n", "a line ends without CR LF"},
        {"GET http://a/ HTTP/1.1\r\nHost: a\n\n", "a line ends without CR LF"},
        {"GET http://a/ HTTP/1.1\r\n\n", "a line ends without CR LF"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t at = 0;
        const char *why = "";

        assert_int_equal(http1_find_end(str_of(cases[i].bytes), &at, &why), PARSED_ODD);
        assert_string_equal(why, cases[i].why);
    }
}

/* Finds the end first, as every caller does. */
static enum parsed read_request(const char *bytes, struct http1_head *ret_head,
                                const char **ret_odd)
{
    struct str whole = str_of(bytes);
    size_t at = 0;

    assert_int_equal(http1_find_end(whole, &at, ret_odd), PARSED_DONE);
    assert_int_equal(at, whole.n);
    return http1_read_request(whole, ret_head, ret_odd);
}

static enum parsed read_response(const char *method, const char *bytes, struct http1_head *ret_head,
                                 const char **ret_odd)
{
    struct str whole = str_of(bytes);
    size_t at = 0;

    assert_int_equal(http1_find_end(whole, &at, ret_odd), PARSED_DONE);
    assert_int_equal(at, whole.n);
    return http1_read_response(whole, str_of(method), ret_head, ret_odd);
}

static void assert_str(struct str got, const char *wanted)
{
    char text[256];

    snprintf(text, sizeof text, STR_FMT, STR_ARG(got));
    assert_string_equal(text, wanted);
}

static void requests_are_read(void **state)
{
    static const struct {
        const char *bytes, *method, *target;
        unsigned minor;
        enum http1_framing framing;
        uint64_t length;
        bool persistent, upgrade;
    } cases[] = {
        {"GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "http://a/b?c", 1, HTTP1_NO_BODY, 0,
         true, false},
        {"GET http://a/ HTTP/1.0\r\n\r\n", "GET", "http://a/", 0, HTTP1_NO_BODY, 0, false, false},
        {"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nContent-Length: 0\r\n\r\n", "CONNECT", "a:443",
         1, HTTP1_NO_BODY, 0, true, false},
        {"CONNECT [2001:db8::1]:443 HTTP/1.1\r\n\r\n", "CONNECT", "[2001:db8::1]:443", 1,
         HTTP1_NO_BODY, 0, true, false},
        {"CCM_POST http://a/ HTTP/1.1\r\nContent-Length: 12\r\n\r\n", "CCM_POST", "http://a/", 1,
         HTTP1_LENGTH, 12, true, false},
        {"POST http://a/ HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n", "POST", "http://a/", 1,
         HTTP1_CHUNKED, 0, true, false},
        {"POST http://a/ HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "POST", "http://a/",
         1, HTTP1_CHUNKED, 0, true, false},
        {"GET http://a/ HTTP/1.1\r\nConnection: foo, Close\r\n\r\n", "GET", "http://a/", 1,
         HTTP1_NO_BODY, 0, false, false},
        {"GET http://a/ HTTP/1.1\r\nProxy-Connection: close\r\n\r\n", "GET", "http://a/", 1,
         HTTP1_NO_BODY, 0, false, false},
        {"GET http://a/ HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "GET",
         "http://a/", 1, HTTP1_NO_BODY, 0, true, true},
        {"GET http://a/ HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", "GET", "http://a/", 1,
         HTTP1_NO_BODY, 0, true, false},
        {"GET http://a/\xc3\xa4 HTTP/1.1\r\nEmpty:\r\n\r\n", "GET", "http://a/\xc3\xa4", 1,
         HTTP1_NO_BODY, 0, true, false},
        {"POST http://a/ HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n", "POST",
         "http://a/", 1, HTTP1_LENGTH, UINT64_MAX, true, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http1_head head;
        const char *why = "";

        if (read_request(cases[i].bytes, &head, &why) != PARSED_DONE)
            fail_msg("%s: %s", cases[i].bytes, why);
        assert_str(head.method, cases[i].method);
        assert_str(head.target, cases[i].target);
        assert_int_equal(head.minor, cases[i].minor);
        assert_int_equal(head.framing, cases[i].framing);
        assert_true(head.framing != HTTP1_LENGTH || head.length == cases[i].length);
        assert_int_equal(head.persistent, cases[i].persistent);
        assert_int_equal(head.upgrade, cases[i].upgrade);
    }
}

static void odd_requests_are_refused(void **state)
{
#define POST "POST http://a/ HTTP/1.1\r\n"
    static const struct {
        const char *bytes, *why;
    } cases[] = {
        {"GET  http://a/ HTTP/1.1\r\n\r\n", "a bad request line"},
        {"GET http://a/  HTTP/1.1\r\n\r\n", "neither HTTP/1.1 nor HTTP/1.0"},
        {"GET http://a/ b HTTP/1.1\r\n\r\n", "neither HTTP/1.1 nor HTTP/1.0"},
        {"GET http://a/\x7f HTTP/1.1\r\n\r\n", "a bad request line"},
        {"GET http://a/\tHTTP/1.1\r\n\r\n", "a bad request line"},
        {"GET http://a/\r\n\r\n", "neither HTTP/1.1 nor HTTP/1.0"},
        {"GET\r\n\r\n", "a bad request line"},
        {"G(T http://a/ HTTP/1.1\r\n\r\n", "a bad request line"},
        {"GET http://a/ HTTP/1.2\r\n\r\n", "neither HTTP/1.1 nor HTTP/1.0"},
        {"GET http://a/ HTTP/2.0\r\n\r\n", "neither HTTP/1.1 nor HTTP/1.0"},
        {"GET http://a/ http/1.1\r\n\r\n", "neither HTTP/1.1 nor HTTP/1.0"},
        {POST "Host : a\r\n\r\n", "a bad field name"},
        {POST "Host\r\n\r\n", "malformed"},
        {POST ": a\r\n\r\n", "a bad field name"},
        {POST "A: b\r\n c\r\n\r\n", "a folded field line"},
        {POST "A: b\r\n\tc\r\n\r\n", "a folded field line"},
        {POST " A: b\r\n\r\n", "a folded field line"},
        {POST "A:\rB: c\r\n\r\n", "a control character in a field"},
        {POST "A: b\rContent-Length: 1\r\n\r\n", "a control character in a field"},
        {POST "A: \x01\r\n\r\n", "a control character in a field"},
        {POST "Host: a\r\nHost: b\r\n\r\n", "two Host fields"},
        {POST "Host: a\r\nhost: a\r\n\r\n", "two Host fields"},
        {POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
         "two lengths, or a length beside a transfer coding"},
        {POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
         "two lengths, or a length beside a transfer coding"},
        {POST "Content-Length: 1, 1\r\n\r\n", "a bad Content-Length"},
        {POST "Content-Length: +1\r\n\r\n", "a bad Content-Length"},
        {POST "Content-Length: -1\r\n\r\n", "a bad Content-Length"},
        {POST "Content-Length: 0x1\r\n\r\n", "a bad Content-Length"},
        {POST "Content-Length: 18446744073709551616\r\n\r\n", "a bad Content-Length"},
        {POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         "two lengths, or a length beside a transfer coding"},
        {POST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
         "two lengths, or a length beside a transfer coding"},
        {POST "Transfer-Encoding: xchunked\r\n\r\n",
         "a transfer coding that does not end in one chunked"},
        {POST "Transfer-Encoding: chunked, gzip\r\n\r\n",
         "a transfer coding that does not end in one chunked"},
        {POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
         "a transfer coding that does not end in one chunked"},
        {POST "Transfer-Encoding: chunked, chunked\r\n\r\n",
         "a transfer coding that does not end in one chunked"},
        {POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         "a transfer coding that does not end in one chunked"},
        {POST "Transfer-Encoding: chunked, gzip, chunked\r\n\r\n",
         "a transfer coding that does not end in one chunked"},
        {"POST http://a/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
         "a transfer coding in HTTP/1.0"},
    };
#undef POST

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http1_head head;
        const char *why = "";

        if (read_request(cases[i].bytes, &head, &why) != PARSED_ODD)
            fail_msg("accepted: %s", cases[i].bytes);
        if (strcmp(why, cases[i].why) != 0)
            fail_msg("%s: %s", cases[i].bytes, why);
    }
}

static void a_nul_in_a_head_is_refused(void **state)
{
    static const char bytes[] = "GET http://a/ HTTP/1.1\r\nA: b\0c\r\n\r\n";
    struct http1_head head;
    const char *why = "";

    (void)state;
    assert_int_equal(http1_read_request(str_from(bytes, sizeof bytes - 1), &head, &why),
                     PARSED_ODD);
    assert_string_equal(why, "a control character in a field");
}

static void responses_are_read(void **state)
{
    static const struct {
        const char *method, *bytes, *reason;
        unsigned status;
        enum http1_framing framing;
        uint64_t length;
        bool persistent, upgrade;
    } cases[] = {
        {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", "OK", 200, HTTP1_LENGTH, 7, true,
         false},
        {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "OK", 200, HTTP1_NO_BODY, 0, true,
         false},
        {"GET", "HTTP/1.1 200\r\n\r\n", "", 200, HTTP1_UNTIL_CLOSE, 0, false, false},
        {"GET", "HTTP/1.0 200 Very much OK\r\nContent-Length: 7\r\n\r\n", "Very much OK", 200,
         HTTP1_LENGTH, 7, false, false},
        {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "OK", 200, HTTP1_CHUNKED,
         0, true, false},
        {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "OK", 200, HTTP1_UNTIL_CLOSE,
         0, false, false},
        {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", "OK", 200, HTTP1_NO_BODY, 0, true,
         false},
        {"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "OK", 200, HTTP1_NO_BODY,
         0, true, false},
        {"CONNECT", "HTTP/1.1 200 OK\r\n\r\n", "OK", 200, HTTP1_NO_BODY, 0, true, false},
        {"CONNECT", "HTTP/1.1 403 Forbidden\r\n\r\n", "Forbidden", 403, HTTP1_UNTIL_CLOSE, 0, false,
         false},
        {"GET", "HTTP/1.1 204 No Content\r\n\r\n", "No Content", 204, HTTP1_NO_BODY, 0, true,
         false},
        {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", "Not Modified", 304,
         HTTP1_NO_BODY, 0, true, false},
        {"GET", "HTTP/1.1 100 Continue\r\n\r\n", "Continue", 100, HTTP1_NO_BODY, 0, true, false},
        {"GET", "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: y\r\n\r\n", "X", 101,
         HTTP1_NO_BODY, 0, true, true},
        {"GET", "HTTP/1.1 200 \xe9\r\nConnection: close\r\nContent-Length: 1\r\n\r\n", "\xe9", 200,
         HTTP1_LENGTH, 1, false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http1_head head;
        const char *why = "";

        if (read_response(cases[i].method, cases[i].bytes, &head, &why) != PARSED_DONE)
            fail_msg("%s: %s", cases[i].bytes, why);
        assert_int_equal(head.status, cases[i].status);
        assert_str(head.reason, cases[i].reason);
        if (head.framing != cases[i].framing)
            fail_msg("%s: framing %d", cases[i].bytes, head.framing);
        assert_true(head.framing != HTTP1_LENGTH || head.length == cases[i].length);
        assert_int_equal(head.persistent, cases[i].persistent);
        assert_int_equal(head.upgrade, cases[i].upgrade);
    }
}

static void odd_responses_are_refused(void **state)
{
#define OK "HTTP/1.1 200 OK\r\n"
    static const struct {
        const char *bytes, *why;
    } cases[] = {
        {"ICY 200 OK\r\n\r\n", "neither HTTP/1.1 nor HTTP/1.0"},
        {"HTTP/2 200 OK\r\n\r\n", "neither HTTP/1.1 nor HTTP/1.0"},
        {"HTTP/1.1 2000 OK\r\n\r\n", "a bad status"},
        {"HTTP/1.1 20 OK\r\n\r\n", "a bad status"},
        {"HTTP/1.1 99 OK\r\n\r\n", "a bad status"},
        {"HTTP/1.1 099 OK\r\n\r\n", "a bad status"},
        {"HTTP/1.1 600 OK\r\n\r\n", "a bad status"},
        {"HTTP/1.1  200 OK\r\n\r\n", "a bad status"},
        {"HTTP/1.1 200 O\rK\r\n\r\n", "a bad status line"},
        {OK "A : b\r\n\r\n", "a bad field name"},
        {OK "A: b\r\n c\r\n\r\n", "a folded field line"},
        {OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
         "two lengths, or a length beside a transfer coding"},
        {OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         "two lengths, or a length beside a transfer coding"},
        {OK "Transfer-Encoding: chunked, chunked\r\n\r\n",
         "a transfer coding that does not end in one chunked"},
        {OK "Transfer-Encoding: chunked, gzip\r\n\r\n",
         "a transfer coding that does not end in one chunked"},
        {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "a transfer coding in HTTP/1.0"},
    };
#undef OK

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http1_head head;
        const char *why = "";

        if (read_response("GET", cases[i].bytes, &head, &why) != PARSED_ODD)
            fail_msg("accepted: %s", cases[i].bytes);
        if (strcmp(why, cases[i].why) != 0)
            fail_msg("%s: %s", cases[i].bytes, why);
    }
}

static void fields_are_found_whatever_their_case(void **state)
{
    struct http1_head head;
    struct http1_field field;

    (void)state;
    assert_int_equal(read_request("GET http://a/ HTTP/1.1\r\nUser-Agent:  me \t\r\n"
                                  "A: one, TWO\r\na:three\r\nEmpty:\r\n\r\n",
                                  &head, NULL),
                     PARSED_DONE);
    assert_str(http1_field(&head, STR("user-agent")), "me");
    assert_non_null(http1_field(&head, STR("empty")).p);
    assert_int_equal(http1_field(&head, STR("empty")).n, 0);
    assert_null(http1_field(&head, STR("user")).p);
    assert_true(http1_has_word(&head, STR("a"), STR("two")));
    assert_true(http1_has_word(&head, STR("a"), STR("three")));
    assert_false(http1_has_word(&head, STR("a"), STR("thre")));
    assert_false(http1_has_word(&head, STR("a"), STR("")));

    struct http1_fields it = http1_fields(&head);
    unsigned n = 0;
    while (http1_next_field(&it, &field))
        n++;
    assert_int_equal(n, 4);
}

/* Feeds the text in pieces of `piece` bytes, like a connection would. */
static enum parsed take_all(struct http1_body *body, const char *text, size_t n, size_t piece,
                            struct str *ret_kept, size_t *ret_taken)
{
    static char kept_bytes[1024];
    size_t at = 0, all_kept = 0;
    enum parsed r = PARSED_MORE;

    while (r == PARSED_MORE && at < n) {
        char bytes[1024];
        size_t here = piece < n - at ? piece : n - at, taken, kept;

        memcpy(bytes, text + at, here);
        r = http1_body_take(body, bytes, here, &taken, &kept);
        assert_true(taken <= here && kept <= taken);
        assert_true(r != PARSED_MORE || taken == here);
        memcpy(kept_bytes + all_kept, bytes, kept);
        all_kept += kept;
        at += taken;
    }
    *ret_kept = (struct str){kept_bytes, all_kept};
    *ret_taken = at;
    return r;
}

static void chunked_bodies_end_where_they_say(void **state)
{
    static const struct {
        const char *body, *payload;
    } cases[] = {
        {"0\r\n\r\n", ""},
        {"1\r\na\r\n0\r\n\r\n", "a"},
        {"00000000000000a\r\n0123456789\r\n3\r\nabc\r\n000\r\n\r\n", "0123456789abc"},
        {"A\r\n\r\n\r\n0\r\n\r\nx\r\n0\r\n\r\n", "\r\n\r\n0\r\n\r\nx"},
        {"3;name=\"value\"\r\nabc\r\n0;last\r\n\r\n", "abc"},
        {"1\r\na\r\n0\r\nTrailer: value\r\nAnother:\r\n\r\n", "a"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t piece = 1; piece < 64; piece++)
            for (int unframed = 0; unframed < 2; unframed++) {
                struct http1_body body;
                char text[256];
                struct str kept;
                size_t taken;

                http1_body_init(&body, &(struct http1_head){.framing = HTTP1_CHUNKED});
                body.unframed = unframed;
                int n = snprintf(text, sizeof text, "%sNEXT", cases[i].body);
                assert_int_equal(take_all(&body, text, (size_t)n, piece, &kept, &taken),
                                 PARSED_DONE);
                assert_int_equal(taken, strlen(cases[i].body));
                assert_str(kept, unframed ? cases[i].payload : cases[i].body);
            }
}

static void odd_chunks_are_refused(void **state)
{
    static const char *const cases[] = {
        "\r\n",
        "g\r\n",
        "-1\r\n",
        "+1\r\n",
        " 1\r\n",
        "1 \r\n",
        "0x1\r\n",
        "1\n",
        "1\r\r",
        "1;a\nb\r\n",
        "1\r\nab",
        "1\r\naXX",
        "1\r\na\n",
        "1\r\na\r\r",
        "0\r\n\n",
        "0\r\n\rx",
        "0\r\nA: b\n",
        "0\r\nA: b\r\n c",
        "0\r\nA:\rB:",
        "0\r\n: b\r\n",
        "0;\x01\r\n\r\n",
        "ffffffffffffffffffffff\r\n",
        "1000000000000000\r\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http1_body body;
        struct str kept;
        size_t taken;

        http1_body_init(&body, &(struct http1_head){.framing = HTTP1_CHUNKED});
        if (take_all(&body, cases[i], strlen(cases[i]), 1, &kept, &taken) != PARSED_ODD)
            fail_msg("accepted: %s", cases[i]);
    }
}

static void chunk_lines_and_trailers_have_a_ceiling(void **state)
{
    static const char *const starts[] = {"1;", "0\r\nA: "};

    (void)state;
    for (size_t i = 0; i < COUNT(starts); i++) {
        struct http1_body body;
        enum parsed r = PARSED_MORE;
        size_t taken, kept, all = 0;
        char start[16], filler[256];

        http1_body_init(&body, &(struct http1_head){.framing = HTTP1_CHUNKED});
        strcpy(start, starts[i]);
        assert_int_equal(http1_body_take(&body, start, strlen(start), &taken, &kept), PARSED_MORE);
        for (; r == PARSED_MORE && all < 1 << 20; all += taken) {
            memset(filler, 'x', sizeof filler);
            r = http1_body_take(&body, filler, sizeof filler, &taken, &kept);
        }
        assert_int_equal(r, PARSED_ODD);
        assert_true(all < 2 * HTTP1_HEAD_MAX);
    }
}

static void a_length_is_counted_down(void **state)
{
    struct http1_body body;
    char bytes[] = "abcdefgh";
    size_t taken, kept;

    (void)state;
    http1_body_init(&body, &(struct http1_head){.framing = HTTP1_LENGTH, .length = 10});
    assert_int_equal(http1_body_take(&body, bytes, 8, &taken, &kept), PARSED_MORE);
    assert_int_equal(taken, 8);
    assert_int_equal(http1_body_take(&body, bytes, 8, &taken, &kept), PARSED_DONE);
    assert_int_equal(taken, 2);
    assert_int_equal(kept, 2);
}

static void a_body_until_close_never_ends_by_itself(void **state)
{
    struct http1_body body;
    char bytes[] = "abcdefgh";
    size_t taken, kept;

    (void)state;
    http1_body_init(&body, &(struct http1_head){.framing = HTTP1_UNTIL_CLOSE});
    assert_int_equal(http1_body_take(&body, bytes, 8, &taken, &kept), PARSED_MORE);
    assert_int_equal(taken, 8);
    http1_body_init(&body, &(struct http1_head){.framing = HTTP1_NO_BODY});
    assert_int_equal(http1_body_take(&body, bytes, 8, &taken, &kept), PARSED_DONE);
    assert_int_equal(taken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_a_head_is_found_whatever_the_pieces),
        cmocka_unit_test(what_is_not_http_is_odd_at_once),
        cmocka_unit_test(requests_are_read),
        cmocka_unit_test(odd_requests_are_refused),
        cmocka_unit_test(a_nul_in_a_head_is_refused),
        cmocka_unit_test(responses_are_read),
        cmocka_unit_test(odd_responses_are_refused),
        cmocka_unit_test(fields_are_found_whatever_their_case),
        cmocka_unit_test(chunked_bodies_end_where_they_say),
        cmocka_unit_test(odd_chunks_are_refused),
        cmocka_unit_test(chunk_lines_and_trailers_have_a_ceiling),
        cmocka_unit_test(a_length_is_counted_down),
        cmocka_unit_test(a_body_until_close_never_ends_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
