/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scenarios played through the real proxy, under a held clock. */
#include "rehearse/rehearsal.h"

#include "base/xalloc.h"
#include "test/unit/rehearse/stage.h"

#include "test/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#define SECOND 1000000ull
#define HEAD "id: t\ntitle: T\nsays: S\ninvented: all\nends: 02:00\n"
#define STEP "  - {says: s, source: invented, at: "

/* What was observed, with its text made ours. */
struct seen {
    struct obs *all;
    size_t n;
    struct arena *arena;
};

static void put(void *ctx, const struct obs *o)
{
    struct seen *seen = ctx;
    struct obs copy = *o;

    for (int f = 0; f < FIELDS; f++)
        if (obs_fields[f].type == FIELD_STR)
            obs_set_str(&copy, f, arena_str(seen->arena, obs_str(o, f)));
    seen->all = xreallocarray(seen->all, seen->n + 1, sizeof *seen->all);
    seen->all[seen->n++] = copy;
}

struct played {
    struct scenario *scenario;
    struct stage stage;
    struct seen seen;
};

static void play(struct played *p, const char *text)
{
    *p = (struct played){.scenario = stage_scenario(text), .seen.arena = arena_create()};
    stage_play(&p->stage, p->scenario, put, &p->seen);
}

static void close_play(struct played *p)
{
    stage_close(&p->stage);
    scenario_destroy(p->scenario);
    free(p->seen.all);
    arena_destroy(p->seen.arena);
}

/* The n-th observation of the kind, from 0, or NULL. */
static const struct obs *nth(const struct played *p, enum obs_kind kind, size_t n)
{
    for (size_t i = 0; i < p->seen.n; i++)
        if (p->seen.all[i].kind == kind && n-- == 0)
            return &p->seen.all[i];
    return NULL;
}

static size_t count(const struct played *p, enum obs_kind kind)
{
    size_t n = 0;

    while (nth(p, kind, n))
        n++;
    return n;
}

static struct str host_of(const struct played *p, uint64_t flow)
{
    for (size_t i = 0; i < p->seen.n; i++)
        if (p->seen.all[i].kind == OBS_FLOW_OPENED && p->seen.all[i].flow == flow)
            return p->seen.all[i].host;
    return (struct str){0};
}

/* What the proxy says of all the flows to a host. */
static struct internet_seen observed(const struct played *p, struct str host)
{
    struct internet_seen sum = {0};

    for (size_t i = 0; i < p->seen.n; i++) {
        const struct obs *o = &p->seen.all[i];

        if (o->kind != OBS_FLOW_CLOSED || !str_eq(host_of(p, o->flow), host))
            continue;
        sum.connections++;
        sum.bytes_in += o->bytes_up;
        sum.bytes_out += o->bytes_down;
    }
    return sum;
}

static void the_proxy_saw_what_the_servers_saw(void **state)
{
    static const char *const tunnels[] = {"a.example", "b.example"};
    struct internet_seen ours, theirs;
    struct played p;

    (void)state;
    play(&p, HEAD
         "steps:\n" STEP "1, flows: [{host: a.example, up: 300 kB, down: 5 MB, count: 3}]}\n" STEP
         "2, flows: [{host: b.example, up: 70 kB, down: 90 kB, over: 7s, keep: 9s}]}\n" STEP
         "3, flows: [{url: 'http://c.example/x.crl', down: 70 kB, count: 2}]}\n");
    for (size_t i = 0; i < sizeof tunnels / sizeof *tunnels; i++) {
        ours = observed(&p, str_of(tunnels[i]));
        theirs = internet_seen(rehearsal_internet(p.stage.rehearsal), str_of(tunnels[i]));
        assert_int_equal(ours.connections, theirs.connections);
        assert_int_equal(ours.bytes_in, theirs.bytes_in);
        assert_int_equal(ours.bytes_out, theirs.bytes_out);
    }
    assert_true(observed(&p, STR("a.example")).bytes_out > 15000000);
    assert_true(observed(&p, STR("a.example")).bytes_in > 900000);

    /* A plain request's head is not the same on both sides of the proxy; the answer is. */
    ours = observed(&p, STR("c.example"));
    theirs = internet_seen(rehearsal_internet(p.stage.rehearsal), STR("c.example"));
    assert_int_equal(ours.bytes_out, theirs.bytes_out);
    assert_int_equal(theirs.requests, 2);
    assert_int_equal(count(&p, OBS_FLOW_OPENED), 6);
    close_play(&p);
}

