/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/live.h"

#include "base/map.h"
#include "base/timefmt.h"
#include "base/xalloc.h"
#include "report/parts.h"
#include "report/wrap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

/* How often the line of traffic is written over, in real time. */
enum { REFRESH_US = 250000, OVER_BYTES = 64 << 10 };

struct live_flow {
    uint32_t device;
    char *target; /* "host:port"; NULL unless flows are shown */
    char *error;  /* what did not work, until it ends */
    char *rule;   /* the recorder's last that changed it; NULL: none, or flows are not shown */
    uint64_t status, bytes_up, bytes_down;
};

struct live_device {
    char *name;
    size_t index; /* the explainer's number for it */
    uint64_t open, flows, bytes_down;
    uint64_t shown_bytes; /* bytes_down when the rate was last taken */
    double rate;          /* bytes down a second */
};

struct live {
    struct loop *loop;
    struct explainer *explainer;
    int fd;
    bool traffic;
    bool gone; /* nobody reads any more */
    struct look look;
    struct buf out;
    struct buf beneath; /* the line of traffic as it stands on the terminal; empty: none */
    struct map flows, devices;
    uint32_t busiest; /* the device that moved something last; 0: none yet */
    uint64_t rated_us;
    struct loop_timer timer;
};

/* --- writing --- */

static void flush(struct live *l)
{
    struct str rest = buf_str(&l->out);

    while (rest.n && !l->gone) {
        ssize_t n = write(l->fd, rest.p, rest.n);

        if (n >= 0)
            rest = str_skip(rest, (size_t)n);
        else if (errno != EINTR)
            l->gone = true;
    }
    buf_clear(&l->out);
}

/* Lines go where the line of traffic stands, and that follows beneath them again. */
static void begin_lines(struct live *l)
{
    if (l->beneath.n)
        buf_put_str(&l->out, STR("\r\033[K"));
}

static void end_lines(struct live *l)
{
    buf_put_str(&l->out, buf_str(&l->beneath));
    flush(l);
}

/* --- devices and flows --- */

static struct live_device *device_of(struct live *l, uint32_t id)
{
    struct live_device *d = map_get(&l->devices, id);

    if (!d) {
        d = xalloc(sizeof *d);
        d->index = SIZE_MAX;
        map_put(&l->devices, id, d);
    }
    return d;
}

static void name_device(struct live *l, const struct obs *o)
{
    struct live_device *d = device_of(l, o->device);

    free(d->name);
    d->name = str_dup(o->name.n ? o->name : o->client);
}

/* What stands before a line when several devices share the list. */
static struct str prefix_of(struct live *l, uint32_t device)
{
    return l->devices.n > 1 ? str_of(device_of(l, device)->name) : (struct str){0};
}

static struct live_flow *flow_of(struct live *l, const struct obs *o)
{
    struct live_flow *f = map_get(&l->flows, o->flow);

    if (f)
        return f;
    f = xalloc(sizeof *f);
    f->device = o->device;
    map_put(&l->flows, o->flow, f);
    return f;
}

static void destroy_flow(struct live_flow *f)
{
    free(f->target);
    free(f->error);
    free(f->rule);
    free(f);
}

/* A line about a flow, which begins with its mark and ends as `put_rest` has it. */
static void show_flow(struct live *l, const struct obs *o, const struct live_flow *f, char mark,
                      void (*put_rest)(struct buf *out, const struct obs *o,
                                       const struct live_flow *f))
{
    struct str device = prefix_of(l, f->device);
    enum paint paint = f->error ? PAINT_BAD : PAINT_DIM;
    struct buf line;

    buf_init(&line, BUF_UNBOUNDED);
    buf_printf(&line, "%c ", mark);
    if (device.n)
        buf_printf(&line, STR_FMT ": ", STR_ARG(device));
    buf_put_str(&line, str_of(f->target));
    if (put_rest)
        put_rest(&line, o, f);

    begin_lines(l);
    unsigned column = put_at(&l->out, &l->look, o->at_us);
    paint_on(&l->out, &l->look, paint);
    put_wrapped(&l->out, buf_str(&line), column, column + 2, text_width(&l->look));
    paint_off(&l->out, &l->look, paint);
    buf_put_byte(&l->out, '\n');
    end_lines(l);
    buf_finish(&line);
}

