/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/explained.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "report/traffic.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct explained {
    struct input *input;
    struct explainer *explainer;
    struct traffic flows;
    bool with_traffic;
    uint64_t last_us;
    struct arena *arena;
    struct report report;
};

static void put(void *ctx, const struct obs *o)
{
    struct explained *e = ctx;

    e->last_us = o->at_us > e->last_us ? o->at_us : e->last_us;
    explainer_put(e->explainer, o);
    if (e->with_traffic)
        traffic_put(&e->flows, o);
}

static struct str name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (strcmp(path, "-") == 0)
        return STR("standard input");
    return str_of(slash && slash[1] ? slash + 1 : path);
}

static bool is_called(const struct strip *s, struct str device)
{
    return str_ieq(s->id, device) || str_ieq(s->name, device) || str_ieq(s->address, device);
}

static int no_such_device(const struct explained *e, const char *device, struct err *err)
{
    enum { LISTED = 20 };
    struct buf known;
    size_t n = explainer_device_count(e->explainer);

    buf_init(&known, 512);
    for (size_t i = 0; i < n && i < LISTED; i++) {
        const struct strip *s = explainer_strip(e->explainer, i, e->arena);

        buf_printf(&known, "%s" STR_FMT " (" STR_FMT ")", i ? ", " : "", STR_ARG(s->id),
                   STR_ARG(s->name.n ? s->name : s->address));
    }
    if (n > LISTED)
        buf_printf(&known, " and %zu more", n - LISTED);
    err_set(err, -ENOENT, STR_FMT ": there is no device '%s'; there %s: " STR_FMT,
            STR_ARG(e->report.name), device,
            n == 1 ? "is"
            : n    ? "are"
                   : "is none",
            STR_ARG(buf_str(&known)));
    buf_finish(&known);
    return -ENOENT;
}

/* The strips, as the report has them. */
static int take_devices(struct explained *e, const char *device, struct err *err)
{
    size_t n = explainer_device_count(e->explainer);
    struct report_device *devices = arena_array(e->arena, n, sizeof *devices);

    for (size_t i = 0; i < n; i++) {
        struct report_device d = {.strip = explainer_strip(e->explainer, i, e->arena)};

        if (device && !is_called(d.strip, str_of(device)))
            continue;
        if (e->with_traffic)
            d.flows = traffic_of(&e->flows, d.strip->device, e->arena, &d.flow_count);
        devices[e->report.device_count++] = d;
    }
    e->report.devices = devices;
    if (device && !e->report.device_count)
        return no_such_device(e, device, err);
    return 0;
}

static int explain(struct explained *e, const char *device, struct err *err)
{
    int r = input_replay(e->input, put, e, err);

    if (r)
        return r;
    explainer_finish(e->explainer);
    e->report.duration_us = e->last_us;
    if (e->with_traffic) {
        traffic_end(&e->flows);
        if (e->flows.left_out)
            log_warn(STR_FMT ": the last %" PRIu64 " flows are too many to be listed",
                     STR_ARG(e->report.name), e->flows.left_out);
    }
    return take_devices(e, device, err);
}

int explained_open(const char *path, const struct knowledge *knowledge, const char *device,
                   bool traffic, struct explained **ret_explained, struct err *err)
{
    struct explained *e = xalloc(sizeof *e);
    int r;

    e->arena = arena_create();
    e->explainer = explainer_create(knowledge);
    e->with_traffic = traffic;
    traffic_init(&e->flows, knowledge_endpoints(knowledge));
    e->report.name = name_of(path);
    e->report.traffic = traffic;
    r = input_open(path, &e->input, err);
    if (r)
        goto fail;
    e->report.kind = str_of(input_kind(e->input));
    e->report.began_wall_us = input_began_wall_us(e->input);
    r = explain(e, device, err);
    if (r)
        goto fail;
    *ret_explained = e;
    return 0;

fail:
    explained_close(e);
    return r;
}

void explained_close(struct explained *e)
{
    if (!e)
        return;
    input_close(e->input);
    explainer_destroy(e->explainer);
    traffic_finish(&e->flows);
    arena_destroy(e->arena);
    free(e);
}

const struct report *explained_report(const struct explained *e)
{
    return &e->report;
}

struct input *explained_input(struct explained *e)
{
    return e->input;
}
