/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small name server on loopback, in the same loop, answers what the tests ask. */
#include "loop/resolver.h"

#include "base/reader.h"
#include "test/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct world {
    struct clock clock;
    struct loop *loop;
    struct resolver *resolver;
    struct loop_fd server;
    char server_address[32];
    unsigned questions; /* that the server got */
    unsigned answers;   /* that the resolver gave */
    bool stop_at_answer;
    bool error;
    char error_text[128];
    char addresses[512];
};

enum { TYPE_A = 1, TYPE_AAAA = 28, NXDOMAIN = 3, MUTE = 255 };

/* What the server knows: the answer to a type is its record, to another no data. */
static const struct {
    const char *name;
    unsigned type;
    unsigned code;
    const char *record;
} zone[] = {
    {"both.test", TYPE_A, 0, "\xc0\x00\x02\x07"},
    {"both.test", TYPE_AAAA, 0, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"},
    {"four.test", TYPE_A, 0, "\xc0\x00\x02\x01"},
    {"nowhere.test", TYPE_A, NXDOMAIN, NULL},
    {"nowhere.test", TYPE_AAAA, NXDOMAIN, NULL},
    {"mute.test", TYPE_A, MUTE, NULL},
    {"mute.test", TYPE_AAAA, MUTE, NULL},
};

/* The question's name as text; what follows it is its type (RFC 1035, section 4.1.2). */
static unsigned read_question(struct str message, char *name, size_t room)
{
    struct reader r = reader_of(str_skip(message, 12));
    size_t n = 0;

    for (uint8_t label; (label = reader_u8(&r));) {
        struct str part = reader_take(&r, label);
        n += (size_t)snprintf(name + n, room - n, "%s" STR_FMT, n ? "." : "", STR_ARG(part));
    }
    unsigned type = reader_u16be(&r);
    assert_int_equal(reader_u16be(&r), 1);
    assert_false(r.bad);
    return type;
}

static size_t question_bytes(const char *name)
{
    return 12 + strlen(name) + 2 + 4;
}

static void server_ready(void *ctx, unsigned events)
{
    struct world *w = ctx;
    struct sockaddr_storage from;
    socklen_t from_n = sizeof from;
    char message[600] = {0}, name[256] = "";
    ssize_t n = recvfrom(w->server.fd, message, 512, 0, (void *)&from, &from_n);
    unsigned code = 0, type;
    const char *record = NULL;

    (void)events;
    assert_true(n > 12);
    type = read_question(str_from(message, (size_t)n), name, sizeof name);
    w->questions++;
    for (size_t i = 0; i < sizeof zone / sizeof *zone; i++)
        if (strcmp(zone[i].name, name) == 0 && zone[i].type == type) {
            code = zone[i].code;
            record = zone[i].record;
        }
    if (code == MUTE)
        return;

    size_t at = question_bytes(name); /* what comes after (EDNS) is cut off */
    message[2] = (char)0x81;
    message[3] = (char)(0x80 | code);
    memset(message + 6, 0, 6);
    if (record) {
        size_t record_n = type == TYPE_A ? 4 : 16;
        message[7] = 1;
        memcpy(message + at, "\xc0\x0c\0\0\0\1\0\0\0\x3c\0\0", 12);
        message[at + 3] = (char)type;
        message[at + 11] = (char)record_n;
        memcpy(message + at + 12, record, record_n);
        at += 12 + record_n;
    }
    assert_int_equal(sendto(w->server.fd, message, at, 0, (void *)&from, from_n), at);
}

static void start_server(struct world *w)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (void *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (void *)&a, &n), 0);
    snprintf(w->server_address, sizeof w->server_address, "127.0.0.1:%u", ntohs(a.sin_port));
    w->server = (struct loop_fd){.fd = fd, .events = LOOP_READ, .ready = server_ready, .ctx = w};
    assert_int_equal(loop_add_fd(w->loop, &w->server), 0);
}

static int set_up(void **state)
{
    static struct world w;

    w = (struct world){0};
    clock_init_held(&w.clock, 0);
    assert_int_equal(loop_create(&w.clock, &w.loop, NULL), 0);
    start_server(&w);
    assert_int_equal(resolver_create(w.loop, w.server_address, &w.resolver, NULL), 0);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    resolver_destroy(w->resolver);
    loop_del_fd(w->loop, &w->server);
    close(w->server.fd);
    loop_destroy(w->loop);
    return 0;
}

static void answered(void *ctx, const struct resolved *answer)
{
    struct world *w = ctx;
    size_t n = 0;

    w->answers++;
    if (w->stop_at_answer)
        loop_stop(w->loop);
    w->error = answer->error;
    snprintf(w->error_text, sizeof w->error_text, "%s", answer->error ? answer->error : "");
    w->addresses[0] = '\0';
    for (size_t i = 0; i < answer->n; i++) {
        const struct sockaddr_storage *a = &answer->addresses[i];
        const void *bytes = a->ss_family == AF_INET
                                ? (const void *)&((const struct sockaddr_in *)a)->sin_addr
                                : (const void *)&((const struct sockaddr_in6 *)a)->sin6_addr;
        char text[INET6_ADDRSTRLEN];

        inet_ntop(a->ss_family, bytes, text, sizeof text);
        n +=
            (size_t)snprintf(w->addresses + n, sizeof w->addresses - n, "%s%s", n ? " " : "", text);
    }
}

/* Asks and waits for the answer. */
static void ask(struct world *w, const char *host)
{
    unsigned before = w->answers;

    resolver_ask(w->resolver, str_of(host), answered, w);
    loop_run(w->loop);
    assert_int_equal(w->answers, before + 1);
}

