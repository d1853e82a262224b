/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/events.h"

#include "base/auto.h"
#include "base/xalloc.h"
#include "serve/api_private.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>

enum {
    TICK_MS = 100,
    TICKS_A_SECOND = 1000 / TICK_MS,
    BATCH_ROWS_MAX = 2000,
    BATCH_DEVICES_MAX = 200,
    BATCH_BYTES_MAX = 4 << 20,
};

/* Events as they were written for whoever knew a recording up to `from`, who then knows `to`. */
struct batch {
    uint64_t from, to;
    bool is_there;
    bool has_more; /* there was more than one event takes */
    struct buf bytes;
};

/* The batches of one recording that somebody listens to. */
struct channel {
    struct channel *next;
    struct served *served;
    unsigned listeners;
    struct batch flows, devices;
};

struct events {
    struct loop *loop;
    struct web *web;
    struct loop_fd timer;
    uint64_t tick; /* counted while somebody listens */
    struct channel *channels;
    unsigned listeners;
};

struct listener {
    struct events *events;
    struct channel *channel;
    uint64_t seq, device_version; /* up to which it knows flows and devices */
    unsigned generation, notes_version;
    /* The next tick at which it is told of them: not before, so that changes come together. */
    uint64_t flows_tick, devices_tick, clock_tick;
};

/* --- events --- */

static void begin(struct buf *out, struct json *j, const char *event)
{
    buf_printf(out, "event: %s\ndata: ", event);
    json_init(j, out, false);
    json_object(j);
}

static void end(struct buf *out, struct json *j)
{
    json_end(j);
    buf_put_str(out, STR("\n\n"));
}

static void put_id(struct buf *out, uint64_t seq)
{
    buf_put_str(out, STR("id: "));
    buf_put_u64(out, seq);
    buf_put_byte(out, '\n');
}

static void put_empty(struct buf *out, const char *event)
{
    struct json j;

    begin(out, &j, event);
    end(out, &j);
}

static void put_now(struct buf *out, const char *event, const struct served *s)
{
    struct json j;

    begin(out, &j, event);
    api_key_u64(&j, "now_us", served_now_us(s));
    api_key_u64(&j, "seq", s->seq);
    api_key_u64(&j, "flows_from", flow_table_from(s->flows));
    end(out, &j);
}

/* --- batches --- */

static void write_rows(struct batch *b, const struct served *s, const struct flow_row *row)
{
    struct buf *out = &b->bytes;
    unsigned n = 0;
    struct json j;

    begin(out, &j, "flows");
    api_key_u64(&j, "now_us", served_now_us(s));
    json_key(&j, "rows");
    json_array(&j);
    for (; row && n < BATCH_ROWS_MAX && out->n < BATCH_BYTES_MAX; row = row->newer, n++) {
        put_row_array(&j, row);
        b->to = row->seq;
    }
    json_end(&j);
    b->has_more = row;
    if (!row)
        b->to = s->seq;
    json_end(&j);
    buf_put_byte(out, '\n');
    put_id(out, b->to);
    buf_put_byte(out, '\n');
}

/* Nothing is written when no flow has changed. */
static const struct batch *flows_after(struct channel *c, uint64_t seq)
{
    struct batch *b = &c->flows;
    const struct flow_row *row;

    if (b->is_there && b->from == seq)
        return b;
    buf_clear(&b->bytes);
    b->is_there = true;
    b->from = seq;
    row = flow_table_changed(c->served->flows, seq);
    b->has_more = false;
    b->to = c->served->seq;
    if (row)
        write_rows(b, c->served, row);
    return b;
}

