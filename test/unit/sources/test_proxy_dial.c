/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a name to a connection: several addresses, some dead, some slow, some forbidden. */
#include "base/xalloc.h"
#include "sources/proxy/address.h"
#include "sources/proxy/dial.h"
#include "sources/proxy/private.h"
#include "test/unit/loop/name_server.h"
#include "test/unit/sources/proxy_world.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/*
 * What ends in 1 leads to the server, in 2 to a port where nobody listens, in 3 to one that never
 * answers.
 */
#define ALIVE "\xc0\x00\x02\x01"
#define CLOSED "\xc0\x00\x02\x02"
#define SILENT "\xc0\x00\x02\x03"
#define SIX(last) "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0" last
#define ALIVE_SIX SIX("\x01")
#define CLOSED_SIX SIX("\x02")
#define SILENT_SIX SIX("\x03")

static const struct name_record zone[] = {
    {"alive.test", TYPE_A, NO_ERROR, ALIVE, 0},
    {"closed-alive.test", TYPE_A, NO_ERROR, CLOSED, 0},
    {"closed-alive.test", TYPE_A, NO_ERROR, ALIVE, 0},
    {"silent-alive.test", TYPE_A, NO_ERROR, SILENT, 0},
    {"silent-alive.test", TYPE_A, NO_ERROR, ALIVE, 0},
    {"closed.test", TYPE_A, NO_ERROR, CLOSED, 0},
    {"silent.test", TYPE_A, NO_ERROR, SILENT, 0},
    {"mute.test", TYPE_A, MUTE, NULL, 0},
    {"mute.test", TYPE_AAAA, MUTE, NULL, 0},
    {"nowhere.test", TYPE_A, NXDOMAIN, NULL, 0},
    {"nowhere.test", TYPE_AAAA, NXDOMAIN, NULL, 0},
    {"failing.test", TYPE_A, SERVFAIL, NULL, 0},

    {"turns.test", TYPE_A, NO_ERROR, SILENT, 0},
    {"turns.test", TYPE_A, NO_ERROR, SILENT, 0},
    {"turns.test", TYPE_A, NO_ERROR, ALIVE, 0},
    {"turns.test", TYPE_AAAA, NO_ERROR, SILENT_SIX, 0},
    {"turns.test", TYPE_AAAA, NO_ERROR, SILENT_SIX, 0},
    {"dead-six.test", TYPE_A, NO_ERROR, ALIVE, 0},
    {"dead-six.test", TYPE_AAAA, NO_ERROR, SILENT_SIX, 0},
    {"only-six.test", TYPE_AAAA, NO_ERROR, ALIVE_SIX, 0},
    {"mute-four.test", TYPE_A, MUTE, NULL, 0},
    {"mute-four.test", TYPE_AAAA, NO_ERROR, ALIVE_SIX, 0},
    {"mute-six.test", TYPE_A, NO_ERROR, ALIVE, 0},
    {"mute-six.test", TYPE_AAAA, MUTE, NULL, 0},
    {"closed-mute-six.test", TYPE_A, NO_ERROR, CLOSED, 0},
    {"closed-mute-six.test", TYPE_AAAA, MUTE, NULL, 0},
    {"soon-six.test", TYPE_A, NO_ERROR, ALIVE, 0},
    {"soon-six.test", TYPE_AAAA, NO_ERROR, ALIVE_SIX, 30},
    {"soon-four.test", TYPE_A, NO_ERROR, ALIVE, 30},
    {"soon-four.test", TYPE_AAAA, NO_ERROR, ALIVE_SIX, 0},
    {"late-six.test", TYPE_A, NO_ERROR, SILENT, 0},
    {"late-six.test", TYPE_AAAA, NO_ERROR, ALIVE_SIX, 100},
    {"closed-late-six.test", TYPE_A, NO_ERROR, CLOSED, 0},
    {"closed-late-six.test", TYPE_AAAA, NO_ERROR, ALIVE_SIX, 500},

    {"number.test", TYPE_A, NO_ERROR, ALIVE, 0},
    {"number.test", TYPE_AAAA, WRONG_NUMBER, ALIVE_SIX, 0},
    {"owner.test", TYPE_A, NO_ERROR, ALIVE, 0},
    {"owner.test", TYPE_AAAA, WRONG_OWNER, ALIVE_SIX, 0},
    {"truncated.test", TYPE_A, NO_ERROR, ALIVE, 0},
    {"truncated.test", TYPE_AAAA, TRUNCATED, NULL, 0},
    {"cut.test", TYPE_A, NO_ERROR, ALIVE, 0},
    {"cut.test", TYPE_AAAA, CUT, ALIVE_SIX, 0},
    {"pointer.test", TYPE_A, NO_ERROR, ALIVE, 0},
    {"pointer.test", TYPE_AAAA, POINTER_LOOP, ALIVE_SIX, 0},
    {"cname.test", TYPE_A, NO_ERROR, ALIVE, 0},
    {"cname.test", TYPE_AAAA, CNAME_LOOP, ALIVE_SIX, 0},
    {"noise.test", TYPE_A, NO_ERROR, ALIVE, 0},
    {"noise.test", TYPE_AAAA, NOISE, ALIVE_SIX, 0},

    {"loopback.test", TYPE_A, NO_ERROR, "\x7f\0\0\1", 0},
    {"loopback-six.test", TYPE_AAAA, NO_ERROR, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 0},
    {"mapped.test", TYPE_AAAA, NO_ERROR, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 0},
    {"metadata.test", TYPE_A, NO_ERROR, "\xa9\xfe\xa9\xfe", 0},
    {"mixed.test", TYPE_A, NO_ERROR, "\x7f\0\0\1", 0},
    {"mixed.test", TYPE_A, NO_ERROR, "\xa9\xfe\xa9\xfe", 0},
    {"rebound.test", TYPE_AAAA, NO_ERROR, "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 0},
};

static const struct name_record rebound_zone[] = {
    {"rebound.test", TYPE_AAAA, NO_ERROR, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 0},
};

struct place {
    struct world w;
    struct name_server names;
    int silent, knocking[8]; /* a listener whose queue is full drops who knocks */
    uint16_t silent_port;
    struct sockaddr_storage dialled[8];
    size_t dials;
};

static int open_silent(uint16_t *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (void *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (void *)&a, &n), 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static void fill_silent(struct place *p)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons(p->silent_port)};

    for (size_t i = 0; i < 8; i++) {
        p->knocking[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        /* The first fill the backlog; the others stay on their way, as they are meant to. */
        (void)connect(p->knocking[i], (void *)&a, sizeof a);
    }
}

static void lead(void *ctx, struct sockaddr_storage *address)
{
    struct place *p = ctx;
    bool is_v6 = address->ss_family == AF_INET6;
    uint8_t last = is_v6 ? ((struct sockaddr_in6 *)address)->sin6_addr.s6_addr[15]
                         : (uint8_t)(ntohl(((struct sockaddr_in *)address)->sin_addr.s_addr));

    p->dialled[p->dials++] = *address;
    assert_true(address_parse(STR("127.0.0.1"), address));
    address_set_port(address, last == 1 ? p->w.server_port : last == 2 ? 1 : p->silent_port);
}

/* The name server needs the world's loop, and the proxy the name server's port. */
static int set_up_with(void **state, bool hooked)
{
    static struct place p;
    struct proxy_options options = {0};
    struct err err;

    p = (struct place){0};
    world_init(&p.w, NULL);
    name_server_init(&p.names, p.w.loop, zone, sizeof zone / sizeof *zone);
    p.silent = open_silent(&p.silent_port);
    fill_silent(&p);
    proxy_destroy(p.w.proxy);
    options.name_server = p.names.address;
    options.listen = (const char *const[]){"127.0.0.1:0"};
    options.listen_count = 1;
    options.dial = hooked ? lead : NULL;
    options.dial_ctx = &p;
    if (proxy_create(p.w.loop, &p.w.stream, &p.w.devices, &options, &p.w.proxy, &err) < 0)
        fail_msg("%s", err.text);
    *state = &p;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, true);
}

