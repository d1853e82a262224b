/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a name to a connection: several addresses, some dead, some slow, some forbidden. */
#include "sources/proxy/address.h"
#include "test/unit/loop/name_server.h"
#include "test/unit/sources/proxy_world.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* 192.0.2.1 leads to the server, .2 to a port where nobody listens, .3 to one that never answers.
 */
#define ALIVE "\xc0\x00\x02\x01"
#define CLOSED "\xc0\x00\x02\x02"
#define SILENT "\xc0\x00\x02\x03"
#define ALIVE_SIX "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"

static const struct name_record zone[] = {
    {"closed-alive.test", TYPE_A, NO_ERROR, CLOSED},
    {"closed-alive.test", TYPE_A, NO_ERROR, ALIVE},
    {"silent-alive.test", TYPE_A, NO_ERROR, SILENT},
    {"silent-alive.test", TYPE_A, NO_ERROR, ALIVE},
    {"silent-six.test", TYPE_A, NO_ERROR, SILENT},
    {"silent-six.test", TYPE_A, NO_ERROR, SILENT},
    {"silent-six.test", TYPE_AAAA, NO_ERROR, ALIVE_SIX},
    {"closed.test", TYPE_A, NO_ERROR, CLOSED},
    {"silent.test", TYPE_A, NO_ERROR, SILENT},
    {"mute.test", TYPE_A, MUTE, NULL},
    {"mute.test", TYPE_AAAA, MUTE, NULL},
    {"nowhere.test", TYPE_A, NXDOMAIN, NULL},
    {"nowhere.test", TYPE_AAAA, NXDOMAIN, NULL},
    {"rebound.test", TYPE_A, NO_ERROR, "\x7f\0\0\1"},
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
    options.listen = "127.0.0.1:0";
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

static void families_take_turns(void **state)
{
    struct place *p = *state;
    int d = ask_for(p, "silent-six.test");

    pass_time(&p->w, SECOND * 3 / 10); /* long before the second of three would have had its turn */
    assert_non_null(strstr(heard(&p->w, d), " 200 "));
    assert_int_equal(p->dials, 3);
}

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

static void what_a_name_leads_to_is_judged(void **state)
{
    struct place *p = *state;
    int d = ask_for(p, "rebound.test");

    assert_non_null(strstr(heard(&p->w, d), "does not relay to loopback addresses\n"));
    const char *all = seen(&p->w);
    assert_non_null(strstr(all, "name-resolved addresses=127.0.0.1\n"));
    assert_non_null(strstr(all, "flow-closed why=refused\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_next_address_is_tried_when_one_fails),
        TEST(the_next_address_is_tried_while_one_is_silent),
        TEST(families_take_turns),
        TEST(when_all_fail_the_last_says_why),
        TEST(silence_is_not_waited_for_for_ever),
        TEST(a_name_that_does_not_exist_is_said),
        TEST(a_device_may_leave_while_its_name_is_asked_for),
        cmocka_unit_test_setup_teardown(what_a_name_leads_to_is_judged, set_up_unhooked, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
