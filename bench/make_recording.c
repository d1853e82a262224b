/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * make_recording FILE FLOWS [DEVICES]: a recording to measure with: so many flows of twenty
 * minutes, to hosts that the knowledge has, of every sort and with every ending. Always the same.
 */
#include "base/url.h"
#include "base/xalloc.h"
#include "explain/knowledge.h"
#include "explain/shipped.h"
#include "store/recording.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define DURATION_US UINT64_C(1200000000)
#define BEGAN_US UINT64_C(1795631940000000)

enum { OPEN_AT_ONCE = 40, PROGRESS_MAX = 3 };

struct maker {
    struct recorder *recorder;
    const struct endpoints *endpoints;
    uint64_t seq, at_us, random;
    uint64_t flows, devices;
};

/* splitmix64. */
static uint64_t next_random(struct maker *m)
{
    uint64_t z = m->random += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static void put(struct maker *m, struct obs o)
{
    o.seq = ++m->seq;
    o.at_us = m->at_us;
    o.source = SOURCE_PROXY;
    recorder_put(m->recorder, &o);
}

/* One that the pattern fits. */
static struct str host_of(struct maker *m, char text[static HOST_MAX])
{
    size_t n = endpoints_count(m->endpoints);
    struct str pattern = endpoints_at(m->endpoints, next_random(m) % n)->pattern;
    struct buf host;

    buf_init(&host, HOST_MAX);
    for (size_t i = 0; i < pattern.n; i++)
        if (pattern.p[i] == '*')
            buf_printf(&host, "h%" PRIu64, next_random(m) % 50);
        else
            buf_put_byte(&host, (uint8_t)pattern.p[i]);
    memcpy(text, host.p, host.n);

    struct str made = {text, host.n};
    buf_finish(&host);
    return made;
}

static void open_flow(struct maker *m, uint64_t flow)
{
    bool plain = next_random(m) % 4 == 0;
    char host_text[HOST_MAX], url[HOST_MAX + 64];
    struct str host = host_of(m, host_text);
    uint32_t device = (uint32_t)(1 + flow % m->devices);

    put(m, (struct obs){.kind = OBS_FLOW_OPENED,
                        .flow = flow,
                        .device = device,
                        .client = STR("192.168.1.77:50123"),
                        .host = host,
                        .port = plain ? 80 : 443,
                        .how = plain ? HOW_ABSOLUTE : HOW_CONNECT});
    put(m, (struct obs){.kind = OBS_NAME_RESOLVED,
                        .flow = flow,
                        .device = device,
                        .addresses = STR("203.0.113.7"),
                        .ms = next_random(m) % 40});
    put(m, (struct obs){.kind = OBS_CONNECTED,
                        .flow = flow,
                        .device = device,
                        .address = STR("203.0.113.7"),
                        .port = 443,
                        .ms = next_random(m) % 90});
    if (!plain) {
        put(m, (struct obs){.kind = OBS_TLS_HELLO,
                            .flow = flow,
                            .device = device,
                            .sni = host,
                            .alpn = STR("h2,http/1.1"),
                            .length = 517});
        put(m, (struct obs){.kind = OBS_TLS_ANSWER, .flow = flow, .device = device});
        return;
    }
    snprintf(url, sizeof url, "http://" STR_FMT "/some/path/%" PRIu64 "?id=*", STR_ARG(host), flow);
    put(m, (struct obs){.kind = OBS_HTTP_REQUEST,
                        .flow = flow,
                        .device = device,
                        .method = STR("GET"),
                        .url = str_of(url),
                        .host = host,
                        .user_agent = STR("Microsoft-Delivery-Optimization/10.0")});
    put(m, (struct obs){.kind = OBS_HTTP_RESPONSE,
                        .flow = flow,
                        .device = device,
                        .status = 200,
                        .content_type = STR("application/octet-stream"),
                        .by = BY_SERVER});
}

static void close_flow(struct maker *m, uint64_t flow)
{
    static const enum flow_why whys[] = {WHY_FINISHED, WHY_DEVICE_CLOSED, WHY_SERVER_CLOSED,
                                         WHY_DEVICE_RESET};
    uint32_t device = (uint32_t)(1 + flow % m->devices);
    uint64_t progress = next_random(m) % PROGRESS_MAX, down = 0;

    for (uint64_t i = 0; i < progress; i++)
        put(m, (struct obs){.kind = OBS_FLOW_PROGRESS,
                            .flow = flow,
                            .device = device,
                            .bytes_up = 2000,
                            .bytes_down = down += next_random(m) % 100000});
    put(m, (struct obs){.kind = OBS_FLOW_CLOSED,
                        .flow = flow,
                        .device = device,
                        .bytes_up = next_random(m) % 50 ? 4000 : 0,
                        .bytes_down = down + next_random(m) % 100000,
                        .why = whys[next_random(m) % (sizeof whys / sizeof *whys)]});
}

static void make(struct maker *m)
{
    assert(m->devices && m->flows);
    for (uint64_t i = 1; i <= m->devices; i++) {
        char client[32];

        snprintf(client, sizeof client, "192.168.%" PRIu64 ".%" PRIu64, i / 250, i % 250 + 1);
        put(m,
            (struct obs){.kind = OBS_DEVICE_SEEN, .device = (uint32_t)i, .client = str_of(client)});
    }
    for (uint64_t flow = 1; flow <= m->flows + OPEN_AT_ONCE; flow++) {
        m->at_us = flow * (DURATION_US / (m->flows + OPEN_AT_ONCE));
        if (flow > OPEN_AT_ONCE)
            close_flow(m, flow - OPEN_AT_ONCE);
        if (flow <= m->flows)
            open_flow(m, flow);
    }
}

static struct knowledge *shipped(void)
{
    struct knowledge *k = knowledge_create();
    struct buf problems;

    buf_init(&problems, BUF_UNBOUNDED);
    for (const struct embedded *f = knowledge_files; f->name; f++)
        knowledge_add(k, str_of(f->name), embedded_str(f), &problems);
    knowledge_build(k, &problems);
    buf_finish(&problems);
    return k;
}

static bool read_number(const char *text, uint64_t *ret_number)
{
    return str_to_u64(str_of(text), ret_number) && *ret_number;
}

int main(int argc, char **argv)
{
    struct maker m = {.devices = 1, .random = 1};
    struct recording_state state;
    struct knowledge *knowledge;
    struct err err;

    if (argc < 3 || !read_number(argv[2], &m.flows) ||
        (argc > 3 && !read_number(argv[3], &m.devices))) {
        fputs("make_recording FILE FLOWS [DEVICES]\n", stderr);
        return 2;
    }
    if (recorder_open(argv[1], BEGAN_US, &m.recorder, &state, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    knowledge = shipped();
    m.endpoints = knowledge_endpoints(knowledge);
    make(&m);
    knowledge_destroy(knowledge);
    if (recorder_close(m.recorder, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    return 0;
}
