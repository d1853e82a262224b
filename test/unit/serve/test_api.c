/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The API over a recording that grows as the test puts into it, through a real web server. */
#include "serve/api.h"

#include "base/xalloc.h"
#include "obs/stream.h"

#include "test/unit/serve/web_world.h"
#include "test/unit/store/scratch.h"

#include <stdlib.h>

#define RULES                                                                                      \
    "sources: {test: the test itself}\n"                                                           \
    "services: {shop: {title: A shop, says: It sells.}}\n"                                         \
    "endpoints:\n"                                                                                 \
    "  - {host: '*.shop.test', service: shop, role: To buy., source: test}\n"                      \
    "moments:\n"                                                                                   \
    "  - {id: bought, title: Bought, says: 'It bought at {host}.', when: {flow: {host: "           \
    "a.shop.test}}}\n"

struct scene {
    struct web_world world;
    struct knowledge *knowledge, *other;
    struct explainer *explainer, *other_explainer;
    struct recorder *recorder;
    struct stream stream;
    struct served *served;
    struct api *api;
};

static struct knowledge *knowledge_of(const char *text)
{
    struct knowledge *k = knowledge_create();
    struct buf problems;

    buf_init(&problems, BUF_UNBOUNDED);
    if (knowledge_add(k, STR("test.yaml"), str_of(text), &problems) ||
        knowledge_build(k, &problems))
        fail_msg(STR_FMT, STR_ARG(buf_str(&problems)));
    buf_finish(&problems);
    return k;
}

static void begin(struct scene *s, struct scratch *dir)
{
    const char *path = scratch_path(dir, "a.flight");
    struct recording_state state;

    *s = (struct scene){.knowledge = knowledge_of(RULES)};
    s->explainer = explainer_create(s->knowledge);
    s->served = served_create(&(struct served_options){.path = path,
                                                       .name = "a.flight",
                                                       .kind = "recording",
                                                       .began_wall_us = 1700000000000000,
                                                       .takes_notes = true,
                                                       .knowledge = s->knowledge,
                                                       .explainer = s->explainer});
    assert_int_equal(recorder_open(path, 1700000000000000, &s->recorder, &state, NULL), 0);
    web_world_open(&s->world, (struct web_options){.fd = -1});
    assert_int_equal(api_create(s->world.loop, s->world.web, &s->served, 1, &s->api, NULL), 0);
    stream_init(&s->stream, NULL);
    stream_add_sink(&s->stream, recorder_put, s->recorder);
    stream_add_sink(&s->stream, explainer_put, s->explainer);
    stream_add_sink(&s->stream, served_put, s->served);
    served_is_live(s->served, NULL, s->recorder);
}

static void end(struct scene *s)
{
    served_end(s->served);
    assert_int_equal(recorder_close(s->recorder, NULL), 0);
    web_destroy(s->world.web);
    api_destroy(s->api);
    served_destroy(s->served);
    loop_destroy(s->world.loop);
    explainer_destroy(s->explainer);
    explainer_destroy(s->other_explainer);
    knowledge_destroy(s->knowledge);
    knowledge_destroy(s->other);
}

static void put(struct scene *s, struct obs o)
{
    o.at_us = s->stream.last_us + 1000;
    o.device = 1;
    o.source = SOURCE_PROXY;
    stream_put(&s->stream, &o);
}

static void open_flow(struct scene *s, uint64_t flow, const char *host)
{
    put(s, (struct obs){.kind = OBS_FLOW_OPENED,
                        .flow = flow,
                        .client = STR("192.0.2.7:1"),
                        .host = str_of(host),
                        .port = 443,
                        .how = HOW_CONNECT});
}

static void close_flow(struct scene *s, uint64_t flow, uint64_t down, enum flow_why why)
{
    put(s, (struct obs){.kind = OBS_FLOW_CLOSED,
                        .flow = flow,
                        .bytes_up = down,
                        .bytes_down = down,
                        .why = why});
}

static void settle(struct scene *s)
{
    assert_int_equal(recorder_flush(s->recorder, NULL), 0);
}

static const char *get(struct scene *s, const char *path)
{
    char request[256];

    snprintf(request, sizeof request, "GET /api/v1%s HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
             path);
    return ask(&s->world, request);
}