static void flows_come_and_go_at_the_scenarios_times(void **state)
{
    struct played p;

    (void)state;
    play(&p, HEAD "steps:\n" STEP
                  "10, flows: [{host: a.example, over: 20s, keep: 15s, after: 500ms}]}\n" STEP
                  "40, flows: [{url: 'http://c.example/', agent: Me, every: 20s, "
                  "until: 01:20}]}\n");
    assert_int_equal(nth(&p, OBS_FLOW_OPENED, 0)->at_us, 10 * SECOND + 500000);
    assert_int_equal(nth(&p, OBS_TLS_HELLO, 0)->at_us, 10 * SECOND + 500000);
    assert_true(str_eq(nth(&p, OBS_TLS_HELLO, 0)->sni, STR("a.example")));
    assert_true(str_eq(nth(&p, OBS_DEVICE_SEEN, 0)->client, STR("127.0.0.2")));
    /* The first request is the tunnel's CONNECT. */
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(nth(&p, OBS_HTTP_REQUEST, i + 1)->at_us, (40 + 20 * i) * SECOND);
        assert_true(str_eq(nth(&p, OBS_HTTP_REQUEST, i + 1)->user_agent, STR("Me")));
    }
    assert_null(nth(&p, OBS_HTTP_REQUEST, 4));
    /* 20 s of bytes and 15 s of nothing: after 10.5 s, so at 45.5 s. The request at 40 s was over.
     */
    assert_int_equal(nth(&p, OBS_FLOW_CLOSED, 1)->at_us, 45 * SECOND + 500000);
    assert_int_equal(nth(&p, OBS_FLOW_CLOSED, 1)->why, WHY_DEVICE_CLOSED);
    assert_int_equal(p.seen.all[p.seen.n - 1].at_us, 80 * SECOND);
    close_play(&p);
}

static void a_device_that_goes_off_breaks_its_flows(void **state)
{
    struct played p;

    (void)state;
    play(&p, HEAD "steps:\n" STEP "10, flows: [{host: [a.example, b.example], keep: open}]}\n" STEP
                  "12, flows: [{host: c.example, over: 60s}]}\n" STEP "30, off: 20s}\n" STEP
                  "55, flows: [{host: d.example, keep: open}]}\n");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(nth(&p, OBS_FLOW_CLOSED, i)->at_us, 30 * SECOND);
        assert_int_equal(nth(&p, OBS_FLOW_CLOSED, i)->why, WHY_DEVICE_RESET);
    }
    /* What is still open in the end is closed by the recorder's stop. */
    assert_int_equal(nth(&p, OBS_FLOW_CLOSED, 3)->at_us, 120 * SECOND);
    assert_int_equal(nth(&p, OBS_FLOW_CLOSED, 3)->why, WHY_SHUTDOWN);
    assert_null(nth(&p, OBS_FLOW_CLOSED, 4));
    close_play(&p);
}

static void every_fault_shows_in_its_way(void **state)
{
    static const struct {
        const char *kind;
        bool tls;
        enum obs_kind shows;
        enum flow_why why;
        uint64_t closed_s;
    } cases[] = {
        {"blocked", true, OBS_HTTP_RESPONSE, WHY_BLOCKED, 10},
        {"blocked", false, OBS_HTTP_RESPONSE, WHY_BLOCKED, 10},
        {"proxy-authentication", true, OBS_HTTP_RESPONSE, WHY_AUTHENTICATION, 10},
        {"name-fails", true, OBS_NAME_FAILED, WHY_NAME_FAILED, 10},
        {"name-fails", false, OBS_NAME_FAILED, WHY_NAME_FAILED, 10},
        {"refused", true, OBS_CONNECT_FAILED, WHY_CONNECT_FAILED, 10},
        {"reset-after-hello", true, OBS_TLS_HELLO, WHY_SERVER_RESET, 10},
        {"inspected", true, OBS_TLS_ALERT, WHY_DEVICE_CLOSED, 10},
        {"silent", true, OBS_TLS_HELLO, WHY_DEVICE_CLOSED, 40},
        {"http-status", false, OBS_HTTP_RESPONSE, WHY_FINISHED, 10},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct obs *closed;
        struct played p;
        char text[600];

        snprintf(text, sizeof text,
                 HEAD "faults: [{host: '*.example', kind: %s}]\nsteps:\n" STEP
                      "10, flows: [{%s}, {host: b.other}]}\n",
                 cases[i].kind, cases[i].tls ? "host: a.example" : "url: 'http://a.example/'");
        play(&p, text);
        closed = nth(&p, OBS_FLOW_CLOSED, 0);
        if (str_eq(host_of(&p, closed->flow), STR("b.other")))
            closed = nth(&p, OBS_FLOW_CLOSED, 1);
        if (closed->why != cases[i].why || closed->at_us != cases[i].closed_s * SECOND)
            fail_msg("%s: %s at %llu us", cases[i].kind, obs_whys[closed->why].name,
                     (unsigned long long)closed->at_us);
        assert_non_null(nth(&p, cases[i].shows, 0));
        assert_int_equal(nth(&p, cases[i].shows, 0)->flow, closed->flow);
        /* The other host is untouched. */
        assert_true(observed(&p, STR("b.other")).bytes_out > 4500);
        close_play(&p);
    }
}