static void put_how_it_ended(struct buf *out, const struct obs *o, const struct live_flow *f)
{
    if (f->status)
        buf_printf(out, ", status %" PRIu64, f->status);
    buf_put_str(out, STR(", "));
    put_bytes(out, f->bytes_up);
    buf_put_str(out, STR(" up, "));
    put_bytes(out, f->bytes_down);
    buf_printf(out, " down: %s", obs_whys[o->why].says);
    if (f->error)
        buf_printf(out, " (%s)", f->error);
    if (f->rule)
        buf_printf(out, " (flightstrip's rule: %s)", f->rule);
}

static char *target_of(const struct obs *o)
{
    struct buf text;
    char *copy;

    buf_init(&text, BUF_UNBOUNDED);
    buf_put_str(&text, o->host);
    if (o->port)
        buf_printf(&text, ":%" PRIu64, o->port);
    copy = str_dup(buf_str(&text));
    buf_finish(&text);
    return copy;
}

static void on_opened(struct live *l, const struct obs *o)
{
    struct live_flow *f = flow_of(l, o);
    struct live_device *d = device_of(l, o->device);

    d->open++;
    d->flows++;
    l->busiest = o->device;
    if (!l->traffic)
        return;
    free(f->target);
    f->target = target_of(o);
    show_flow(l, o, f, '+', NULL);
}

static void on_bytes(struct live *l, const struct obs *o)
{
    struct live_flow *f = flow_of(l, o);

    if (o->bytes_down > f->bytes_down)
        device_of(l, f->device)->bytes_down += o->bytes_down - f->bytes_down;
    f->bytes_up = o->bytes_up;
    f->bytes_down = o->bytes_down;
    l->busiest = f->device;
}

static void on_closed(struct live *l, const struct obs *o)
{
    struct live_flow *f = flow_of(l, o);
    struct live_device *d = device_of(l, f->device);

    on_bytes(l, o);
    d->open -= d->open > 0;
    if (l->traffic && f->target)
        show_flow(l, o, f, '-', put_how_it_ended);
    destroy_flow(map_remove(&l->flows, o->flow));
}

static void on_failed(struct live *l, const struct obs *o)
{
    struct live_flow *f = flow_of(l, o);

    free(f->error);
    f->error = str_dup(o->error);
}

static void on_rule(struct live *l, const struct obs *o)
{
    struct live_flow *f = flow_of(l, o);

    if (!l->traffic)
        return;
    free(f->rule);
    f->rule = str_dup(o->text);
}

void live_put(void *live, const struct obs *o)
{
    struct live *l = live;

    switch (o->kind) {
    case OBS_DEVICE_SEEN:
        name_device(l, o);
        break;
    case OBS_FLOW_OPENED:
        on_opened(l, o);
        break;
    case OBS_NAME_FAILED:
    case OBS_CONNECT_FAILED:
        on_failed(l, o);
        break;
    case OBS_RULE_APPLIED:
        on_rule(l, o);
        break;
    case OBS_HTTP_RESPONSE:
        flow_of(l, o)->status = o->status;
        break;
    case OBS_FLOW_PROGRESS:
        on_bytes(l, o);
        break;
    case OBS_FLOW_CLOSED:
        on_closed(l, o);
        break;
    default:
        break;
    }
}

/* --- moments --- */

static void print_moment(struct live *l, uint32_t device, const struct strip_moment *m)
{
    begin_lines(l);
    put_moment_text(&l->out, &l->look, prefix_of(l, device), m);
    end_lines(l);
}

static void print_finding(struct live *l, uint32_t device, const struct strip_finding *f)
{
    begin_lines(l);
    put_finding_text(&l->out, &l->look, prefix_of(l, device), f);
    end_lines(l);
}

