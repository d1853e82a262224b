/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "loop/resolver.h"

#include "test/unit/loop/name_server.h"
#include "test/unit/store/scratch.h"
#include "test/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIX "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
#define FOUR "\xc0\x00\x02\x07"

static const struct name_record zone[] = {
    {"both.test", TYPE_A, NO_ERROR, FOUR, 0},
    {"both.test", TYPE_AAAA, NO_ERROR, SIX, 0},
    {"four.test", TYPE_A, NO_ERROR, "\xc0\x00\x02\x01", 0},
    {"six.test", TYPE_AAAA, NO_ERROR, SIX, 0},
    {"nowhere.test", TYPE_A, NXDOMAIN, NULL, 0},
    {"nowhere.test", TYPE_AAAA, NXDOMAIN, NULL, 0},
    {"mute.test", TYPE_A, MUTE, NULL, 0},
    {"mute.test", TYPE_AAAA, MUTE, NULL, 0},
    {"no-six.test", TYPE_A, NO_ERROR, FOUR, 0},
    {"no-six.test", TYPE_AAAA, MUTE, NULL, 0},
    {"no-four.test", TYPE_A, MUTE, NULL, 0},
    {"no-four.test", TYPE_AAAA, NO_ERROR, SIX, 0},
    {"late-six.test", TYPE_A, NO_ERROR, FOUR, 0},
    {"late-six.test", TYPE_AAAA, NO_ERROR, SIX, 700},
    {"servfail.test", TYPE_A, SERVFAIL, NULL, 0},
    {"servfail.test", TYPE_AAAA, SERVFAIL, NULL, 0},
    {"refused.test", TYPE_A, REFUSED, NULL, 0},
    {"refused.test", TYPE_AAAA, REFUSED, NULL, 0},
    {"number.test", TYPE_A, WRONG_NUMBER, FOUR, 0},
    {"number.test", TYPE_AAAA, WRONG_NUMBER, SIX, 0},
    {"question.test", TYPE_A, WRONG_QUESTION, FOUR, 0},
    {"question.test", TYPE_AAAA, WRONG_QUESTION, SIX, 0},
    {"owner.test", TYPE_A, WRONG_OWNER, FOUR, 0},
    {"owner.test", TYPE_AAAA, WRONG_OWNER, SIX, 0},
    {"type.test", TYPE_A, WRONG_TYPE, SIX, 0},
    {"type.test", TYPE_AAAA, WRONG_TYPE, FOUR, 0},
    {"truncated.test", TYPE_A, TRUNCATED, NULL, 0},
    {"truncated.test", TYPE_AAAA, TRUNCATED, NULL, 0},
    {"cut.test", TYPE_A, CUT, FOUR, 0},
    {"cut.test", TYPE_AAAA, CUT, SIX, 0},
    {"pointer.test", TYPE_A, POINTER_LOOP, FOUR, 0},
    {"pointer.test", TYPE_AAAA, POINTER_LOOP, SIX, 0},
    {"cname.test", TYPE_A, CNAME_LOOP, FOUR, 0},
    {"cname.test", TYPE_AAAA, CNAME_LOOP, SIX, 0},
    {"noise.test", TYPE_A, NOISE, FOUR, 0},
    {"noise.test", TYPE_AAAA, NOISE, SIX, 0},
};

struct world {
    struct clock clock;
    struct loop *loop;
    struct resolver *resolver;
    struct name_server server;
    struct loop_timer halt;
    unsigned answers; /* that the resolver gave */
    bool stop_at_answer;
    char six[512], four[512]; /* the answers: addresses, or what went wrong; empty: none yet */
    unsigned weight;
};

static void halt(void *ctx)
{
    loop_stop(ctx);
}

