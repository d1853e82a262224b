/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fold's promise: the same observations give the same strip, in whatever portions they come and
 * whenever somebody looks. Tried on random streams, with rules of every matcher.
 */
#include "explain/snapshot.h"
#include "test/unit/explain/scene.h"
#include "test/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static const char rules[] =
    "moments:\n"
    "  - {id: first, title: F, says: F., when: {flow: {attempts: yes}}}\n"
    "  - {id: alpha, title: '{n} {host}', says: '{count}', fires: each, when: {flow: {service: "
    "alpha, quiet: 5s}}}\n"
    "  - {id: counted, title: C, says: '{count}', fires: count, when: {flow: {plain: yes}}}\n"
    "  - {id: burst, title: B, says: B., fires: each, when: {burst: {service: beta, flows: 3, "
    "within: 4s}}}\n"
    "  - {id: bytes, title: B, says: '{bytes}', fires: each, when: {bytes: {bytes: 5 kB}}}\n"
    "  - {id: ended, title: E, says: '{bytes} {duration}', fires: last, when: {ended: {service: "
    "alpha, quiet: 7s}}}\n"
    "  - {id: away, title: A, says: '{duration}', fires: each, when: {silence: {quiet: 3s, then: "
    "{service: beta}, within: 4s}}}\n"
    "  - {id: idle, title: I, says: '{count}', when: {idle: {flows: 2, quiet: 6s}}}\n"
    "  - {id: follows, title: F, says: '{since:first}', when: {moment: {moment: ended}}}\n"
    "  - {id: end, title: E, says: '{flows} {down} {outcome}', when: {end: {}}}\n"
    "findings:\n"
    "  - {id: failed, title: '{host}', says: '{failure} {count}', each: host, when: {failed: "
    "{flows: 2}}}\n"
    "  - {id: absent, title: A, says: A., fires: each, when: {absent: {service: beta, moment: "
    "alpha, quiet: 9s}}}\n"
    "phases:\n"
    "  - {id: one, title: One, starts: alpha, ends: away}\n"
    "  - {id: two, title: Two, starts: burst}\n"
    "scenarios: [{id: s, title: S, needs: first}]\n"
    "outcomes: [{id: done, title: D, says: 'Done in {total}.'}]\n";

enum { STREAM_LENGTH = 400, TRIALS = 60 };

static const char *const hosts[] = {"a.alpha.test", "b.alpha.test",   "a.beta.test", "b.beta.test",
                                    "c.beta.test",  "elsewhere.test", "192.0.2.9"};

static uint64_t pick(unsigned *seed, uint64_t n)
{
    return (uint64_t)rand_r(seed) % n;
}

/* Anything may come, also what no source would send: bytes of flows that are closed, or that
 * shrink. */
static struct obs random_obs(unsigned *seed, uint64_t *at_us)
{
    static const enum obs_kind kinds[] = {
        OBS_FLOW_OPENED,    OBS_FLOW_OPENED, OBS_FLOW_OPENED, OBS_FLOW_PROGRESS,
        OBS_FLOW_PROGRESS,  OBS_FLOW_CLOSED, OBS_FLOW_CLOSED, OBS_CONNECTED,
        OBS_CONNECT_FAILED, OBS_TLS_HELLO,   OBS_TLS_ANSWER,  OBS_HTTP_REQUEST,
        OBS_HTTP_RESPONSE,  OBS_NAME_FAILED, OBS_TLS_ALERT,   OBS_SCREEN_TEXT,
        OBS_NOTE,           OBS_DEVICE_SEEN, OBS_GAP,         OBS_SOURCE_STARTED,
    };
    const char *host = hosts[pick(seed, sizeof hosts / sizeof *hosts)];

    *at_us += pick(seed, 4) ? pick(seed, 300000) : pick(seed, 12000000);
    return (struct obs){
        .at_us = *at_us,
        .device = (uint32_t)pick(seed, 3),
        .flow = pick(seed, 40),
        .kind = kinds[pick(seed, sizeof kinds / sizeof *kinds)],
        .source = (enum obs_source)(1 + pick(seed, SOURCE_COUNT - 1)),
        .how = (enum flow_how)pick(seed, HOW_COUNT),
        .why = (enum flow_why)pick(seed, WHY_COUNT),
        .by = (enum obs_by)pick(seed, BY_COUNT),
        .host = str_of(host),
        .sni = str_of(host),
        .client = STR("10.0.0.1"),
        .url = STR("http://a.alpha.test/x"),
        .text = STR("words"),
        .status = 200 + 100 * pick(seed, 4) + 7 * pick(seed, 2),
        .bytes_up = pick(seed, 2000),
        .bytes_down = pick(seed, 20000),
        .length = pick(seed, 2) * 500,
        .ms = pick(seed, 5000),
    };
}