static void an_inspection_is_refused_with_unknown_ca(void **state)
{
    const struct obs *alert;
    struct played p;

    (void)state;
    play(&p, HEAD "faults: [{host: a.example, kind: inspected}]\nsteps:\n" STEP
                  "10, flows: [{host: a.example}]}\n");
    alert = nth(&p, OBS_TLS_ALERT, 0);
    assert_int_equal(alert->alert, 48); /* unknown_ca: RFC 8446, section 6 */
    assert_int_equal(alert->by, BY_DEVICE);
    close_play(&p);
}

static void what_is_refused_has_its_status(void **state)
{
    static const struct {
        const char *fault;
        unsigned status;
        enum obs_by by;
    } cases[] = {
        {"kind: blocked", 403, BY_PROXY},
        {"kind: blocked, status: 502", 502, BY_PROXY},
        {"kind: proxy-authentication", 407, BY_PROXY},
        {"kind: http-status, status: 418", 418, BY_SERVER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct obs *response;
        struct played p;
        char text[400];

        snprintf(text, sizeof text,
                 HEAD "faults: [{host: '*', %s}]\nsteps:\n" STEP
                      "1, flows: [{url: 'http://a.example/'}]}\n",
                 cases[i].fault);
        play(&p, text);
        response = nth(&p, OBS_HTTP_RESPONSE, 0);
        assert_int_equal(response->status, cases[i].status);
        assert_int_equal(response->by, cases[i].by);
        close_play(&p);
    }
}

static void a_needed_flow_that_fails_leaves_the_device_stuck(void **state)
{
    struct played p;

    (void)state;
    play(&p, HEAD "faults: [{host: a.example, kind: blocked}]\nsteps:\n" STEP
                  "10, flows: [{host: a.example, needed: true, tries: 4, again: 5s}]}\n" STEP
                  "11, flows: [{host: b.example}]}\n");
    assert_true(rehearsal_stuck(p.stage.rehearsal));
    assert_int_equal(count(&p, OBS_FLOW_OPENED), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(nth(&p, OBS_FLOW_OPENED, i)->at_us, (10 + 5 * i) * SECOND);
    close_play(&p);
}

static void a_needed_flow_that_works_holds_nothing_up(void **state)
{
    struct played p;

    (void)state;
    play(&p, HEAD "steps:\n" STEP "10, flows: [{host: a.example, needed: true}]}\n" STEP
                  "11, flows: [{host: b.example}]}\n");
    assert_false(rehearsal_stuck(p.stage.rehearsal));
    assert_int_equal(nth(&p, OBS_FLOW_OPENED, 1)->at_us, 11 * SECOND);
    close_play(&p);
}

static void a_device_goes_off_as_soon_as_what_it_waits_for_is_done(void **state)
{
    struct played p;

    (void)state;
    play(&p, HEAD "steps:\n" STEP "10, flows: [{host: a.example, needed: true, over: 20s}]}\n" STEP
                  "15, off: 5s}\n" STEP "40, flows: [{host: b.example}]}\n");
    assert_int_equal(nth(&p, OBS_FLOW_CLOSED, 0)->at_us, 30 * SECOND);
    assert_int_equal(nth(&p, OBS_FLOW_OPENED, 1)->at_us, 40 * SECOND);
    assert_int_equal(p.seen.all[p.seen.n - 1].at_us, 40 * SECOND);
    close_play(&p);
}

static void a_device_is_called_what_the_scenario_calls_it(void **state)
{
    struct played p;

    (void)state;
    play(&p,
         HEAD "device: {name: lab-7, tls: 1.2}\nsteps:\n" STEP "10, flows: [{host: a.example}]}\n");
    assert_true(str_eq(nth(&p, OBS_DEVICE_SEEN, 0)->name, STR("lab-7")));
    assert_true(str_eq(nth(&p, OBS_TLS_HELLO, 0)->tls_versions, STR("1.2")));
    close_play(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_proxy_saw_what_the_servers_saw),
        cmocka_unit_test(flows_come_and_go_at_the_scenarios_times),
        cmocka_unit_test(a_device_that_goes_off_breaks_its_flows),
        cmocka_unit_test(every_fault_shows_in_its_way),
        cmocka_unit_test(an_inspection_is_refused_with_unknown_ca),
        cmocka_unit_test(what_is_refused_has_its_status),
        cmocka_unit_test(a_needed_flow_that_fails_leaves_the_device_stuck),
        cmocka_unit_test(a_needed_flow_that_works_holds_nothing_up),
        cmocka_unit_test(a_device_goes_off_as_soon_as_what_it_waits_for_is_done),
        cmocka_unit_test(a_device_is_called_what_the_scenario_calls_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
