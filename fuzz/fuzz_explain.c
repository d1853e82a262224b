/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any sequence of observations is explained, and gives strips whose phases and unattributed time
 * sum to the whole. The input is a row of records:
 *
 *     kind, source, device (0 to 3), flow, tens of milliseconds since the last, length; then fields
 */
#include "base/reader.h"
#include "explain/explainer.h"
#include "obs/codec.h"

#include <assert.h>
#include <stdlib.h>

static const char knowledge_text[] =
    "services: {alpha: {title: A}, beta: {title: B}}\n"
    "endpoints:\n"
    "  - {host: '*.a', service: alpha, role: A., phases: net, required: yes}\n"
    "  - {host: '*.b', service: beta, role: B., phases: net, required: no}\n"
    "moments:\n"
    "  - {id: m1, title: '{host}', says: '{count}', fires: each, when: {flow: {service: alpha, "
    "quiet: 1s}}}\n"
    "  - {id: m2, title: B, says: B., fires: each, when: {burst: {service: beta, flows: 2, within: "
    "2s}}}\n"
    "  - {id: m3, title: B, says: '{bytes}', when: {bytes: {bytes: 100}}}\n"
    "  - {id: m4, title: E, says: '{duration}', fires: last, when: {ended: {quiet: 1s}}}\n"
    "  - {id: m5, title: S, says: '{duration}', fires: each, when: {silence: {quiet: 1s, then: "
    "{service: beta}, within: 2s}}}\n"
    "  - {id: m6, title: I, says: I., when: {idle: {flows: 2, quiet: 1s}}}\n"
    "  - {id: m7, title: '{x}', says: X., each: x, when: {flow: {plain: yes, url: '/(?<x>.+)'}}}\n"
    "  - {id: m8, title: '{x}', says: X., fires: last, when: {screen: {text: '(?<x>.+)'}}}\n"
    "findings:\n"
    "  - {id: f1, title: '{host}', says: '{failure} {over}', each: host, when: {failed: {}}}\n"
    "  - {id: f2, title: A, says: A., fires: count, when: {absent: {moment: m1, quiet: 1s}}}\n"
    "phases:\n"
    "  - {id: p1, title: P, starts: m1, ends: m5}\n"
    "  - {id: p2, title: P, starts: m2}\n"
    "scenarios: [{id: s, title: S}]\n"
    "outcomes: [{id: o, title: O, says: 'In {total}.'}]\n";

static struct knowledge *shared_knowledge(void)
{
    static struct knowledge *k;
    struct buf problems;

    if (k)
        return k;
    buf_init(&problems, 1 << 16);
    k = knowledge_create();
    knowledge_add(k, STR("fuzz.yaml"), str_of(knowledge_text), &problems);
    knowledge_build(k, &problems);
    assert(!problems.n);
    buf_finish(&problems);
    return k;
}

static bool take_obs(struct reader *r, struct obs *o)
{
    static uint64_t seq;
    uint64_t at_us = o->at_us;

    *o = (struct obs){.seq = ++seq, .kind = (enum obs_kind)(reader_u8(r) % OBS_KINDS)};
    o->source = (enum obs_source)(reader_u8(r) % SOURCE_COUNT);
    o->device = reader_u8(r) % 4;
    o->flow = reader_u8(r);
    o->at_us = at_us + reader_u8(r) * 10000ull;
    obs_decode_fields(reader_take(r, reader_u8(r)), o);
    return !r->bad;
}

static void check(const struct strip *strip)
{
    uint64_t sum_us = strip->unattributed_us;

    for (size_t i = 0; i < strip->phase_count; i++)
        sum_us += strip->phases[i].end_us - strip->phases[i].start_us;
    assert(sum_us == strip->end_us - strip->start_us);
    for (size_t i = 1; i < strip->moment_count; i++)
        assert(strip->moments[i - 1].at_us <= strip->moments[i].at_us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct explainer *ex = explainer_create(shared_knowledge());
    struct arena *arena = arena_create();
    struct reader r = reader_of(str_from(data, size));
    struct obs o = {0};

    while (r.rest.n && take_obs(&r, &o))
        explainer_put(ex, &o);
    explainer_finish(ex);
    for (size_t i = 0; i < explainer_device_count(ex); i++)
        check(explainer_strip(ex, i, arena));
    arena_destroy(arena);
    explainer_destroy(ex);
    return 0;
}