static int set_up_unhooked(void **state)
{
    return set_up_with(state, false);
}

static int tear_down(void **state)
{
    struct place *p = *state;

    for (size_t i = 0; i < 8; i++)
        close(p->knocking[i]);
    close(p->silent);
    name_server_finish(&p->names);
    world_finish(&p->w);
    return 0;
}

static int ask_for(struct place *p, const char *host)
{
    char request[128];
    int d = device(&p->w);

    snprintf(request, sizeof request, "CONNECT %s:443 HTTP/1.1\r\nHost: x\r\n\r\n", host);
    say(&p->w, d, request);
    return d;
}

static void the_next_address_is_tried_when_one_fails(void **state)
{
    struct place *p = *state;
    int d = ask_for(p, "closed-alive.test");

    assert_non_null(strstr(heard(&p->w, d), " 200 "));
    assert_string_equal(
        seen(&p->w),
        "device-seen\n"
        "flow-opened host=closed-alive.test port=443 how=connect\n"
        "http-request method=CONNECT url=closed-alive.test:443 host=closed-alive.test\n"
        "name-resolved addresses=192.0.2.2 192.0.2.1\n"
        "connected address=127.0.0.1 port=ORIGIN\n");
}

static void the_next_address_is_tried_while_one_is_silent(void **state)
{
    struct place *p = *state;
    int d = ask_for(p, "silent-alive.test");

    pass_time(&p->w, SECOND / 5);
    assert_string_equal(heard(&p->w, d), "");
    pass_time(&p->w, SECOND / 10);
    assert_non_null(strstr(heard(&p->w, d), " 200 "));
    assert_non_null(strstr(seen(&p->w), "connected address=127.0.0.1 port=ORIGIN\n"));
}