static const char *send_note(struct scene *s, const char *method, const char *path,
                             const char *body)
{
    char request[512];

    snprintf(request, sizeof request,
             "%s /api/v1/recordings/1/notes%s HTTP/1.1\r\n" HOST
             "Connection: close\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             method, path, strlen(body), body);
    return ask(&s->world, request);
}

/* --- what is there --- */

static void recordings_and_devices_are_listed(void **state)
{
    struct scene s;
    const char *answer;

    begin(&s, *state);
    open_flow(&s, 1, "a.shop.test");
    answer = get(&s, "/recordings");
    expect(answer, "\"id\":\"1\",\"name\":\"a.flight\",\"kind\":\"recording\","
                   "\"began\":\"2023-11-14T22:13:20.000Z\",\"began_wall_us\":1700000000000000,"
                   "\"now_us\":1000,\"live\":true,\"takes_notes\":true,\"seq\":1,\"flow_count\":1,"
                   "\"flows_from\":1,\"device_count\":1");
    answer = get(&s, "/recordings/1/devices");
    expect(answer, "\"device\":1,\"phase\":null,\"phases\":[],"
                   "\"finding_counts\":{\"error\":0,\"warning\":0,\"info\":0}");
    close_flow(&s, 1, 5000, WHY_DEVICE_CLOSED);
    expect(get(&s, "/recordings/1/devices/device-1"), "\"says\":\"It bought at a.shop.test.\"");
    expect(get(&s, "/recordings/1/devices/device-2"), "404");
    expect(get(&s, "/recordings/2/devices"), "404");
    end(&s);
}

static void a_rule_says_where_it_stands(void **state)
{
    struct scene s;

    begin(&s, *state);
    expect(get(&s, "/rules/bought"),
           "{\"id\":\"bought\",\"kind\":\"moment\",\"title\":\"Bought\","
           "\"says\":\"It bought at {host}.\",\"file\":\"test.yaml\",\"line\":6}");
    expect(get(&s, "/rules/sold"), "404");
    end(&s);
}

static void flows_are_told_with_what_the_explainer_judges(void **state)
{
    struct scene s;
    const char *answer;

    begin(&s, *state);
    open_flow(&s, 1, "a.shop.test");
    open_flow(&s, 2, "b.shop.test");
    open_flow(&s, 3, "elsewhere.test");
    close_flow(&s, 1, 5000, WHY_DEVICE_CLOSED);
    close_flow(&s, 2, 0, WHY_NAME_FAILED);
    answer = get(&s, "/recordings/1/flows");
    expect(answer, "{\"seq\":5,\"columns\":[\"flow\",\"device\",\"seq\"");
    expect(answer, "[1,1,4,1000,");
    expect(answer, "\"name-failed\",\"name\",\"\",\"\",[]]");
    expect(answer, "\"next\":null}");
    expect(get(&s, "/recordings/1/flows?limit=2"), "\"next\":2}");
    expect_not(get(&s, "/recordings/1/flows?after=2"), "shop.test");
    expect_not(get(&s, "/recordings/1/flows?failed=1"), "a.shop.test");
    expect_not(get(&s, "/recordings/1/flows?service=shop"), "elsewhere.test");
    expect_not(get(&s, "/recordings/1/flows?host=*.shop.test"), "elsewhere.test");
    expect_not(get(&s, "/recordings/1/flows?from_us=4500"), "a.shop.test");
    expect_not(get(&s, "/recordings/1/flows?to_us=1500"), "b.shop.test");
    expect_not(get(&s, "/recordings/1/flows?device=2"), ".test");
    end(&s);
}

static void one_flow_comes_with_its_observations(void **state)
{
    struct scene s;
    const char *answer;

    begin(&s, *state);
    open_flow(&s, 1, "a.shop.test");
    open_flow(&s, 2, "b.shop.test");
    close_flow(&s, 1, 5000, WHY_DEVICE_CLOSED);
    settle(&s);
    answer = get(&s, "/recordings/1/flows/1");
    expect(answer, "{\"flow\":{\"flow\":1,\"device\":1,\"seq\":3,");
    expect(answer, "\"observations\":[{\"seq\":1,");
    expect(answer, "{\"seq\":3,");
    expect_not(answer, "{\"seq\":2,");
    expect(get(&s, "/recordings/1/flows/3"), "404");
    expect(get(&s, "/recordings/1/observations?seqs=2"), "\"host\":\"b.shop.test\"");
    end(&s);
}

/* --- notes --- */

static void notes_are_written_by_who_may(void **state)
{
    struct scene s;
    const char *answer;

    begin(&s, *state);
    open_flow(&s, 1, "a.shop.test");
    settle(&s);
    answer = send_note(&s, "POST", "", "{\"at_us\":5,\"text\":\"a \\u202eword\"}");
    expect(answer, "201");
    expect(answer, "{\"id\":1,\"at_us\":5,\"text\":\"a \xe2\x80\xaeword\"}");
    expect(send_note(&s, "PUT", "/1", "{\"at_us\":6,\"text\":\"another\"}"), "\"at_us\":6");
    expect(get(&s, "/recordings/1/notes"),
           "{\"notes\":[{\"id\":1,\"at_us\":6,\"text\":\"another\"}]}");
    expect(get(&s, "/recordings/1/report?as=text"), "another");
    expect_not(get(&s, "/recordings/1/devices/device-1"), "another");
    expect(send_note(&s, "DELETE", "/1", ""), "204");
    expect(get(&s, "/recordings/1/notes"), "{\"notes\":[]}");
    expect(send_note(&s, "POST", "", "[]"), "400");
    expect(send_note(&s, "POST", "", "{\"at_us\":-5,\"text\":\"x\"}"), "400");
    s.served->about.takes_notes = false;
    expect(send_note(&s, "POST", "", "{\"at_us\":5,\"text\":\"x\"}"), "409");
    end(&s);
}

/* --- live --- */

static const char *listen_from(struct scene *s, int fd, const char *after)
{
    char request[256];

    snprintf(request, sizeof request, "GET /api/v1/recordings/1/live%s HTTP/1.1\r\n" HOST "\r\n",
             after);
    visitor_says(&s->world, fd, request);
    return visitor_hears(fd);
}

static const char *hear(struct scene *s, int fd)
{
    web_wake(s->world.web);
    loop_run(s->world.loop);
    return visitor_hears(fd);
}

static void leave(struct scene *s, int fd)
{
    close(fd);
    loop_run(s->world.loop);
}

static void a_listener_is_told_what_it_does_not_know(void **state)
{
    struct scene s;
    const char *heard;
    int fd;

    begin(&s, *state);
    open_flow(&s, 1, "a.shop.test");
    open_flow(&s, 2, "b.shop.test");
    fd = visit(&s.world);
    heard = listen_from(&s, fd, "?after=1");
    expect(heard, "text/event-stream");
    expect(heard, "event: flows\ndata: {\"now_us\":2000,\"rows\":[[2,1,2,");
    expect(heard, "\nid: 2\n\n");
    expect(heard, "event: devices\ndata: {\"now_us\":2000,\"devices\":[{\"id\":\"device-1\"");
    expect(heard, "event: notes\ndata: {}\n\n");
    expect(heard, "event: clock\ndata: {\"now_us\":2000,\"seq\":2,\"flows_from\":1}\n\n");
    expect_not(heard, "a.shop.test");
    leave(&s, fd);

    close_flow(&s, 1, 5000, WHY_DEVICE_CLOSED);
    fd = visit(&s.world);
    heard = listen_from(&s, fd, "?after=2");
    expect(heard, "\"rows\":[[1,1,3,");
    expect_not(heard, "[2,1,2,");
    leave(&s, fd);
    end(&s);
}

static void who_knows_all_is_told_no_flows(void **state)
{
    struct scene s;
    int fd;

    begin(&s, *state);
    open_flow(&s, 1, "a.shop.test");
    fd = visit(&s.world);
    expect_not(listen_from(&s, fd, "?after=1"), "event: flows");
    leave(&s, fd);
    end(&s);
}

static void other_knowledge_is_a_reason_to_ask_anew(void **state)
{
    struct scene s;
    int fd;

    begin(&s, *state);
    open_flow(&s, 1, "a.shop.test");
    fd = visit(&s.world);
    expect_not(listen_from(&s, fd, "?after=1"), "reset");
    s.other = knowledge_of("moments: []\n");
    s.other_explainer = explainer_create(s.other);
    served_use(s.served, s.other, s.other_explainer);
    expect(hear(&s, fd), "id: 1\nevent: reset\ndata: {}\n\n");
    expect(get(&s, "/endpoints"), "{\"endpoints\":[],\"services\":[]");
    leave(&s, fd);
    end(&s);
}

static void so_is_a_place_that_is_not_of_this_recording(void **state)
{
    struct scene s;
    int fd;

    begin(&s, *state);
    open_flow(&s, 1, "a.shop.test");
    fd = visit(&s.world);
    expect(listen_from(&s, fd, "?after=99"), "id: 1\nevent: reset\n");
    leave(&s, fd);
    end(&s);
}

static void the_end_is_told_with_all_before_it(void **state)
{
    struct scene s;
    const char *heard;
    int fd;

    begin(&s, *state);
    open_flow(&s, 1, "a.shop.test");
    fd = visit(&s.world);
    listen_from(&s, fd, "?after=0");
    close_flow(&s, 1, 5000, WHY_DEVICE_CLOSED);
    explainer_finish(s.explainer);
    served_end(s.served);
    heard = hear(&s, fd);
    expect(heard, "\"rows\":[[1,1,2,");
    expect(heard, "event: end\ndata: {\"now_us\":2000,\"seq\":2,\"flows_from\":1}\n\n");
    leave(&s, fd);
    end(&s);
}

#define CLAIM(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(recordings_and_devices_are_listed),
        CLAIM(a_rule_says_where_it_stands),
        CLAIM(flows_are_told_with_what_the_explainer_judges),
        CLAIM(one_flow_comes_with_its_observations),
        CLAIM(notes_are_written_by_who_may),
        CLAIM(a_listener_is_told_what_it_does_not_know),
        CLAIM(who_knows_all_is_told_no_flows),
        CLAIM(other_knowledge_is_a_reason_to_ask_anew),
        CLAIM(so_is_a_place_that_is_not_of_this_recording),
        CLAIM(the_end_is_told_with_all_before_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