static int set_up(void **state)
{
    static struct world w;

    w = (struct world){0};
    clock_init_held(&w.clock, 0);
    assert_int_equal(loop_create(&w.clock, &w.loop, NULL), 0);
    w.halt = (struct loop_timer){.fire = halt, .ctx = w.loop};
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

static void write_addresses(const struct addresses *a, enum family family, char text[static 512])
{
    size_t n = 0;

    for (size_t i = 0; i < a->count[family]; i++) {
        const void *bytes = family == FAMILY_V6 ? (const void *)&a->v6[i] : &a->v4[i];
        char one[INET6_ADDRSTRLEN];

        inet_ntop(family_number(family), bytes, one, sizeof one);
        n += (size_t)snprintf(text + n, 512 - n, "%s%s", n ? " " : "", one);
    }
}

static void answered(void *ctx, const struct resolved *answer)
{
    struct world *w = ctx;
    char *text = answer->family == FAMILY_V6 ? w->six : w->four;

    w->answers++;
    w->weight = answer->weight;
    if (w->stop_at_answer)
        loop_stop(w->loop);
    if (answer->error)
        snprintf(text, sizeof w->six, "%s", answer->error);
    else
        write_addresses(&answer->addresses, answer->family, text);
}

static struct resolver_query *put(struct world *w, const char *host, enum family family)
{
    return resolver_ask(w->resolver, str_of(host), family, answered, w);
}

/* Asks for both families and lets happen what happens while the clock stands still. */
static void ask(struct world *w, const char *host)
{
    w->six[0] = w->four[0] = '\0';
    put(w, host, FAMILY_V6);
    put(w, host, FAMILY_V4);
    loop_run(w->loop);
}

static bool knows(struct world *w, const char *host)
{
    struct addresses a = {0};
    bool known = resolver_knows(w->resolver, str_of(host), &a);

    w->six[0] = w->four[0] = '\0';
    write_addresses(&a, FAMILY_V6, w->six);
    write_addresses(&a, FAMILY_V4, w->four);
    return known;
}

/* Hands out what is ready; the clock stands still. */
static void turn(struct world *w)
{
    loop_set_timer(w->loop, &w->halt, loop_now_us(w->loop));
    loop_run(w->loop);
}

/* What is known without asking */

static void literals_are_known(void **state)
{
    static const struct {
        const char *host, *six, *four;
    } cases[] = {
        {"127.0.0.1", "", "127.0.0.1"},
        {"192.0.2.255", "", "192.0.2.255"},
        {"::1", "::1", ""},
        {"2001:DB8::0:7", "2001:db8::7", ""},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(knows(w, cases[i].host));
        assert_string_equal(w->six, cases[i].six);
        assert_string_equal(w->four, cases[i].four);
    }
    assert_false(knows(w, "both.test"));
    assert_false(knows(w, "127.1"));
    assert_false(knows(w, ""));
}

static void localhost_is_known(void **state)
{
    static const char *const hosts[] = {"localhost", "LocalHost.", "db.localhost"};
    struct world *w = *state;

    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        assert_true(knows(w, hosts[i]));
        assert_string_equal(w->six, "::1");
        assert_string_equal(w->four, "127.0.0.1");
    }
    assert_false(knows(w, "notlocalhost"));
}

static void the_hosts_file_is_asked_first(void **state)
{
    struct world *w = *state;
    char path[] = "/tmp/flightstrip-hosts-XXXXXX";
    int fd = mkstemp(path);

    assert_int_equal(dprintf(fd, "192.0.2.99 both.test\n"), 21);
    close(fd);
    resolver_use_hosts(w->resolver, path);
    assert_true(knows(w, "Both.test"));
    assert_string_equal(w->four, "192.0.2.99");
    assert_string_equal(w->six, "");
    unlink(path);
}

static void what_is_no_host_name_is_not_asked_for(void **state)
{
    static const char *const hosts[] = {"",          "a b",   "a\\.b",     "a/b",
                                        "host\r\nx", "[::1]", "fe80::1%lo"};
    static const char longest[] = "a2345678901234567890123456789012345678901234567890.";
    struct world *w = *state;
    char name[6 * sizeof longest] = "";

    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        assert_false(knows(w, hosts[i]));
        assert_null(put(w, hosts[i], FAMILY_V4));
        assert_string_equal(w->four, "not a host name");
    }
    for (unsigned i = 0; i < 6; i++)
        strcat(name, longest);
    assert_false(knows(w, name));
    assert_null(put(w, name, FAMILY_V4));
    assert_string_equal(w->four, "not a host name");
    assert_null(resolver_ask(w->resolver, STR("a\0b"), FAMILY_V4, answered, w));
    assert_int_equal(w->answers, sizeof hosts / sizeof *hosts + 2);
    assert_int_equal(w->server.questions, 0);
}