/* The families that were dialled, in order: "646". */
static const char *families_dialled(const struct place *p)
{
    static char text[9];

    for (size_t i = 0; i < p->dials; i++)
        text[i] = p->dialled[i].ss_family == AF_INET6 ? '6' : '4';
    text[p->dials] = '\0';
    return text;
}

static void families_take_turns_and_v6_comes_first(void **state)
{
    struct place *p = *state;
    int d = ask_for(p, "turns.test");

    pass_time(&p->w,
              SECOND * 9 / 10); /* the fourth begins after 750 ms, the fifth after a second */
    assert_string_equal(heard(&p->w, d), "");
    assert_string_equal(families_dialled(p), "6464");
    pass_time(&p->w, SECOND / 5);
    assert_non_null(strstr(heard(&p->w, d), " 200 "));
    assert_string_equal(families_dialled(p), "64644");
}

static void a_dead_v6_address_costs_a_quarter_second(void **state)
{
    struct place *p = *state;
    int d = ask_for(p, "dead-six.test");

    pass_time(&p->w, SECOND * 24 / 100);
    assert_string_equal(heard(&p->w, d), "");
    pass_time(&p->w, SECOND * 2 / 100);
    assert_non_null(strstr(heard(&p->w, d), " 200 "));
    assert_string_equal(families_dialled(p), "64");
}

/* Answers that come one after the other, or not at all */

static void a_v6_answer_is_enough_to_begin(void **state)
{
    static const char *const hosts[] = {"only-six.test", "mute-four.test", "soon-four.test"};
    struct place *p = *state;

    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        uint64_t before_us = clock_now_us(&p->w.clock);
        int d = ask_for(p, hosts[i]);

        assert_non_null(strstr(heard(&p->w, d), " 200 "));
        assert_true(clock_now_us(&p->w.clock) - before_us < 1000);
        assert_non_null(strstr(seen(&p->w), "name-resolved addresses=2001:db8::1\n"));
    }
    assert_string_equal(families_dialled(p), "666");
}

static void silence_about_v6_costs_a_twentieth_of_a_second(void **state)
{
    struct place *p = *state;
    int d = ask_for(p, "mute-six.test");

    pass_time(&p->w, SECOND * 4 / 100);
    assert_int_equal(p->dials, 0);
    pass_time(&p->w, SECOND * 2 / 100);
    assert_non_null(strstr(heard(&p->w, d), " 200 "));
    assert_non_null(strstr(seen(&p->w), "name-resolved addresses=192.0.2.1\n"));
}

static void a_v6_answer_that_comes_soon_goes_first(void **state)
{
    struct place *p = *state;
    int d = ask_for(p, "soon-six.test");

    pass_time(&p->w, SECOND * 4 / 100);
    assert_non_null(strstr(heard(&p->w, d), " 200 "));
    assert_string_equal(families_dialled(p), "6");
    assert_non_null(strstr(seen(&p->w), "name-resolved addresses=2001:db8::1 192.0.2.1\n"));
}

static void a_v6_answer_that_comes_late_joins_what_is_tried(void **state)
{
    struct place *p = *state;
    int d = ask_for(p, "late-six.test");

    pass_time(&p->w, SECOND * 29 / 100); /* IPv4 began after 50 ms */
    assert_string_equal(families_dialled(p), "4");
    pass_time(&p->w, SECOND * 2 / 100);
    assert_non_null(strstr(heard(&p->w, d), " 200 "));
    assert_string_equal(families_dialled(p), "46");
}