static bool is_for_the_end(const struct strip_moment *m)
{
    return str_eq(m->id, STR("summary"));
}

static void on_moment(void *ctx, uint32_t device, const struct strip_moment *m, bool again)
{
    if (!again && !is_for_the_end(m))
        print_moment(ctx, device, m);
}

static void on_finding(void *ctx, uint32_t device, const struct strip_finding *f, bool again)
{
    if (!again)
        print_finding(ctx, device, f);
}

void live_say(struct live *l, const char *format, ...)
{
    struct buf text;
    va_list args;

    buf_init(&text, OVER_BYTES);
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    begin_lines(l);
    put_painted(&l->out, &l->look, PAINT_CAUTION, buf_str(&text));
    buf_put_byte(&l->out, '\n');
    end_lines(l);
    buf_finish(&text);
}

/* --- the line of traffic --- */

static struct strip *strip_of(struct live *l, uint32_t device, struct arena *arena)
{
    struct live_device *d = device_of(l, device);
    size_t n = explainer_device_count(l->explainer);

    if (d->index < n)
        return explainer_strip(l->explainer, d->index, arena);
    for (size_t i = 0; i < n; i++) {
        struct strip *s = explainer_strip(l->explainer, i, arena);

        if (s->device == device) {
            d->index = i;
            return s;
        }
    }
    return NULL;
}

static bool has_moment(const struct strip *s, const struct strip_moment *m)
{
    for (size_t i = 0; s && i < s->moment_count; i++)
        if (s->moments[i].at_us == m->at_us && str_eq(s->moments[i].id, m->id))
            return true;
    return false;
}

static bool has_finding(const struct strip *s, const struct strip_finding *f)
{
    for (size_t i = 0; s && i < s->finding_count; i++)
        if (s->findings[i].at_us == f->at_us && str_eq(s->findings[i].id, f->id))
            return true;
    return false;
}

/* A person's notes are in the recording alone: the stream never told of them. */
static void print_difference(struct live *l, const struct strip *before, const struct strip *now)
{
    for (size_t i = 0; i < now->moment_count; i++) {
        const struct strip_moment *m = &now->moments[i];

        if (!has_moment(before, m) && !is_for_the_end(m) && !str_eq(m->id, STR("note")))
            print_moment(l, now->device, m);
    }
    for (size_t i = 0; i < now->finding_count; i++)
        if (!has_finding(before, &now->findings[i]))
            print_finding(l, now->device, &now->findings[i]);
}

static void listen(struct live *l)
{
    explainer_listen(l->explainer, &(struct explainer_listener){
                                       .moment = on_moment, .finding = on_finding, .ctx = l});
}

void live_change_explainer(struct live *l, struct explainer *explainer)
{
    struct arena *arena = arena_create();
    struct live_device *d;

    if (loop_clock(l->loop)->kind != CLOCK_HELD) { /* as far as time has passed for the other */
        explainer_advance(l->explainer, loop_now_us(l->loop));
        explainer_advance(explainer, loop_now_us(l->loop));
    }
    for (size_t i = 0; i < explainer_device_count(explainer); i++) {
        const struct strip *now = explainer_strip(explainer, i, arena);

        print_difference(l, strip_of(l, now->device, arena), now);
    }
    arena_destroy(arena);

    l->explainer = explainer;
    for (size_t at = 0; (d = map_next(&l->devices, &at, NULL));)
        d->index = SIZE_MAX;
    listen(l);
}

static void put_current_phase(struct live *l, struct buf *line)
{
    struct arena *arena = arena_create();
    const struct strip *s = strip_of(l, l->busiest, arena);

    for (size_t i = s ? s->phase_count : 0; i--;)
        if (s->phases[i].open) {
            buf_put_str(line, STR(" · "));
            buf_put_str(line, s->phases[i].title);
            break;
        }
    arena_destroy(arena);
}

static void take_rate(struct live *l, struct live_device *d)
{
    uint64_t now_us = loop_now_us(l->loop);

    if (now_us <= l->rated_us)
        return;
    d->rate = (double)(d->bytes_down - d->shown_bytes) * 1e6 / (double)(now_us - l->rated_us);
    d->shown_bytes = d->bytes_down;
}