static void write_devices(struct batch *b, struct served *s, const struct served_device *d)
{
    struct arena *arena = arena_create();
    unsigned n = 0;
    struct json j;

    begin(&b->bytes, &j, "devices");
    api_key_u64(&j, "now_us", served_now_us(s));
    json_key(&j, "devices");
    json_array(&j);
    for (; d && n < BATCH_DEVICES_MAX; d = d->newer, n++) {
        const struct strip *strip = served_strip(s, d->id, arena);

        if (strip)
            api_put_summary(&j, strip);
        b->to = d->version;
    }
    json_end(&j);
    end(&b->bytes, &j);
    b->has_more = d;
    arena_destroy(arena);
}

static const struct batch *devices_after(struct channel *c, uint64_t version)
{
    struct batch *b = &c->devices;
    const struct served_device *d;

    if (b->is_there && b->from == version)
        return b;
    buf_clear(&b->bytes);
    b->is_there = true;
    b->from = version;
    served_catch_up(c->served);
    d = served_changed(c->served, version);
    b->has_more = false;
    b->to = version;
    if (d)
        write_devices(b, c->served, d);
    return b;
}

/* What was written stays true, but it is not all any more. */
static void forget_batches(struct channel *c)
{
    c->flows.is_there = false;
    c->devices.is_there = false;
}

/* --- what a listener is told --- */

static bool is_lost(const struct listener *l)
{
    const struct served *s = l->channel->served;

    return l->generation != s->generation || l->seq < flow_table_gone_seq(s->flows) ||
           l->seq > s->seq;
}

static void tell_reset(struct listener *l, struct buf *out)
{
    const struct served *s = l->channel->served;

    l->generation = s->generation;
    l->seq = s->seq;
    put_id(out, l->seq);
    put_empty(out, "reset");
}

static void tell_flows(struct listener *l, struct buf *out)
{
    const struct batch *b;

    if (l->events->tick < l->flows_tick)
        return;
    b = flows_after(l->channel, l->seq);
    buf_put_str(out, buf_str(&b->bytes));
    l->seq = b->to;
    if (!b->has_more)
        l->flows_tick = l->events->tick + 1;
}

static void tell_devices(struct listener *l, struct buf *out)
{
    const struct batch *b;

    if (l->events->tick < l->devices_tick)
        return;
    b = devices_after(l->channel, l->device_version);
    buf_put_str(out, buf_str(&b->bytes));
    l->device_version = b->to;
    if (!b->has_more)
        l->devices_tick = l->events->tick + TICKS_A_SECOND;
}

static void tell_notes(struct listener *l, struct buf *out)
{
    const struct served *s = l->channel->served;

    if (l->notes_version == s->notes_version)
        return;
    l->notes_version = s->notes_version;
    put_empty(out, "notes");
}

static void tell_clock(struct listener *l, struct buf *out)
{
    if (l->events->tick < l->clock_tick)
        return;
    put_now(out, "clock", l->channel->served);
    l->clock_tick = l->events->tick + TICKS_A_SECOND;
}

static bool knows_all(const struct listener *l)
{
    const struct served *s = l->channel->served;

    return l->seq == s->seq && l->device_version == s->device_version;
}

/* When it has ended there is nothing to wait for. */
static void hurry(struct listener *l)
{
    l->flows_tick = 0;
    l->devices_tick = 0;
}

static bool fill(void *ctx, struct buf *out)
{
    struct listener *l = ctx;
    const struct served *s = l->channel->served;

    if (is_lost(l))
        tell_reset(l, out);
    if (!s->live)
        hurry(l);
    tell_flows(l, out);
    tell_devices(l, out);
    tell_notes(l, out);
    if (!s->live && knows_all(l)) {
        put_now(out, "end", s);
        return false;
    }
    tell_clock(l, out);
    return true;
}

/* --- ticks --- */

static void set_timer(struct events *e, bool on)
{
    struct itimerspec every = {0};

    if (on) {
        every.it_value.tv_nsec = TICK_MS * 1000000L;
        every.it_interval = every.it_value;
    }
    timerfd_settime(e->timer.fd, 0, &every, NULL);
}