/* What is asked for */

static void each_family_is_a_question(void **state)
{
    static const struct {
        const char *host, *six, *four;
    } cases[] = {
        {"both.test", "2001:db8::7", "192.0.2.7"},
        {"four.test", "the name has no address", "192.0.2.1"},
        {"six.test", "2001:db8::7", "the name has no address"},
        {"nowhere.test", "no such name", "no such name"},
        {"servfail.test", "the name server failed", "the name server failed"},
        {"refused.test", "the name server refused to answer", "the name server refused to answer"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ask(w, cases[i].host);
        assert_string_equal(w->six, cases[i].six);
        assert_string_equal(w->four, cases[i].four);
    }
}

static void silence_about_one_family_does_not_hold_up_the_other(void **state)
{
    struct world *w = *state;

    ask(w, "no-six.test");
    assert_string_equal(w->six, "");
    assert_string_equal(w->four, "192.0.2.7");
    ask(w, "no-four.test");
    assert_string_equal(w->six, "2001:db8::7");
    assert_string_equal(w->four, "");
}

static void a_late_answer_is_an_answer(void **state)
{
    struct world *w = *state;

    ask(w, "late-six.test");
    assert_string_equal(w->six, "2001:db8::7");
    assert_string_equal(w->four, "192.0.2.7");
    assert_int_equal(loop_now_us(w->loop), 700 * 1000);
}

static void a_no_is_remembered_for_a_few_seconds(void **state)
{
    struct world *w = *state;

    ask(w, "nowhere.test");
    assert_string_equal(w->four, "no such name");
    assert_int_equal(w->server.questions, 2);
    ask(w, "NoWhere.test");
    assert_string_equal(w->six, "no such name");
    assert_string_equal(w->four, "no such name");
    assert_int_equal(w->server.questions, 2);

    clock_move(&w->clock, 10 * 1000 * 1000);
    loop_run(w->loop); /* reads the clock */
    ask(w, "nowhere.test");
    assert_string_equal(w->four, "no such name");
    assert_int_equal(w->server.questions, 4);
}

static void a_no_to_one_family_is_none_to_the_other(void **state)
{
    struct world *w = *state;

    ask(w, "four.test");
    assert_int_equal(w->server.questions, 2);
    ask(w, "four.test");
    assert_string_equal(w->six, "the name has no address");
    assert_string_equal(w->four, "192.0.2.1");
    assert_int_equal(w->server.questions, 3);
}

static void what_the_server_could_not_do_is_not_remembered(void **state)
{
    struct world *w = *state;

    ask(w, "refused.test");
    unsigned questions = w->server.questions;
    ask(w, "refused.test");
    assert_true(w->server.questions > questions);
}

static void what_is_said_of_the_name_weighs_more(void **state)
{
    static const char *const heavier[] = {"four.test", "servfail.test", "nowhere.test", "a b"};
    struct world *w = *state;
    unsigned before = 0;

    for (size_t i = 0; i < sizeof heavier / sizeof *heavier; i++) {
        put(w, heavier[i], FAMILY_V6);
        loop_run(w->loop);
        assert_true(w->weight > before);
        before = w->weight;
    }
}

static void search_domains_are_not_applied(void **state)
{
    struct world *w = *state;

    ask(w, "both");
    assert_string_equal(w->four, "the name has no address");
    assert_int_equal(w->server.questions, 2); /* for "both" alone, in two types */
}

/* The system's name servers */

struct change {
    struct name_server other;
    struct scratch *scratch;
    const char *conf;
};

/* As programs do it that keep resolv.conf: one that is half written is never seen. */
static void write_conf(struct change *c, struct str text)
{
    assert_int_equal(rename(scratch_write(c->scratch, "new", text), c->conf), 0);
}

static void pass_time(struct world *w, uint64_t us)
{
    clock_move(&w->clock, us);
    loop_run(w->loop); /* reads the clock */
}

/* The world's server is the one that the file names. */
static void change_begins(struct world *w, struct change *c)
{
    static const struct name_record zone_of_other[] = {
        {"both.test", TYPE_A, NO_ERROR, "\xc0\x00\x02\x63", 0},
        {"nowhere.test", TYPE_A, NO_ERROR, FOUR, 0},
    };

    assert_int_equal(scratch_make((void **)&c->scratch), 0);
    name_server_init_at(&c->other, w->loop, "127.0.0.2", w->server.port, zone_of_other, 2);
    c->conf = scratch_path(c->scratch, "resolv.conf");
    write_conf(c, STR("nameserver 127.0.0.1\n"));
    resolver_use_conf(w->resolver, c->conf, w->server.port);
}

static void change_ends(struct change *c)
{
    name_server_finish(&c->other);
    scratch_remove((void **)&c->scratch);
}

static void another_name_server_is_asked_within_a_second(void **state)
{
    struct world *w = *state;
    struct change c;

    change_begins(w, &c);
    ask(w, "both.test");
    assert_string_equal(w->four, "192.0.2.7");
    write_conf(&c, STR("nameserver 127.0.0.2\n"));
    ask(w, "both.test");
    assert_string_equal(w->four, "192.0.2.7");
    pass_time(w, 1000 * 1000);
    ask(w, "both.test");
    assert_string_equal(w->four, "192.0.2.99");
    assert_int_equal(w->server.questions, 4);
    change_ends(&c);
}

static void what_one_name_server_did_not_know_another_is_asked(void **state)
{
    struct world *w = *state;
    struct change c;

    change_begins(w, &c);
    ask(w, "nowhere.test");
    assert_string_equal(w->four, "no such name");
    write_conf(&c, STR("nameserver 127.0.0.2\n"));
    pass_time(w, 1000 * 1000);
    ask(w, "nowhere.test");
    assert_string_equal(w->four, "192.0.2.7");
    change_ends(&c);
}

static void what_was_asked_before_is_answered_by_whom_it_was_asked(void **state)
{
    struct world *w = *state;
    struct change c;

    change_begins(w, &c);
    put(w, "late-six.test", FAMILY_V6);
    turn(w);
    write_conf(&c, STR("nameserver 127.0.0.2\n"));
    clock_move(&w->clock, 1000 * 1000);
    turn(w);
    put(w, "both.test", FAMILY_V4);
    loop_run(w->loop);
    assert_string_equal(w->six, "2001:db8::7");
    assert_string_equal(w->four, "192.0.2.99");
    assert_int_equal(w->server.questions, 1);
    change_ends(&c);
}

static void questions_to_either_are_dropped_at_the_end(void **state)
{
    struct world *w = *state;
    struct change c;

    change_begins(w, &c);
    c.other.mute_beyond = true;
    assert_non_null(put(w, "mute.test", FAMILY_V4));
    write_conf(&c, STR("nameserver 127.0.0.2\n"));
    pass_time(w, 1000 * 1000);
    assert_non_null(put(w, "mute.test", FAMILY_V4));
    resolver_destroy(w->resolver);
    w->resolver = NULL;
    loop_run(w->loop);
    assert_int_equal(w->answers, 0);
    change_ends(&c);
}

static void without_the_file_those_it_named_last_are_asked(void **state)
{
    struct world *w = *state;
    struct change c;

    change_begins(w, &c);
    ask(w, "four.test");
    unlink(c.conf);
    pass_time(w, 1000 * 1000);
    ask(w, "both.test");
    assert_string_equal(w->four, "192.0.2.7");
    write_conf(&c, STR("nameserver 127.0.0.2\n"));
    pass_time(w, 1000 * 1000);
    ask(w, "both.test");
    assert_string_equal(w->four, "192.0.2.99");
    change_ends(&c);
}

/* Name servers that lie and that are broken */

static void what_answers_another_question_is_no_answer(void **state)
{
    static const char *const hosts[] = {"number.test", "question.test"};
    struct world *w = *state;

    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        ask(w, hosts[i]);
        assert_string_equal(w->six, "");
        assert_string_equal(w->four, "");
    }
}