static void put_moment(struct buf *out, const struct strip_moment *m)
{
    buf_printf(out, STR_FMT " %llu '" STR_FMT "' '" STR_FMT "' %d %llu:", STR_ARG(m->id),
               (unsigned long long)m->at_us, STR_ARG(m->title), STR_ARG(m->says), m->confidence,
               (unsigned long long)m->evidence.count);
    for (unsigned i = 0; i < m->evidence.n; i++)
        buf_printf(out, " %llu", (unsigned long long)m->evidence.seqs[i]);
    buf_put_byte(out, '\n');
}

static void put_strip(struct buf *out, const struct strip *s)
{
    buf_printf(out, STR_FMT " " STR_FMT " '" STR_FMT "' %llu %llu %llu %llu\n", STR_ARG(s->id),
               STR_ARG(s->outcome), STR_ARG(s->outcome_why), (unsigned long long)s->start_us,
               (unsigned long long)s->end_us, (unsigned long long)s->unattributed_us,
               (unsigned long long)s->bytes_down);
    for (size_t i = 0; i < s->moment_count; i++)
        put_moment(out, &s->moments[i]);
    for (size_t i = 0; i < s->finding_count; i++)
        buf_printf(out, "! '" STR_FMT "' '" STR_FMT "' %llu\n", STR_ARG(s->findings[i].title),
                   STR_ARG(s->findings[i].says), (unsigned long long)s->findings[i].at_us);
    for (size_t i = 0; i < s->phase_count; i++)
        buf_printf(out, "= " STR_FMT " %llu %llu\n", STR_ARG(s->phases[i].id),
                   (unsigned long long)s->phases[i].start_us,
                   (unsigned long long)s->phases[i].end_us);
    for (size_t i = 0; i < s->service_count; i++)
        buf_printf(out, "+ " STR_FMT " %llu %llu %llu %llu\n", STR_ARG(s->services[i].id),
                   (unsigned long long)s->services[i].flows,
                   (unsigned long long)s->services[i].failed,
                   (unsigned long long)s->services[i].bytes_down,
                   (unsigned long long)s->services[i].active_us);
}

/* Explains a stream; `look` also lets time pass and takes strips in between, at random. */
static char *explained(const struct knowledge *k, unsigned stream_seed, bool look,
                       unsigned look_seed)
{
    struct explainer *ex = explainer_create(k);
    struct arena *arena = arena_create();
    uint64_t at_us = 0;
    struct buf out;

    for (uint64_t seq = 1; seq <= STREAM_LENGTH; seq++) {
        struct obs o = random_obs(&stream_seed, &at_us);

        o.seq = seq;
        if (look && !pick(&look_seed, 3)) {
            explainer_advance(ex, at_us - pick(&look_seed, 1000));
            for (size_t i = 0; i < explainer_device_count(ex); i++)
                explainer_strip(ex, i, arena);
        }
        explainer_put(ex, &o);
    }
    explainer_finish(ex);

    buf_init(&out, 16 << 20);
    for (size_t i = 0; i < explainer_device_count(ex); i++)
        put_strip(&out, explainer_strip(ex, i, arena));

    char *text = str_dup(buf_str(&out));
    buf_finish(&out);
    arena_destroy(arena);
    explainer_destroy(ex);
    return text;
}

static void looking_in_between_changes_nothing(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, rules);
    for (unsigned seed = 1; seed <= TRIALS; seed++) {
        char *once = explained(s.knowledge, seed, false, 0);
        char *looked = explained(s.knowledge, seed, true, seed * 7);

        assert_string_equal(once, looked);
        free(once);
        free(looked);
    }
    scene_end(&s);
}

static void phases_and_the_unattributed_sum_to_the_whole(void **state)
{
    struct scene s;

    (void)state;
    scene_begin(&s, rules);
    for (unsigned seed = 1; seed <= TRIALS; seed++) {
        struct explainer *ex = explainer_create(s.knowledge);
        unsigned stream_seed = seed;
        uint64_t at_us = 0;

        for (uint64_t seq = 1; seq <= STREAM_LENGTH; seq++) {
            struct obs o = random_obs(&stream_seed, &at_us);
            o.seq = seq;
            explainer_put(ex, &o);
        }
        explainer_finish(ex);
        for (size_t i = 0; i < explainer_device_count(ex); i++) {
            const struct strip *strip = explainer_strip(ex, i, s.arena);
            uint64_t sum_us = strip->unattributed_us, last_us = strip->start_us;

            for (size_t k = 0; k < strip->phase_count; k++) {
                assert_true(strip->phases[k].start_us >= last_us);
                assert_true(strip->phases[k].end_us > strip->phases[k].start_us ||
                            k + 1 == strip->phase_count);
                last_us = strip->phases[k].end_us;
                sum_us += strip->phases[k].end_us - strip->phases[k].start_us;
            }
            assert_int_equal(sum_us, strip->end_us - strip->start_us);
        }
        explainer_destroy(ex);
    }
    scene_end(&s);
}