static void a_late_answer_is_waited_for_when_nothing_else_is_left(void **state)
{
    struct place *p = *state;
    int d = ask_for(p, "closed-late-six.test");

    pass_time(&p->w, SECOND * 49 / 100);
    assert_string_equal(heard(&p->w, d), "");
    pass_time(&p->w, SECOND * 2 / 100);
    assert_non_null(strstr(heard(&p->w, d), " 200 "));
    assert_string_equal(families_dialled(p), "46");
}

static void a_late_answer_is_not_waited_for_for_ever(void **state)
{
    struct place *p = *state;
    int d = ask_for(p, "closed-mute-six.test");

    pass_time(&p->w, SECOND);
    assert_string_equal(heard(&p->w, d), "");
    pass_time(&p->w, SECOND / 10);
    assert_non_null(strstr(heard(&p->w, d), "502 Bad Gateway"));
    assert_non_null(strstr(seen(&p->w), "error=Connection refused\n"));
}

static void name_servers_are_not_waited_for_for_ever(void **state)
{
    struct place *p = *state;
    int d = ask_for(p, "mute.test");

    pass_time(&p->w, 19 * SECOND);
    assert_string_equal(heard(&p->w, d), "");
    pass_time(&p->w, 2 * SECOND);
    assert_non_null(strstr(heard(&p->w, d), "504 Gateway Timeout"));
    const char *all = seen(&p->w);
    assert_non_null(strstr(all, "name-failed error=the name servers did not answer in time\n"));
    assert_non_null(strstr(all, "flow-closed why=name-failed\n"));
}

static void garbage_about_one_family_leaves_the_other(void **state)
{
    static const char *const hosts[] = {"number.test",  "owner.test", "truncated.test", "cut.test",
                                        "pointer.test", "cname.test", "noise.test"};
    struct place *p = *state;

    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        int d = ask_for(p, hosts[i]);

        pass_time(&p->w, SECOND * 6 / 100);
        assert_non_null(strstr(heard(&p->w, d), " 200 "));
    }
    assert_string_equal(families_dialled(p), "4444444");
}

/* When it fails */

static void when_all_fail_the_last_says_why(void **state)
{
    struct place *p = *state;
    int d = ask_for(p, "closed.test");

    assert_non_null(strstr(heard(&p->w, d), "502 Bad Gateway"));
    const char *all = seen(&p->w);
    assert_non_null(strstr(all, "connect-failed address=127.0.0.1 port=1 "
                                "error=Connection refused\n"));
    assert_non_null(strstr(all, "http-response status=502"));
    assert_non_null(strstr(all, "flow-closed why=connect-failed\n"));
}

static void silence_is_not_waited_for_for_ever(void **state)
{
    struct place *p = *state;
    int d = ask_for(p, "silent.test");

    pass_time(&p->w, 19 * SECOND);
    assert_string_equal(heard(&p->w, d), "");
    pass_time(&p->w, 2 * SECOND);
    assert_non_null(strstr(heard(&p->w, d), "504 Gateway Timeout"));
    const char *all = seen(&p->w);
    assert_non_null(strstr(all, "error=Connection timed out\n"));
    assert_non_null(strstr(all, "flow-closed why=connect-failed\n"));
}

static void a_name_that_does_not_exist_is_said(void **state)
{
    struct place *p = *state;
    int d = ask_for(p, "nowhere.test");

    assert_non_null(strstr(heard(&p->w, d), "cannot resolve nowhere.test: no such name\n"));
    const char *all = seen(&p->w);
    assert_non_null(strstr(all, "name-failed error=no such name\n"));
    assert_non_null(strstr(all, "flow-closed why=name-failed\n"));
}

static void the_error_that_says_more_is_said(void **state)
{
    struct place *p = *state;
    int d = ask_for(p, "failing.test"); /* and for the other family there is no data */

    assert_non_null(
        strstr(heard(&p->w, d), "cannot resolve failing.test: the name server failed\n"));
}