static void on_tick(void *ctx, unsigned events)
{
    struct events *e = ctx;
    uint64_t times;

    (void)events;
    if (read(e->timer.fd, &times, sizeof times) != sizeof times)
        return;
    e->tick++;
    for (struct channel *c = e->channels; c; c = c->next) {
        forget_batches(c);
        if (e->tick % TICKS_A_SECOND == 0)
            served_look_for_notes(c->served);
    }
    web_wake(e->web);
}

void events_tell(struct events *e)
{
    if (e->listeners)
        web_wake(e->web);
}

/* --- listeners come and go --- */

void events_hold(struct events *e)
{
    if (!e->listeners++)
        set_timer(e, true);
}

void events_release(struct events *e)
{
    if (!--e->listeners)
        set_timer(e, false);
}

static struct channel *channel_of(struct events *e, struct served *s)
{
    struct channel *c = e->channels;

    while (c && c->served != s)
        c = c->next;
    if (c)
        return c;
    c = xalloc(sizeof *c);
    *c = (struct channel){.next = e->channels, .served = s};
    buf_init(&c->flows.bytes, BUF_UNBOUNDED);
    buf_init(&c->devices.bytes, BUF_UNBOUNDED);
    e->channels = c;
    served_look_for_notes(s);
    return c;
}

static void destroy_channel(struct channel *c)
{
    buf_finish(&c->flows.bytes);
    buf_finish(&c->devices.bytes);
    free(c);
}

static void leave_channel(struct events *e, struct channel *c)
{
    struct channel **at = &e->channels;

    if (--c->listeners)
        return;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    destroy_channel(c);
}

static void leave(void *ctx)
{
    struct listener *l = ctx;
    struct events *e = l->events;

    leave_channel(e, l->channel);
    events_release(e);
    free(l);
}

/*
 * Devices and notes have no place that a listener could come back with: it is told of all devices,
 * and that notes may be others.
 */
struct web_stream events_listen(struct events *e, struct served *s, uint64_t after)
{
    struct listener *l = xalloc(sizeof *l);

    *l = (struct listener){.events = e, .channel = channel_of(e, s), .seq = after};
    l->generation = s->generation;
    l->notes_version = s->notes_version - 1;
    l->channel->listeners++;
    events_hold(e);
    return (struct web_stream){.fill = fill, .close = leave, .ctx = l};
}

/* --- making and ending --- */

int events_create(struct loop *loop, struct web *web, struct events **ret_events, struct err *err)
{
    struct events *e = xalloc(sizeof *e);
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), r;

    if (fd < 0) {
        r = err_set(err, -errno, "cannot make a timer: %s", strerror(errno));
        free(e);
        return r;
    }
    *e = (struct events){.loop = loop, .web = web};
    e->timer = (struct loop_fd){.fd = fd, .events = LOOP_READ, .ready = on_tick, .ctx = e};
    r = loop_add_fd(loop, &e->timer);
    if (r < 0) {
        err_set(err, r, "cannot watch a timer: %s", strerror(-r));
        close(fd);
        free(e);
        return r;
    }
    *ret_events = e;
    return 0;
}

void events_destroy(struct events *e)
{
    if (!e)
        return;
    loop_close_fd(e->loop, &e->timer);
    free(e);
}

/* --- its route --- */

static bool read_place(const struct web_request *r, struct web_answer *a, uint64_t *ret_seq)
{
    struct str id = web_header(r, "Last-Event-ID");

    if (id.p && str_to_u64(id, ret_seq))
        return true;
    return api_number(r, a, "after", ret_seq);
}

void api_live(void *ctx, const struct web_request *r, struct web_answer *a)
{
    const struct api *api = ctx;
    struct served *s = api_recording(api, r, a);
    uint64_t seq = 0;

    if (!s || !read_place(r, a, &seq))
        return;
    a->type = "text/event-stream";
    a->stream = events_listen(api->events, s, seq);
}
