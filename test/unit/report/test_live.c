/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/live.h"

#include "obs/stream.h"

#include "test/unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const char rules[] = "moments:\n"
                            "  - id: opened\n"
                            "    title: The shop is opened\n"
                            "    says: The device contacts it.\n"
                            "    when:\n"
                            "      flow: {host: shop.example}\n";

static const char more_rules[] = "moments:\n"
                                 "  - id: opened\n"
                                 "    title: A shop by another name\n"
                                 "    says: The device contacts it.\n"
                                 "    when:\n"
                                 "      flow: {host: shop.example}\n"
                                 "  - id: again\n"
                                 "    title: Seen anew\n"
                                 "    says: It was there all the time.\n"
                                 "    fires: each\n"
                                 "    when:\n"
                                 "      flow: {host: shop.example}\n"
                                 "findings:\n"
                                 "  - id: odd\n"
                                 "    title: Odd\n"
                                 "    says: Odd it is.\n"
                                 "    when:\n"
                                 "      flow: {host: shop.example}\n";

struct scene {
    struct clock clock;
    struct loop *loop;
    struct knowledge *knowledge;
    struct explainer *explainer;
    struct stream stream;
    struct live *live;
};

static struct knowledge *knowledge_of(const char *text)
{
    struct knowledge *k = knowledge_create();
    struct buf problems;

    buf_init(&problems, BUF_UNBOUNDED);
    assert_int_equal(knowledge_add(k, STR("rules.yaml"), str_of(text), &problems), 0);
    assert_int_equal(knowledge_build(k, &problems), 0);
    buf_finish(&problems);
    return k;
}

static void scene_init(struct scene *s, bool traffic, int fd)
{
    clock_init_held(&s->clock, 0);
    assert_int_equal(loop_create(&s->clock, &s->loop, NULL), 0);
    s->knowledge = knowledge_of(rules);
    s->explainer = explainer_create(s->knowledge);
    s->live = live_create(s->loop, s->explainer, fd, traffic);
    stream_init(&s->stream, NULL);
    stream_add_sink(&s->stream, explainer_put, s->explainer);
    stream_add_sink(&s->stream, live_put, s->live);
}

static void scene_finish(struct scene *s)
{
    live_destroy(s->live);
    explainer_destroy(s->explainer);
    knowledge_destroy(s->knowledge);
    loop_destroy(s->loop);
}

static void see_device(struct scene *s, uint32_t device, struct str name)
{
    stream_put(&s->stream, &(struct obs){.kind = OBS_DEVICE_SEEN,
                                         .at_us = 1000000,
                                         .device = device,
                                         .client = STR("192.0.2.7"),
                                         .name = name});
}

static void open_and_close(struct scene *s, uint32_t device, uint64_t flow)
{
    stream_put(&s->stream, &(struct obs){.kind = OBS_FLOW_OPENED,
                                         .at_us = 2000000,
                                         .device = device,
                                         .flow = flow,
                                         .host = STR("shop.example"),
                                         .port = 443,
                                         .how = HOW_CONNECT});
    stream_put(&s->stream, &(struct obs){.kind = OBS_FLOW_CLOSED,
                                         .at_us = 3000000,
                                         .device = device,
                                         .flow = flow,
                                         .bytes_up = 10,
                                         .bytes_down = 2000,
                                         .why = WHY_DEVICE_CLOSED});
}

static struct str printed(FILE *file, char *into, size_t room)
{
    rewind(file);
    return (struct str){into, fread(into, 1, room, file)};
}

static bool has(struct str text, const char *part)
{
    return str_search(text, str_of(part)) < text.n;
}

static void moments_are_printed_once_as_they_come(void **state)
{
    struct scene s = {0};
    char text[8192];
    FILE *file = tmpfile();

    (void)state;
    scene_init(&s, false, fileno(file));
    see_device(&s, 1, STR("VM-01"));
    open_and_close(&s, 1, 1);
    assert_true(
        str_eq(printed(file, text, sizeof text), STR("  00:02  The shop is opened  [1]\n"
                                                     "         The device contacts it.\n")));
    scene_finish(&s);
    fclose(file);
}

static void flows_are_shown_on_request(void **state)
{
    struct scene s = {0};
    char text[8192];
    FILE *file = tmpfile();

    (void)state;
    scene_init(&s, true, fileno(file));
    see_device(&s, 1, STR("VM-01"));
    open_and_close(&s, 1, 1);

    struct str all = printed(file, text, sizeof text);
    assert_true(has(all, "  00:02  + shop.example:443\n"));
    assert_true(
        has(all, "  00:03  - shop.example:443, 10 bytes up, 2.0 kB down: the device closed it\n"));
    scene_finish(&s);
    fclose(file);
}