static void put_at(struct explainer *ex, double seconds, struct obs o)
{
    o.at_us = (uint64_t)(seconds * 1e6);
    o.device = 1;
    explainer_put(ex, &o);
}

/* A damaged recording may lead back in time. */
static void a_time_before_the_last_counts_as_the_last(void **state)
{
    struct scene s;
    const struct strip *strip;

    (void)state;
    scene_begin(&s, rules);
    put_at(s.explainer, 100,
           (struct obs){.kind = OBS_FLOW_OPENED, .flow = 1, .host = STR("a.alpha.test")});
    put_at(s.explainer, 1,
           (struct obs){.kind = OBS_FLOW_OPENED, .flow = 2, .host = STR("a.beta.test")});
    put_at(s.explainer, 1,
           (struct obs){.kind = OBS_FLOW_PROGRESS, .flow = 2, .bytes_up = 900, .bytes_down = 900});
    explainer_finish(s.explainer);
    strip = explainer_strip(s.explainer, 0, s.arena);
    assert_null(strip_moment(strip, "away", 0));
    for (size_t i = 0; i < strip->service_count; i++)
        assert_int_equal(strip->services[i].active_us, 0);
    scene_end(&s);
}

/* Ten hours of the same take no more memory than the first minute. */
static void what_comes_again_takes_no_more_memory(void **state)
{
    static const char again[] =
        "moments:\n"
        "  - {id: latest, title: '{host}', says: S., fires: last, when: {flow: {attempts: yes}}}\n";
    struct scene s;
    size_t early = 0;

    (void)state;
    scene_begin(&s, again);
    for (unsigned i = 1; i <= 1000; i++) {
        put_at(s.explainer, i,
               (struct obs){.kind = OBS_DEVICE_SEEN, .client = STR("10.0.0.5"), .name = STR("pc")});
        put_at(s.explainer, i,
               (struct obs){.kind = OBS_FLOW_OPENED,
                            .flow = i,
                            .host = str_of(hosts[i % (sizeof hosts / sizeof *hosts)])});
        put_at(s.explainer, i, (struct obs){.kind = OBS_FLOW_CLOSED, .flow = i});
        if (i == 10)
            early = arena_bytes(s.explainer->devices[0]->arena);
    }
    assert_int_equal(arena_bytes(s.explainer->devices[0]->arena), early);
    scene_end(&s);
}

/* What was idle long ago makes room for what is idle now. */
static void idle_tunnels_of_a_long_log_are_still_found(void **state)
{
    enum { ALONE = 70 };
    struct scene s;

    (void)state;
    scene_begin(&s, rules);
    for (unsigned i = 1; i <= ALONE + 2; i++) {
        double opened = i <= ALONE ? i * 20 : (ALONE + 1) * 20;
        const enum obs_kind kinds[] = {OBS_FLOW_OPENED, OBS_CONNECTED};

        for (unsigned k = 0; k < 2; k++)
            put_at(s.explainer, opened,
                   (struct obs){.kind = kinds[k],
                                .source = SOURCE_IMPORT,
                                .how = HOW_CONNECT,
                                .flow = i,
                                .host = STR("elsewhere.test")});
        if (i != ALONE + 1)
            put_at(s.explainer, opened + 10,
                   (struct obs){.kind = OBS_FLOW_CLOSED, .source = SOURCE_IMPORT, .flow = i});
    }
    put_at(s.explainer, (ALONE + 1) * 20 + 11,
           (struct obs){.kind = OBS_FLOW_CLOSED, .source = SOURCE_IMPORT, .flow = ALONE + 1});
    explainer_finish(s.explainer);
    assert_non_null(strip_moment(explainer_strip(s.explainer, 0, s.arena), "idle", 0));
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looking_in_between_changes_nothing),
        cmocka_unit_test(phases_and_the_unattributed_sum_to_the_whole),
        cmocka_unit_test(a_time_before_the_last_counts_as_the_last),
        cmocka_unit_test(what_comes_again_takes_no_more_memory),
        cmocka_unit_test(idle_tunnels_of_a_long_log_are_still_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
