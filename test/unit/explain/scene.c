/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test/unit/explain/scene.h"

#include "test/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static const char endpoints[] = "sources: {test: made for tests}\n"
                                "services:\n"
                                "  alpha: {title: Alpha, says: The first.}\n"
                                "  beta: {title: Beta, says: The second.}\n"
                                "endpoints:\n"
                                "  - {host: '*.alpha.test', service: alpha, role: Does alpha "
                                "things., phases: net, required: yes, source: test}\n"
                                "  - {host: '*.beta.test', service: beta, role: Does beta things., "
                                "phases: net, required: no, source: test}\n";

void scene_begin(struct scene *s, const char *rules)
{
    struct buf problems;

    *s = (struct scene){.knowledge = knowledge_create(), .arena = arena_create()};
    buf_init(&problems, 1 << 20);
    knowledge_add(s->knowledge, STR("endpoints.yaml"), str_of(endpoints), &problems);
    knowledge_add(s->knowledge, STR("rules.yaml"), str_of(rules), &problems);
    knowledge_build(s->knowledge, &problems);
    if (problems.n)
        fail_msg(STR_FMT, STR_ARG(buf_str(&problems)));
    buf_finish(&problems);
    s->explainer = explainer_create(s->knowledge);
    stream_init(&s->stream, NULL);
    stream_add_sink(&s->stream, explainer_put, s->explainer);
}

void scene_end(struct scene *s)
{
    explainer_destroy(s->explainer);
    knowledge_destroy(s->knowledge);
    arena_destroy(s->arena);
}

char *scene_problems(const char *rules)
{
    struct knowledge *k = knowledge_create();
    struct buf problems;
    char *text;

    buf_init(&problems, 1 << 20);
    knowledge_add(k, STR("endpoints.yaml"), str_of(endpoints), &problems);
    knowledge_add(k, STR("rules.yaml"), str_of(rules), &problems);
    knowledge_build(k, &problems);
    text = str_dup(buf_str(&problems));
    buf_finish(&problems);
    knowledge_destroy(k);
    return text;
}

void scene_at(struct scene *s, double seconds)
{
    s->now_us = (uint64_t)(seconds * 1e6);
}

static void put(struct scene *s, struct obs o)
{
    o.at_us = s->now_us;
    o.device = 1;
    o.source = SOURCE_PROXY;
    stream_put(&s->stream, &o);
}

static uint64_t open_flow(struct scene *s, struct str host, enum flow_how how)
{
    uint64_t flow = stream_next_flow(&s->stream);

    put(s, (struct obs){.kind = OBS_FLOW_OPENED,
                        .flow = flow,
                        .client = STR("10.0.0.5"),
                        .host = host,
                        .port = how == HOW_CONNECT ? 443 : 80,
                        .how = how});
    return flow;
}

enum { HELLO_BYTES = 517, HANDSHAKE_UP = 597, HANDSHAKE_DOWN = 3200 };

uint64_t scene_tunnel(struct scene *s, const char *host)
{
    uint64_t flow = open_flow(s, str_of(host), HOW_CONNECT);

    put(s, (struct obs){.kind = OBS_CONNECTED, .flow = flow, .address = STR("192.0.2.1")});
    put(s, (struct obs){
               .kind = OBS_TLS_HELLO, .flow = flow, .sni = str_of(host), .length = HELLO_BYTES});
    put(s, (struct obs){.kind = OBS_TLS_ANSWER, .flow = flow});
    scene_bytes(s, flow, HANDSHAKE_UP, HANDSHAKE_DOWN);
    return flow;
}

void scene_bytes(struct scene *s, uint64_t flow, uint64_t up, uint64_t down)
{
    put(s,
        (struct obs){.kind = OBS_FLOW_PROGRESS, .flow = flow, .bytes_up = up, .bytes_down = down});
}

void scene_close(struct scene *s, uint64_t flow)
{
    put(s, (struct obs){.kind = OBS_FLOW_CLOSED, .flow = flow, .why = WHY_DEVICE_CLOSED});
}

void scene_visit(struct scene *s, const char *host)
{
    scene_close(s, scene_tunnel(s, host));
}

void scene_get(struct scene *s, const char *url)
{
    struct str rest = str_skip(str_of(url), strlen("http://"));
    struct str host = str_head(rest, str_find(rest, '/'));
    uint64_t flow = open_flow(s, host, HOW_ABSOLUTE);

    put(s, (struct obs){.kind = OBS_HTTP_REQUEST,
                        .flow = flow,
                        .method = STR("GET"),
                        .url = str_of(url),
                        .host = host});
    put(s, (struct obs){.kind = OBS_HTTP_RESPONSE, .flow = flow, .status = 200, .by = BY_SERVER});
    put(s, (struct obs){.kind = OBS_FLOW_CLOSED,
                        .flow = flow,
                        .bytes_up = 200,
                        .bytes_down = 900,
                        .why = WHY_FINISHED});
}

void scene_fail(struct scene *s, const char *host, enum flow_why why)
{
    uint64_t flow = open_flow(s, str_of(host), HOW_CONNECT);

    put(s, (struct obs){.kind = OBS_FLOW_CLOSED, .flow = flow, .why = why});
}

void scene_fail_told(struct scene *s, const char *host, const char *type, const char *rule,
                     enum flow_why why)
{
    uint64_t flow = open_flow(s, str_of(host), HOW_CONNECT);

    put(s, (struct obs){
               .kind = OBS_RULE_APPLIED, .flow = flow, .type = str_of(type), .text = str_of(rule)});
    put(s, (struct obs){.kind = OBS_TLS_HELLO, .flow = flow, .length = HELLO_BYTES});
    put(s, (struct obs){.kind = OBS_FLOW_CLOSED, .flow = flow, .why = why});
}

void scene_answer(struct scene *s, const char *host, uint64_t status, enum obs_by by,
                  enum flow_why why)
{
    uint64_t flow = open_flow(s, str_of(host), HOW_CONNECT);

    put(s, (struct obs){.kind = OBS_HTTP_RESPONSE, .flow = flow, .status = status, .by = by});
    put(s, (struct obs){.kind = OBS_FLOW_CLOSED, .flow = flow, .why = why});
}

struct strip *scene_strip(struct scene *s)
{
    explainer_finish(s->explainer);
    assert_true(explainer_device_count(s->explainer) > 0);
    return explainer_strip(s->explainer, 0, s->arena);
}

const struct strip_moment *strip_moment(const struct strip *strip, const char *id, unsigned n)
{
    for (size_t i = 0; i < strip->moment_count; i++)
        if (str_eq(strip->moments[i].id, str_of(id)) && !n--)
            return &strip->moments[i];
    return NULL;
}

const struct strip_finding *strip_finding(const struct strip *strip, const char *id, unsigned n)
{
    for (size_t i = 0; i < strip->finding_count; i++)
        if (str_eq(strip->findings[i].id, str_of(id)) && !n--)
            return &strip->findings[i];
    return NULL;
}