static void garbage_gives_no_address(void **state)
{
    static const char *const hosts[] = {"owner.test",   "type.test",  "truncated.test", "cut.test",
                                        "pointer.test", "cname.test", "noise.test"};
    struct world *w = *state;

    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        ask(w, hosts[i]);
        assert_null(strstr(w->six, "2001"));
        assert_null(strstr(w->four, "192"));
        ask(w, "both.test");
        assert_string_equal(w->four, "192.0.2.7");
    }
}

static void a_mute_name_does_not_hold_up_another(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < 64; i++)
        assert_non_null(put(w, "mute.test", FAMILY_V4));
    assert_non_null(put(w, "four.test", FAMILY_V4));
    w->stop_at_answer = true;
    loop_run(w->loop);
    assert_int_equal(w->answers, 1);
    assert_string_equal(w->four, "192.0.2.1");
}

static void thousands_of_mute_names_do_not_hold_up_another(void **state)
{
    static const struct name_record all_mute[] = {
        {"four.test", TYPE_A, NO_ERROR, "\xc0\x00\x02\x01", 0},
    };
    struct world *w = *state;
    char host[32];

    w->server.mute_beyond = true;
    w->server.zone = all_mute;
    w->server.zone_count = 1;
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(host, sizeof host, "n%u.test", i);
        assert_non_null(put(w, host, FAMILY_V6));
        assert_non_null(put(w, host, FAMILY_V4));
        if (i % 32 == 0) /* the name server's socket holds but some hundred */
            turn(w);
    }
    turn(w);
    assert_int_equal(w->answers, 0);
    assert_true(knows(w, "localhost"));
    assert_non_null(put(w, "four.test", FAMILY_V4));
    w->stop_at_answer = true;
    loop_run(w->loop);
    assert_int_equal(w->answers, 1);
    assert_string_equal(w->four, "192.0.2.1");
    assert_int_equal(loop_now_us(w->loop), 0);
}