static void a_device_may_leave_while_its_name_is_asked_for(void **state)
{
    struct place *p = *state;
    struct world *w = &p->w;
    int d = device(w);

    /* The clock stands still while a name is asked for, so the world is halted from a timer. */
    loop_set_timer(w->loop, &w->halt, 0);
    static const char request[] = "CONNECT mute.test:443 HTTP/1.1\r\nHost: x\r\n\r\n";
    assert_int_equal(send(d, request, sizeof request - 1, 0), sizeof request - 1);
    leave(w, d);
    for (int i = 0; i < 5; i++) {
        loop_set_timer(w->loop, &w->halt, 0);
        loop_run(w->loop);
    }
    assert_non_null(strstr(seen(w), "flow-closed why=device-aborted\n"));
}

/* Policy; the dial hook would stand for what is meant, so there is none. */

static void what_a_name_leads_to_is_judged(void **state)
{
    static const struct {
        const char *host, *addresses, *sort;
    } cases[] = {
        {"loopback.test", "127.0.0.1", "loopback"},
        {"loopback-six.test", "::1", "loopback"},
        {"mapped.test", "::ffff:127.0.0.1", "loopback"},
        {"metadata.test", "169.254.169.254", "cloud metadata"},
        {"mixed.test", "127.0.0.1 169.254.169.254", "cloud metadata"},
        {"127.0.0.01", "127.0.0.1", "loopback"}, /* as c-ares reads it */
    };
    struct place *p = *state;
    char expected[128];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int d = ask_for(p, cases[i].host);

        snprintf(expected, sizeof expected, "does not relay to %s addresses\n", cases[i].sort);
        assert_non_null(strstr(heard(&p->w, d), expected));
        const char *all = seen(&p->w);
        snprintf(expected, sizeof expected, "name-resolved addresses=%s\n", cases[i].addresses);
        assert_non_null(strstr(all, expected));
        assert_non_null(strstr(all, "flow-closed why=refused\n"));
    }
}

/* The first answer is from the block that leads nowhere (RFC 6666). */
static void a_name_that_leads_elsewhere_later_is_judged_anew(void **state)
{
    struct place *p = *state;
    int d = ask_for(p, "rebound.test");

    pass_time(&p->w, 21 * SECOND);
    assert_non_null(strstr(heard(&p->w, d), "cannot connect to rebound.test port 443"));
    assert_non_null(strstr(seen(&p->w), "flow-closed why=connect-failed\n"));
    p->names.zone = rebound_zone;
    p->names.zone_count = 1;
    d = ask_for(p, "rebound.test");
    assert_non_null(strstr(heard(&p->w, d), "does not relay to loopback addresses\n"));
    assert_non_null(strstr(seen(&p->w), "flow-closed why=refused\n"));
}

/* Dials without a device */

struct call {
    struct flow flow;
    struct dial *dial; /* NULL: it has ended */
    int fd;
    struct refusal refusal;
};

static void called(void *ctx, int fd, const struct refusal *refusal)
{
    struct call *c = ctx;

    c->dial = NULL;
    c->fd = fd;
    if (refusal)
        c->refusal = *refusal;
}

static void call(struct place *p, struct call *c, const char *host, uint16_t port, bool meant)
{
    *c = (struct call){.fd = -1};
    flow_init(&c->flow, p->w.proxy->workers[0]);
    flow_open(&c->flow, 1, STR("192.0.2.200"), str_of(host), port, HOW_CONNECT);
    c->dial = dial_start(p->w.proxy->workers[0], &c->flow,
                         (struct dial_target){.host = str_of(host), .port = port, .meant = meant},
                         called, c);
}

static void hang_up(struct call *c)
{
    dial_cancel(c->dial);
    flow_close(&c->flow, WHY_DEVICE_CLOSED);
    if (c->fd >= 0)
        close(c->fd);
}

static void what_is_meant_is_not_refused(void **state)
{
    struct place *p = *state;
    struct call c;

    call(p, &c, "127.0.0.1", p->w.server_port, false);
    assert_non_null(c.dial);
    settle(&p->w);
    assert_null(c.dial);
    assert_int_equal(c.refusal.status, 403);
    hang_up(&c);

    call(p, &c, "127.0.0.1", p->w.server_port, true);
    settle(&p->w);
    assert_true(c.fd >= 0);
    hang_up(&c);
    call(p, &c, "loopback.test", p->w.server_port, true);
    settle(&p->w);
    assert_true(c.fd >= 0);
    hang_up(&c);
}

static void the_proxy_itself_is_never_meant(void **state)
{
    struct place *p = *state;
    struct call c;

    call(p, &c, "127.0.0.1", proxy_port(p->w.proxy, 0), true);
    settle(&p->w);
    assert_int_equal(c.refusal.status, 403);
    assert_non_null(strstr(c.refusal.says, "does not relay to its own addresses"));
    hang_up(&c);
}

