/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sources/proxy/flow.h"

#include "sources/proxy/private.h"

#include <assert.h>

#define PROGRESS_US SECONDS(1)

static void tell_progress(void *ctx)
{
    struct flow *f = ctx;

    f->told = f->bytes_up + f->bytes_down;
    flow_put(f, &(struct obs){.kind = OBS_FLOW_PROGRESS,
                              .bytes_up = f->bytes_up,
                              .bytes_down = f->bytes_down});
}

void flow_init(struct flow *f, struct worker *worker)
{
    *f = (struct flow){.worker = worker};
    f->progress = (struct loop_timer){.fire = tell_progress, .ctx = f};
}

void flow_open(struct flow *f, uint32_t device, struct str client, struct str host, uint16_t port,
               enum flow_how how)
{
    assert(!f->id);
    f->id = stream_next_flow(f->worker->stream);
    f->device = device;
    f->how = how;
    f->bytes_up = f->bytes_down = f->told = 0;
    counters_opened(&f->worker->counters, how);
    flow_put(
        f, &(struct obs){
               .kind = OBS_FLOW_OPENED, .client = client, .host = host, .port = port, .how = how});
}

void flow_put(struct flow *f, struct obs *o)
{
    assert(f->id);
    o->source = SOURCE_PROXY;
    o->flow = f->id;
    o->device = f->device;
    stream_put(f->worker->stream, o);
}

void flow_moved(struct flow *f, size_t up, size_t down)
{
    struct loop *loop = f->worker->loop;

    f->bytes_up += up;
    f->bytes_down += down;
    counters_moved(&f->worker->counters, up, down);
    if (!f->progress.slot && f->bytes_up + f->bytes_down > f->told)
        loop_set_timer(loop, &f->progress, loop_now_us(loop) + PROGRESS_US);
}

void flow_close(struct flow *f, enum flow_why why)
{
    if (!f->id)
        return;
    loop_del_timer(f->worker->loop, &f->progress);
    counters_closed(&f->worker->counters, f->how, why);
    flow_put(f, &(struct obs){.kind = OBS_FLOW_CLOSED,
                              .bytes_up = f->bytes_up,
                              .bytes_down = f->bytes_down,
                              .why = why});
    f->id = 0;
}