static void take_rates(struct live *l)
{
    struct live_device *d;

    for (size_t at = 0; (d = map_next(&l->devices, &at, NULL));)
        take_rate(l, d);
    l->rated_us = loop_now_us(l->loop);
}

static void put_traffic_line(struct live *l, struct buf *line)
{
    struct live_device *d = device_of(l, l->busiest);

    put_strip_time(line, loop_now_us(l->loop));
    buf_printf(line, "  %s", d->name ? d->name : "a device");
    if (l->devices.n > 1)
        buf_printf(line, " (of %zu)", l->devices.n);
    buf_printf(line, " · %" PRIu64 " open of %" PRIu64 " · ", d->open, d->flows);
    put_bytes(line, d->bytes_down);
    buf_put_str(line, STR(" down"));
    if (d->rate >= 1) {
        buf_put_str(line, STR(" · "));
        put_bytes(line, (uint64_t)d->rate);
        buf_put_str(line, STR("/s"));
    }
    put_current_phase(l, line);
}

static void rewrite_beneath(struct live *l)
{
    struct buf line;

    buf_init(&line, OVER_BYTES);
    if (l->busiest)
        put_traffic_line(l, &line);
    else
        buf_put_str(&line, STR("waiting for a device"));
    begin_lines(l);
    buf_clear(&l->beneath);
    buf_put_str(&l->beneath, STR("  "));
    paint_on(&l->beneath, &l->look, PAINT_DIM);
    put_fitted(&l->beneath, buf_str(&line), l->look.width - 3);
    paint_off(&l->beneath, &l->look, PAINT_DIM);
    buf_finish(&line);
    end_lines(l);
}

static void refresh(void *ctx)
{
    struct live *l = ctx;
    const struct clock *clock = loop_clock(l->loop);
    uint64_t now_us = loop_now_us(l->loop);

    explainer_advance(l->explainer, now_us);
    take_rates(l);
    if (l->look.terminal) {
        l->look.width = look_of(l->fd).width; /* the window may have changed */
        rewrite_beneath(l);
    }
    loop_set_timer(l->loop, &l->timer, now_us + (uint64_t)(REFRESH_US * clock->factor));
}

/* --- beginning and end --- */

struct live *live_create(struct loop *loop, struct explainer *explainer, int fd, bool traffic)
{
    struct live *l = xalloc(sizeof *l);

    *l = (struct live){
        .loop = loop, .explainer = explainer, .fd = fd, .traffic = traffic, .look = look_of(fd)};
    buf_init(&l->out, BUF_UNBOUNDED);
    buf_init(&l->beneath, OVER_BYTES);
    l->timer.fire = refresh;
    l->timer.ctx = l;
    listen(l);
    if (loop_clock(loop)->kind != CLOCK_HELD)
        loop_set_timer(loop, &l->timer, loop_now_us(loop));
    return l;
}

void live_end(struct live *l)
{
    struct arena *arena = arena_create();

    loop_del_timer(l->loop, &l->timer);
    begin_lines(l);
    buf_clear(&l->beneath);
    for (size_t i = 0; i < explainer_device_count(l->explainer); i++) {
        struct report_device d = {.strip = explainer_strip(l->explainer, i, arena)};

        put_device_text(&l->out, &l->look, &d, false);
    }
    end_lines(l);
    arena_destroy(arena);
}

void live_destroy(struct live *l)
{
    struct live_flow *f;
    struct live_device *d;

    if (!l)
        return;
    loop_del_timer(l->loop, &l->timer);
    for (size_t at = 0; (f = map_next(&l->flows, &at, NULL));)
        destroy_flow(f);
    for (size_t at = 0; (d = map_next(&l->devices, &at, NULL));) {
        free(d->name);
        free(d);
    }
    map_finish(&l->flows);
    map_finish(&l->devices);
    buf_finish(&l->out);
    buf_finish(&l->beneath);
    free(l);
}
