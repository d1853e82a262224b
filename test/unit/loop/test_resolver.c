/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "loop/resolver.h"

#include "test/unit/loop/name_server.h"
#include "test/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct world {
    struct clock clock;
    struct loop *loop;
    struct resolver *resolver;
    struct name_server server;
    unsigned answers; /* that the resolver gave */
    bool stop_at_answer;
    bool error;
    char error_text[128];
    char addresses[512];
};

static const struct name_record zone[] = {
    {"both.test", TYPE_A, NO_ERROR, "\xc0\x00\x02\x07"},
    {"both.test", TYPE_AAAA, NO_ERROR, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"},
    {"four.test", TYPE_A, NO_ERROR, "\xc0\x00\x02\x01"},
    {"nowhere.test", TYPE_A, NXDOMAIN, NULL},
    {"nowhere.test", TYPE_AAAA, NXDOMAIN, NULL},
    {"mute.test", TYPE_A, MUTE, NULL},
    {"mute.test", TYPE_AAAA, MUTE, NULL},
};

static int set_up(void **state)
{
    static struct world w;

    w = (struct world){0};
    clock_init_held(&w.clock, 0);
    assert_int_equal(loop_create(&w.clock, &w.loop, NULL), 0);
    name_server_init(&w.server, w.loop, zone, sizeof zone / sizeof *zone);
    assert_int_equal(resolver_create(w.loop, w.server.address, &w.resolver, NULL), 0);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    resolver_destroy(w->resolver);
    name_server_finish(&w->server);
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
    assert_int_equal(w->server.questions, 0);
}

static void the_hosts_file_comes_before_name_servers(void **state)
{
    struct world *w = *state;

    ask(w, "localhost");
    assert_false(w->error);
    assert_non_null(strstr(w->addresses, "127.0.0.1"));
    assert_int_equal(w->server.questions, 0);
}

static void both_families_are_asked_for(void **state)
{
    struct world *w = *state;

    ask(w, "both.test");
    assert_false(w->error);
    assert_non_null(strstr(w->addresses, "192.0.2.7"));
    assert_non_null(strstr(w->addresses, "2001:db8::7"));
    assert_int_equal(w->server.questions, 2);
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
    assert_int_equal(w->server.questions, 2);
    ask(w, "NoWhere.test");
    assert_string_equal(w->error_text, "no such name");
    assert_int_equal(w->server.questions, 2);

    clock_move(&w->clock, 10 * 1000 * 1000);
    loop_run(w->loop); /* reads the clock */
    ask(w, "nowhere.test");
    assert_string_equal(w->error_text, "no such name");
    assert_int_equal(w->server.questions, 4);
}

static void search_domains_are_not_applied(void **state)
{
    struct world *w = *state;

    ask(w, "both");
    assert_true(w->error);
    assert_int_equal(w->server.questions, 2); /* for "both" alone, in two types */
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
    assert_int_equal(w->server.questions, 0);
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
    assert_int_equal(w->server.questions, 2);
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