static void a_dial_may_be_cancelled_before_it_begins(void **state)
{
    struct place *p = *state;
    struct call c;

    call(p, &c, "127.0.0.1", p->w.server_port, true);
    hang_up(&c);
    settle(&p->w);
    assert_non_null(c.dial); /* nobody was called */
    assert_false(server_was_called(&p->w));
}

static void a_shortage_is_told_apart(void **state)
{
    struct place *p = *state;
    struct rlimit limit, none;
    int lowest_free;
    struct call c;

    settle(&p->w); /* what was deferred while setting up closes descriptors */
    lowest_free = dup(p->silent);
    close(lowest_free);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){(rlim_t)lowest_free, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    call(p, &c, "127.0.0.1", p->w.server_port, true);
    settle(&p->w);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(c.refusal.status, 503);
    assert_int_equal(c.refusal.why, WHY_TOO_MANY);
    assert_non_null(strstr(c.refusal.says, "the proxy has as many connections and files open"));
    hang_up(&c);
}

static void thousands_of_names_that_hang_do_not_hold_up_others(void **state)
{
    enum { N = 5000 };
    struct place *p = *state;
    struct call *hanging = xalloc(N * sizeof *hanging), c;
    char path[] = "/tmp/flightstrip-hosts-XXXXXX", host[32];
    int fd = mkstemp(path);
    uint64_t before_us;

    assert_true(dprintf(fd, "192.0.2.1 listed.test\n") > 0);
    close(fd);
    resolver_use_hosts(p->w.proxy->workers[0]->resolver, path);
    p->names.mute_beyond = true;
    for (size_t i = 0; i < N; i++) {
        snprintf(host, sizeof host, "hangs%zu.test", i);
        call(p, &hanging[i], host, 443, false);
        if (i % 32 == 0) { /* the name server's socket holds but some hundred questions */
            loop_set_timer(p->w.loop, &p->w.halt, loop_now_us(p->w.loop));
            loop_run(p->w.loop);
        }
    }
    before_us = clock_now_us(&p->w.clock);
    call(p, &c, "listed.test", 443, false);
    settle(&p->w);
    assert_true(c.fd >= 0);
    hang_up(&c);
    call(p, &c, "only-six.test", 443, false);
    settle(&p->w);
    assert_true(c.fd >= 0);
    hang_up(&c);
    assert_true(clock_now_us(&p->w.clock) - before_us < 1000);
    for (size_t i = 0; i < N; i++) {
        assert_non_null(hanging[i].dial);
        hang_up(&hanging[i]);
    }
    free(hanging);
    unlink(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define UNHOOKED(name) cmocka_unit_test_setup_teardown(name, set_up_unhooked, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_next_address_is_tried_when_one_fails),
        TEST(the_next_address_is_tried_while_one_is_silent),
        TEST(families_take_turns_and_v6_comes_first),
        TEST(a_dead_v6_address_costs_a_quarter_second),
        TEST(a_v6_answer_is_enough_to_begin),
        TEST(silence_about_v6_costs_a_twentieth_of_a_second),
        TEST(a_v6_answer_that_comes_soon_goes_first),
        TEST(a_v6_answer_that_comes_late_joins_what_is_tried),
        TEST(a_late_answer_is_waited_for_when_nothing_else_is_left),
        TEST(a_late_answer_is_not_waited_for_for_ever),
        TEST(name_servers_are_not_waited_for_for_ever),
        TEST(garbage_about_one_family_leaves_the_other),
        TEST(when_all_fail_the_last_says_why),
        TEST(silence_is_not_waited_for_for_ever),
        TEST(a_name_that_does_not_exist_is_said),
        TEST(the_error_that_says_more_is_said),
        TEST(a_device_may_leave_while_its_name_is_asked_for),
        UNHOOKED(what_a_name_leads_to_is_judged),
        UNHOOKED(a_name_that_leads_elsewhere_later_is_judged_anew),
        UNHOOKED(what_is_meant_is_not_refused),
        UNHOOKED(the_proxy_itself_is_never_meant),
        UNHOOKED(a_dial_may_be_cancelled_before_it_begins),
        UNHOOKED(a_shortage_is_told_apart),
        TEST(thousands_of_names_that_hang_do_not_hold_up_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
