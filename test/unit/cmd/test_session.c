/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The session's knowledge is loaded anew while it records. */
#include "cmd/session.h"

#include "test/unit/unit.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rig {
    char folder[64], path[96], rules[96];
    const char *folders[1];
    struct texts knowledge;
    struct session *session;
};

static int forget(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

static void write_rules(const struct rig *r, const char *text)
{
    FILE *file = fopen(r->rules, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void begin(struct rig *r, bool records)
{
    struct err err = {{0}};

    *r = (struct rig){.folder = "/tmp/flightstrip-session-XXXXXX"};
    assert_non_null(mkdtemp(r->folder));
    setenv("XDG_CONFIG_HOME", r->folder, 1);
    snprintf(r->path, sizeof r->path, "%s/one.flight", r->folder);
    snprintf(r->rules, sizeof r->rules, "%s/mine.yaml", r->folder);
    r->folders[0] = r->folder;
    r->knowledge = (struct texts){.n = 1, .at = r->folders};
    if (session_open(&(struct session_options){.path = records ? r->path : NULL,
                                               .knowledge = &r->knowledge,
                                               .held = true},
                     &r->session, &err))
        fail_msg("%s", err.text);
}

static void end(struct rig *r)
{
    assert_int_equal(session_end(r->session), 0);
    session_close(r->session);
    nftw(r->folder, forget, 8, FTW_DEPTH | FTW_PHYS);
}

static void visit(struct session *s, struct str host)
{
    uint64_t flow = stream_next_flow(&s->stream);
    const struct obs seen[] = {
        {.kind = OBS_FLOW_OPENED, .client = STR("10.0.0.5:1"), .host = host, .how = HOW_CONNECT},
        {.kind = OBS_FLOW_CLOSED, .bytes_up = 900, .bytes_down = 9000, .why = WHY_DEVICE_CLOSED},
    };

    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) {
        struct obs o = seen[i];

        o.flow = flow;
        o.device = devices_get(&s->devices, STR("10.0.0.5"));
        o.source = SOURCE_PROXY;
        stream_put(&s->stream, &o);
    }
}

static unsigned shops(const struct session *s)
{
    struct arena *arena = arena_create();
    const struct strip *strip = explainer_strip(s->explainer, 0, arena);
    unsigned n = 0;

    for (size_t i = 0; i < strip->moment_count; i++)
        n += str_eq(strip->moments[i].id, STR("shop"));
    arena_destroy(arena);
    return n;
}

#define SHOP                                                                                       \
    "moments:\n  - {id: shop, title: Shop, says: Shop., fires: each, when: {flow: {host: "         \
    "shop.test}}}\n"

static void stop(void *ctx)
{
    loop_stop(ctx);
}

/* The loop goes on until the new knowledge has caught up. */
static int reload(struct session *s, struct err *err)
{
    struct loop_timer halt = {.fire = stop, .ctx = s->loop};
    int r = session_reload_knowledge(s, err);

    while (s->catch_up) {
        loop_set_timer(s->loop, &halt, loop_now_us(s->loop));
        loop_run(s->loop);
    }
    return r;
}

static void a_new_rule_explains_what_was_seen_before_it(void **state)
{
    struct rig r;
    struct err err = {{0}};

    (void)state;
    begin(&r, true);
    visit(r.session, STR("shop.test"));
    assert_int_equal(shops(r.session), 0);
    write_rules(&r, SHOP);
    if (reload(r.session, &err))
        fail_msg("%s", err.text);
    assert_int_equal(shops(r.session), 1);
    r.session->clock.held_us += 1000000;
    visit(r.session, STR("shop.test"));
    assert_int_equal(shops(r.session), 2);
    end(&r);
}

static void knowledge_with_a_mistake_changes_nothing(void **state)
{
    struct rig r;
    struct err err = {{0}};

    (void)state;
    begin(&r, true);
    visit(r.session, STR("shop.test"));
    write_rules(&r, SHOP);
    assert_int_equal(reload(r.session, &err), 0);
    write_rules(&r, "moments:\n  - {id: shop, titel: Shop}\n");
    assert_int_equal(reload(r.session, &err), -EINVAL);
    assert_int_equal(shops(r.session), 1);
    end(&r);
}

static void without_a_recording_nothing_is_told_anew(void **state)
{
    struct rig r;
    struct err err = {{0}};

    (void)state;
    begin(&r, false);
    visit(r.session, STR("shop.test"));
    write_rules(&r, SHOP);
    assert_int_equal(reload(r.session, &err), -ENOENT);
    assert_int_equal(shops(r.session), 0);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_rule_explains_what_was_seen_before_it),
        cmocka_unit_test(knowledge_with_a_mistake_changes_nothing),
        cmocka_unit_test(without_a_recording_nothing_is_told_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