/* Ceilings and ends */

static void a_dropped_question_is_not_answered(void **state)
{
    struct world *w = *state;
    struct resolver_query *q = put(w, "both.test", FAMILY_V4);

    assert_non_null(q);
    resolver_drop(w->resolver, q);
    resolver_drop(w->resolver, NULL);
    loop_run(w->loop);
    assert_int_equal(w->answers, 0);
    assert_int_equal(w->server.questions, 1);
}

static void open_questions_are_dropped_at_the_end(void **state)
{
    struct world *w = *state;

    assert_non_null(put(w, "mute.test", FAMILY_V4));
    resolver_destroy(w->resolver);
    w->resolver = NULL;
    loop_run(w->loop); /* returns: nothing is busy any more */
    assert_int_equal(w->answers, 0);
}

static void beyond_the_ceiling_a_question_fails_at_once(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < RESOLVER_PENDING_MAX; i++)
        put(w, "mute.test", FAMILY_V4);
    assert_int_equal(w->answers, 0);
    assert_null(put(w, "four.test", FAMILY_V4));
    assert_int_equal(w->answers, 1);
    assert_string_equal(w->four, "too many names are being resolved");
    assert_true(knows(w, "localhost"));
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
        TEST(literals_are_known),
        TEST(localhost_is_known),
        TEST(the_hosts_file_is_asked_first),
        TEST(what_is_no_host_name_is_not_asked_for),
        TEST(each_family_is_a_question),
        TEST(silence_about_one_family_does_not_hold_up_the_other),
        TEST(a_late_answer_is_an_answer),
        TEST(a_no_is_remembered_for_a_few_seconds),
        TEST(a_no_to_one_family_is_none_to_the_other),
        TEST(what_the_server_could_not_do_is_not_remembered),
        TEST(what_is_said_of_the_name_weighs_more),
        TEST(search_domains_are_not_applied),
        TEST(another_name_server_is_asked_within_a_second),
        TEST(what_one_name_server_did_not_know_another_is_asked),
        TEST(what_was_asked_before_is_answered_by_whom_it_was_asked),
        TEST(questions_to_either_are_dropped_at_the_end),
        TEST(without_the_file_those_it_named_last_are_asked),
        TEST(what_answers_another_question_is_no_answer),
        TEST(garbage_gives_no_address),
        TEST(a_mute_name_does_not_hold_up_another),
        TEST(thousands_of_mute_names_do_not_hold_up_another),
        TEST(a_dropped_question_is_not_answered),
        TEST(open_questions_are_dropped_at_the_end),
        TEST(beyond_the_ceiling_a_question_fails_at_once),
        TEST(a_bad_server_is_said_in_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
