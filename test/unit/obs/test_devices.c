/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "obs/devices.h"

#include "obs/stream.h"
#include "test/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct seen {
    unsigned count;
    struct obs last;
    char name[32];
};

static void see(void *ctx, const struct obs *o)
{
    struct seen *s = ctx;

    if (o->kind != OBS_DEVICE_SEEN)
        return;
    s->count++;
    s->last = *o;
    snprintf(s->name, sizeof(s->name), STR_FMT, STR_ARG(o->name));
}

struct rig {
    struct devices devices;
    struct stream stream;
    struct seen seen;
};

static uint32_t get(struct rig *b, const char *address)
{
    return devices_get(&b->devices, str_of(address));
}

static uint32_t get_and_tell(struct rig *b, const char *address)
{
    uint32_t id = get(b, address);

    stream_put(
        &b->stream,
        &(struct obs){.kind = OBS_FLOW_OPENED, .source = SOURCE_PROXY, .device = id, .at_us = 5});
    return id;
}

static void begin(struct rig *b)
{
    *b = (struct rig){0};
    devices_init(&b->devices);
    stream_init(&b->stream, NULL);
    stream_use_devices(&b->stream, &b->devices);
    stream_add_sink(&b->stream, see, &b->seen);
}

static void an_address_is_one_device_and_seen_once(void **state)
{
    struct rig b;

    (void)state;
    begin(&b);
    assert_int_equal(get_and_tell(&b, "10.0.0.1"), 1);
    assert_int_equal(b.seen.last.device, 1);
    assert_int_equal(b.seen.last.source, SOURCE_PROXY);
    assert_int_equal(b.seen.last.at_us, 5);
    assert_int_equal(b.seen.last.seq, 1);
    assert_int_equal(get_and_tell(&b, "fd00::2"), 2);
    assert_int_equal(get_and_tell(&b, "10.0.0.1"), 1);
    assert_int_equal(b.seen.count, 2);
    devices_finish(&b.devices);
}

static void a_device_is_told_of_when_something_is_told_of_it(void **state)
{
    struct rig b;
    uint32_t first;

    (void)state;
    begin(&b);
    first = get(&b, "10.0.0.1"); /* met first, and heard of last */
    assert_int_equal(b.seen.count, 0);
    get_and_tell(&b, "10.0.0.2");
    stream_put(&b.stream, &(struct obs){.kind = OBS_NOTE}); /* of no device */
    assert_int_equal(b.seen.count, 1);
    stream_announce(&b.stream, &(struct obs){.device = first});
    stream_announce(&b.stream, &(struct obs){.device = first});
    assert_int_equal(b.seen.count, 2);
    assert_int_equal(b.seen.last.device, first);
    devices_finish(&b.devices);
}

static void a_port_of_the_proxy_can_stand_for_a_device(void **state)
{
    struct rig b;

    (void)state;
    begin(&b);
    devices_suggest_name(&b.devices, STR("*:8081"), STR("LAB-PC-1"));
    assert_int_equal(get_and_tell(&b, "*:8081"), 1);
    assert_string_equal(b.seen.name, "LAB-PC-1");
    devices_finish(&b.devices);
}

enum { THREADS = 4, KEYS = 500 };

static void *meet_all(void *devices)
{
    char key[16];

    for (unsigned i = 0; i < KEYS; i++) {
        snprintf(key, sizeof(key), "%u", i);
        devices_get(devices, str_of(key));
    }
    return NULL;
}

static void threads_that_meet_the_same_devices_agree(void **state)
{
    struct rig b;
    pthread_t threads[THREADS];
    bool met[KEYS + 1] = {false};
    char key[16];

    (void)state;
    begin(&b);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, meet_all, &b.devices), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < KEYS; i++) {
        snprintf(key, sizeof(key), "%u", i);
        uint32_t id = get(&b, key);
        assert_in_range(id, 1, KEYS);
        assert_false(met[id]);
        met[id] = true;
    }
    devices_finish(&b.devices);
}

static void a_person_gives_names(void **state)
{
    static const char *const wrong[] = {
        "", "=", "name", "name=", "=10.0.0.1", "pc=host", "pc=10.0.0.1:80"};
    struct rig b;
    struct err err;

    (void)state;
    begin(&b);
    assert_int_equal(devices_name(&b.devices, STR("first=10.0.0.1"), &err), 0);
    assert_int_equal(devices_name(&b.devices, STR("pc=10.0.0.1"), &err), 0); /* the later holds */
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_int_equal(devices_name(&b.devices, str_of(wrong[i]), &err), -EINVAL);
    get_and_tell(&b, "10.0.0.1");
    assert_string_equal(b.seen.name, "pc");
    devices_finish(&b.devices);
}

static void a_continued_recording_keeps_its_devices(void **state)
{
    struct rig b;

    (void)state;
    begin(&b);
    devices_restore(&b.devices, 7, STR("10.0.0.7"));
    devices_restore(&b.devices, 0, STR("10.0.0.8"));          /* a damaged recording's */
    devices_restore(&b.devices, UINT32_MAX, STR("10.0.0.8")); /* and another's */
    assert_int_equal(get_and_tell(&b, "10.0.0.7"), 7);
    assert_int_equal(b.seen.count, 0);
    assert_int_equal(get(&b, "10.0.0.8"), 8);
    devices_finish(&b.devices);
}

static void strangers_cannot_make_it_grow(void **state)
{
    struct rig b;
    char address[32];

    (void)state;
    begin(&b);
    for (unsigned i = 0; i < DEVICES_MAX + 100; i++) {
        snprintf(address, sizeof(address), "stranger %u", i);
        assert_true(get_and_tell(&b, address) <= DEVICES_MAX);
    }
    assert_int_equal(b.seen.count, DEVICES_MAX);
    assert_int_equal(b.devices.by_key.n, DEVICES_MAX);
    devices_finish(&b.devices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_one_device_and_seen_once),
        cmocka_unit_test(a_device_is_told_of_when_something_is_told_of_it),
        cmocka_unit_test(a_port_of_the_proxy_can_stand_for_a_device),
        cmocka_unit_test(threads_that_meet_the_same_devices_agree),
        cmocka_unit_test(a_person_gives_names),
        cmocka_unit_test(a_continued_recording_keeps_its_devices),
        cmocka_unit_test(strangers_cannot_make_it_grow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