static void a_flow_tells_of_the_rule_that_changed_it(void **state)
{
    struct scene s = {0};
    char text[8192];
    FILE *file = tmpfile();

    (void)state;
    scene_init(&s, true, fileno(file));
    see_device(&s, 1, STR("VM-01"));
    stream_put(&s.stream, &(struct obs){.kind = OBS_RULE_APPLIED,
                                        .at_us = 2000000,
                                        .device = 1,
                                        .flow = 1,
                                        .type = STR("block"),
                                        .text = STR("block *.example")});
    open_and_close(&s, 1, 1);
    assert_true(has(printed(file, text, sizeof text), "(flightstrip's rule: block *.example)\n"));
    scene_finish(&s);
    fclose(file);
}

static unsigned times(struct str text, const char *part)
{
    unsigned n = 0;

    for (size_t at; (at = str_search(text, str_of(part))) < text.n; n++)
        text = str_skip(text, at + 1);
    return n;
}

static void another_explainer_says_what_is_new_by_it(void **state)
{
    struct scene s = {0};
    struct knowledge *more = knowledge_of(more_rules);
    struct explainer *other = explainer_create(more);
    char text[8192];
    FILE *file = tmpfile();

    (void)state;
    scene_init(&s, false, fileno(file));
    stream_add_sink(&s.stream, explainer_put, other);
    see_device(&s, 1, STR("VM-01"));
    open_and_close(&s, 1, 1);
    live_change_explainer(s.live, other);
    open_and_close(&s, 1, 2);

    struct str all = printed(file, text, sizeof text);
    assert_int_equal(times(all, "shop"), 1); /* known already, whatever it is called now */
    assert_int_equal(times(all, "Odd it is"), 1);
    assert_int_equal(times(all, "  00:02  Seen anew"), 1);
    assert_int_equal(times(all, "Seen anew"), 2); /* and once since */
    scene_finish(&s);
    explainer_destroy(other);
    knowledge_destroy(more);
    fclose(file);
}

static void several_devices_are_told_apart(void **state)
{
    struct scene s = {0};
    char text[8192];
    FILE *file = tmpfile();

    (void)state;
    scene_init(&s, false, fileno(file));
    see_device(&s, 1, STR("VM-01"));
    see_device(&s, 2, (struct str){0});
    open_and_close(&s, 1, 1);
    open_and_close(&s, 2, 2);

    struct str all = printed(file, text, sizeof text);
    assert_true(has(all, "  00:02  VM-01: The shop is opened"));
    assert_true(has(all, "192.0.2.7: The shop is opened"));
    scene_finish(&s);
    fclose(file);
}

static void the_end_has_a_part_for_each_device(void **state)
{
    struct scene s = {0};
    char text[8192];
    FILE *file = tmpfile();

    (void)state;
    scene_init(&s, false, fileno(file));
    see_device(&s, 1, STR("VM-01"));
    open_and_close(&s, 1, 1);
    explainer_finish(s.explainer);
    live_end(s.live);

    struct str all = printed(file, text, sizeof text);
    assert_true(has(all, "VM-01  192.0.2.7\n"));
    assert_true(has(all, "traffic   1 flow, 2.0 kB down, 10 bytes up\n"));
    assert_false(has(str_skip(all, str_search(all, STR("VM-01"))), "The shop is opened"));
    scene_finish(&s);
    fclose(file);
}

static void a_reader_that_leaves_stops_nothing(void **state)
{
    struct scene s = {0};
    int ends[2];

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    scene_init(&s, true, ends[1]);
    see_device(&s, 1, STR("VM-01"));
    open_and_close(&s, 1, 1);
    live_say(s.live, "still here");
    explainer_finish(s.explainer);
    live_end(s.live);
    assert_int_equal(explainer_device_count(s.explainer), 1);
    scene_finish(&s);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_printed_once_as_they_come),
        cmocka_unit_test(flows_are_shown_on_request),
        cmocka_unit_test(a_flow_tells_of_the_rule_that_changed_it),
        cmocka_unit_test(another_explainer_says_what_is_new_by_it),
        cmocka_unit_test(several_devices_are_told_apart),
        cmocka_unit_test(the_end_has_a_part_for_each_device),
        cmocka_unit_test(a_reader_that_leaves_stops_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