static void literals_are_answered_at_once(void **state)
{
    static const struct {
        const char *host, *address;
    } cases[] = {
        {"127.0.0.1", "127.0.0.1"},
        {"192.0.2.255", "192.0.2.255"},
        {"::1", "::1"},
        {"2001:DB8::0:7", "2001:db8::7"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(resolver_ask(w->resolver, str_of(cases[i].host), answered, w));
        assert_int_equal(w->answers, i + 1);
        assert_false(w->error);
        assert_string_equal(w->addresses, cases[i].address);
    }
    assert_int_equal(w->questions, 0);
}

static void the_hosts_file_comes_before_name_servers(void **state)
{
    struct world *w = *state;

    ask(w, "localhost");
    assert_false(w->error);
    assert_non_null(strstr(w->addresses, "127.0.0.1"));
    assert_int_equal(w->questions, 0);
}

static void both_families_are_asked_for(void **state)
{
    struct world *w = *state;

    ask(w, "both.test");
    assert_false(w->error);
    assert_non_null(strstr(w->addresses, "192.0.2.7"));
    assert_non_null(strstr(w->addresses, "2001:db8::7"));
    assert_int_equal(w->questions, 2);
}

static void one_family_is_enough(void **state)
{
    struct world *w = *state;

    ask(w, "four.test");
    assert_false(w->error);
    assert_string_equal(w->addresses, "192.0.2.1");
}

static void a_no_is_remembered_for_a_few_seconds(void **state)
{
    struct world *w = *state;

    ask(w, "nowhere.test");
    assert_string_equal(w->error_text, "no such name");
    assert_int_equal(w->questions, 2);
    ask(w, "NoWhere.test");
    assert_string_equal(w->error_text, "no such name");
    assert_int_equal(w->questions, 2);

    clock_move(&w->clock, 10 * 1000 * 1000);
    loop_run(w->loop); /* reads the clock */
    ask(w, "nowhere.test");
    assert_string_equal(w->error_text, "no such name");
    assert_int_equal(w->questions, 4);
}

static void search_domains_are_not_applied(void **state)
{
    struct world *w = *state;

    ask(w, "both");
    assert_true(w->error);
    assert_int_equal(w->questions, 2); /* for "both" alone, in two types */
}

static void what_is_no_host_name_is_not_asked_for(void **state)
{
    static const char *const hosts[] = {"",          "a b",   "a\\.b",     "a/b",
                                        "host\r\nx", "[::1]", "fe80::1%lo"};
    static const char longest[] = "a2345678901234567890123456789012345678901234567890.";
    struct world *w = *state;
    char name[6 * sizeof longest] = "";

    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        assert_null(resolver_ask(w->resolver, str_of(hosts[i]), answered, w));
        assert_string_equal(w->error_text, "not a host name");
    }
    for (unsigned i = 0; i < 6; i++)
        strcat(name, longest);
    assert_null(resolver_ask(w->resolver, str_of(name), answered, w));
    assert_null(resolver_ask(w->resolver, STR("a\0b"), answered, w));
    assert_string_equal(w->error_text, "not a host name");
    assert_int_equal(w->questions, 0);
}

static void a_dropped_question_is_not_answered(void **state)
{
    struct world *w = *state;
    struct resolver_query *q = resolver_ask(w->resolver, STR("both.test"), answered, w);

    assert_non_null(q);
    resolver_drop(w->resolver, q);
    resolver_drop(w->resolver, NULL);
    loop_run(w->loop);
    assert_int_equal(w->answers, 0);
    assert_int_equal(w->questions, 2);
}

static void open_questions_are_dropped_at_the_end(void **state)
{
    struct world *w = *state;

    assert_non_null(resolver_ask(w->resolver, STR("mute.test"), answered, w));
    resolver_destroy(w->resolver);
    w->resolver = NULL;
    loop_run(w->loop); /* returns: nothing is busy any more */
    assert_int_equal(w->answers, 0);
}

static void a_mute_name_does_not_hold_up_another(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < 64; i++)
        assert_non_null(resolver_ask(w->resolver, STR("mute.test"), answered, w));
    assert_non_null(resolver_ask(w->resolver, STR("four.test"), answered, w));
    w->stop_at_answer = true;
    loop_run(w->loop);
    assert_int_equal(w->answers, 1);
    assert_string_equal(w->addresses, "192.0.2.1");
}

static void beyond_the_ceiling_a_question_fails_at_once(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < RESOLVER_PENDING_MAX; i++)
        resolver_ask(w->resolver, STR("mute.test"), answered, w);
    assert_int_equal(w->answers, 0);
    assert_null(resolver_ask(w->resolver, STR("four.test"), answered, w));
    assert_int_equal(w->answers, 1);
    assert_string_equal(w->error_text, "too many names are being resolved");
}

static void a_bad_server_is_said_in_a_sentence(void **state)
{
    struct world *w = *state;
    struct resolver *r = NULL;
    struct err err;

    assert_int_equal(resolver_create(w->loop, "not an address", &r, &err), -EINVAL);
    assert_null(r);
    assert_string_equal(err.text, "'not an address': expected a name server as ADDR or ADDR:PORT");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(literals_are_answered_at_once),
        TEST(the_hosts_file_comes_before_name_servers),
        TEST(both_families_are_asked_for),
        TEST(one_family_is_enough),
        TEST(a_no_is_remembered_for_a_few_seconds),
        TEST(search_domains_are_not_applied),
        TEST(what_is_no_host_name_is_not_asked_for),
        TEST(a_dropped_question_is_not_answered),
        TEST(open_questions_are_dropped_at_the_end),
        TEST(a_mute_name_does_not_hold_up_another),
        TEST(beyond_the_ceiling_a_question_fails_at_once),
        TEST(a_bad_server_is_said_in_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
