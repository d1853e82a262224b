/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recordings, and the devices in each. */
#include "base/timefmt.h"
#include "report/parts.h"
#include "serve/api_private.h"

#include <stdlib.h>

static void put_began(struct json *j, uint64_t wall_us)
{
    struct buf began;

    buf_init(&began, 64);
    put_rfc3339(&began, wall_us);
    api_key_str(j, "began", buf_str(&began));
    api_key_u64(j, "began_wall_us", wall_us);
    buf_finish(&began);
}

static void put_id(struct json *j, size_t index)
{
    struct buf id;

    buf_init(&id, 32);
    buf_put_u64(&id, index + 1);
    api_key_str(j, "id", buf_str(&id));
    buf_finish(&id);
}

static void put_recording(struct json *j, struct served *s, size_t index)
{
    json_object(j);
    put_id(j, index);
    api_key_str(j, "name", str_of(s->about.name));
    api_key_str(j, "kind", str_of(s->about.kind));
    put_began(j, s->about.began_wall_us);
    api_key_u64(j, "now_us", served_now_us(s));
    api_key_bool(j, "live", s->live);
    api_key_bool(j, "takes_notes", s->about.takes_notes);
    api_key_u64(j, "seq", s->seq);
    api_key_u64(j, "flow_count", flow_table_count(s->flows));
    api_key_u64(j, "flows_from", flow_table_from(s->flows));
    api_key_u64(j, "device_count", s->devices.n);
    json_end(j);
}

void api_recordings(void *ctx, const struct web_request *r, struct web_answer *a)
{
    const struct api *api = ctx;
    struct json j;

    (void)r;
    api_begin(a, &j);
    json_key(&j, "recordings");
    json_array(&j);
    for (size_t i = 0; i < api->n; i++)
        put_recording(&j, api->recordings[i], i);
    json_end(&j);
    json_end(&j);
}

/* --- devices --- */

static void put_phase_now(struct json *j, const struct strip *s)
{
    const struct strip_phase *now = NULL;

    for (size_t i = 0; i < s->phase_count; i++)
        if (s->phases[i].open)
            now = &s->phases[i];
    json_key(j, "phase");
    if (now)
        json_str(j, now->id);
    else
        json_null(j);
}

static void put_phases(struct json *j, const struct strip *s)
{
    json_key(j, "phases");
    json_array(j);
    for (size_t i = 0; i < s->phase_count; i++) {
        json_object(j);
        put_phase_members(j, &s->phases[i]);
        json_end(j);
    }
    json_end(j);
}

static void put_finding_counts(struct json *j, const struct strip *s)
{
    static const enum severity all[] = {SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_INFO};

    json_key(j, "finding_counts");
    json_object(j);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        uint64_t n = 0;

        for (size_t k = 0; k < s->finding_count; k++)
            n += s->findings[k].severity == all[i];
        api_key_u64(j, severity_name(all[i]), n);
    }
    json_end(j);
}

void api_put_summary(struct json *j, const struct strip *strip)
{
    json_object(j);
    put_device_members(j, strip);
    api_key_u64(j, "device", strip->device);
    put_phase_now(j, strip);
    put_phases(j, strip);
    put_finding_counts(j, strip);
    json_end(j);
}

static void put_device(struct json *j, struct served *s, uint32_t device)
{
    struct arena *arena = arena_create();
    const struct strip *strip = served_strip(s, device, arena);

    if (strip)
        api_put_summary(j, strip);
    arena_destroy(arena);
}

static int compare_ids(const void *a, const void *b)
{
    const uint32_t *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

/* In the order of their numbers, not of their changes: a page that asks again finds them there. */
static void put_devices(struct json *j, struct served *s, struct arena *arena)
{
    uint32_t *ids = arena_array(arena, s->devices.n, sizeof *ids);
    size_t n = 0;

    for (const struct served_device *d = s->oldest; d; d = d->newer)
        ids[n++] = d->id;
    qsort(ids, n, sizeof *ids, compare_ids);
    json_key(j, "devices");
    json_array(j);
    for (size_t i = 0; i < n; i++)
        put_device(j, s, ids[i]);
    json_end(j);
}

void api_devices(void *ctx, const struct web_request *r, struct web_answer *a)
{
    struct served *s = api_recording(ctx, r, a);
    struct json j;

    if (!s)
        return;
    served_catch_up(s);
    api_begin(a, &j);
    api_key_u64(&j, "seq", s->seq);
    put_devices(&j, s, r->arena);
    json_end(&j);
}

static bool device_named(struct str id, uint32_t *ret_device)
{
    struct str prefix = STR("device-");
    uint64_t number;

    if (!str_starts(id, prefix) || !str_to_u64(str_skip(id, prefix.n), &number) ||
        number > UINT32_MAX)
        return false;
    *ret_device = (uint32_t)number;
    return true;
}

void api_strip(void *ctx, const struct web_request *r, struct web_answer *a)
{
    struct served *s = api_recording(ctx, r, a);
    const struct strip *strip;
    uint32_t device;
    struct json j;

    if (!s)
        return;
    served_catch_up(s);
    strip = device_named(r->params[1], &device) ? served_strip(s, device, r->arena) : NULL;
    if (!strip) {
        web_refuse(r, a, 404, "there is no device '" STR_FMT "'", STR_ARG(r->params[1]));
        return;
    }
    api_begin(a, &j);
    api_key_u64(&j, "seq", s->seq);
    json_key(&j, "strip");
    json_object(&j);
    put_strip_members(&j, strip);
    api_key_u64(&j, "device", strip->device);
    json_end(&j);
    json_end(&j);
}
