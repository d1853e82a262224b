/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz/flow_check.h"

#include "base/xalloc.h"
#include "fuzz/dialogue.h"
#include "fuzz/must.h"
#include "sources/proxy/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The stream */

static struct flow_seen *flow_numbered(struct flow_check *c, uint64_t number)
{
    must(number <= c->flow_count + 1, "flows are numbered one after the other");
    if (number > c->flow_count) {
        c->flows = xreallocarray(c->flows, ++c->flow_count, sizeof *c->flows);
        c->flows[number - 1] = (struct flow_seen){0};
    }
    return &c->flows[number - 1];
}

static const struct link *device_at(struct str client)
{
    char text[ADDRESS_TEXT];
    const struct link *l;

    for (unsigned i = 0; (l = net_link(i)); i++)
        if (l->kind == LINK_DEVICE && str_eq(address_port_text(&l->address, text), client))
            return l;
    return NULL;
}

/* The one that stands and has no other flow now; NULL when there is none, or more than one. */
static const struct link *server_at(const struct flow_check *c, const struct obs *o)
{
    const struct link *l, *found = NULL;
    char text[ADDRESS_TEXT];

    for (unsigned i = 0; (l = net_link(i)); i++) {
        if (l->kind != LINK_SERVER || l->waits || l->closed || c->flow_of[i] ||
            address_port(&l->address) != o->port ||
            !str_eq(address_text(&l->address, text), o->address))
            continue;
        if (found)
            return NULL;
        found = l;
    }
    return found;
}

static bool is_tunnel(const struct flow_seen *f)
{
    return f->how == HOW_CONNECT || f->how == HOW_SOCKS;
}

static void flow_opened(struct flow_seen *f, const struct obs *o)
{
    must(!f->opened, "a flow is opened once");
    f->opened = true;
    f->how = o->how;
    f->upstream = str_eq(o->host, STR("up.test"));
    f->device = device_at(o->client);
    must(f->device, "a flow is of a device that came");
}

static void flow_moved(struct flow_seen *f, const struct obs *o)
{
    must(o->bytes_up >= f->bytes_up && o->bytes_down >= f->bytes_down, "counts do not fall");
    must(o->bytes_up <= f->device->taken, "no more is counted than the device sent");
    f->bytes_up = o->bytes_up;
    f->bytes_down = o->bytes_down;
}

/* In order, and ready for what the other end has to say. */
static bool ended(const struct link *l)
{
    return l->end_sent && l->reads && !l->reset && !l->left;
}

static void flow_closed(struct flow_seen *f, const struct obs *o)
{
    const struct link *device = f->device, *server = f->server;

    flow_moved(f, o);
    f->closed = true;
    f->why = o->why;
    f->both_ended = server && ended(device) && ended(server) &&
                    (o->why == WHY_DEVICE_CLOSED || o->why == WHY_SERVER_CLOSED);
}

static void connected(struct flow_check *c, struct flow_seen *f, const struct obs *o)
{
    f->server = server_at(c, o);
    if (f->server)
        c->flow_of[f->server->number] = o->flow;
}

static void tell(const struct obs *o)
{
    fprintf(stderr, "%8.3f %s flow %u", (double)o->at_us / 1e6, obs_kinds[o->kind].name,
            (unsigned)o->flow);
    if (o->kind == OBS_FLOW_CLOSED)
        fprintf(stderr, " %s up %u down %u", obs_whys[o->why].name, (unsigned)o->bytes_up,
                (unsigned)o->bytes_down);
    fputc('\n', stderr);
}

void flow_check_put(void *ctx, const struct obs *o)
{
    struct flow_check *c = ctx;
    struct flow_seen *f;

    c->count++;
    if (c->tells)
        tell(o);
    must(o->seq == c->last_seq + 1, "observations are numbered one after the other");
    must(o->at_us >= c->last_us, "time does not go back");
    c->last_seq = o->seq;
    c->last_us = o->at_us;
    if (!o->flow)
        return;
    f = flow_numbered(c, o->flow);
    must(!f->closed, "nothing is seen of a flow after its end");
    must(f->opened == (o->kind != OBS_FLOW_OPENED), "a flow begins by being opened");
    if (o->kind == OBS_FLOW_OPENED)
        flow_opened(f, o);
    else if (o->kind == OBS_RULE_APPLIED)
        f->throttled |= str_eq(o->type, STR("throttle"));
    else if (o->kind == OBS_CONNECTED)
        connected(c, f, o);
    else if (o->kind == OBS_FLOW_PROGRESS)
        flow_moved(f, o);
    else if (o->kind == OBS_FLOW_CLOSED)
        flow_closed(f, o);
}

/* The links */

static struct str said(const struct link *l)
{
    return str_head(buf_str(&l->in), l->sent);
}

static struct str heard(const struct link *l)
{
    return buf_str(&l->out);
}

static bool stands(const struct link *l)
{
    return !l->reset && !l->closed && !l->left && !l->waits;
}

/* One direction of a tunnel: from what one end said to what the other heard. */
static void check_way(struct str from, struct str to, bool whole)
{
    must(to.n <= from.n && (!to.n || memcmp(from.p, to.p, to.n) == 0),
         "a tunnel passes on what was said, unchanged");
    must(!whole || to.n == from.n, "a tunnel passes on all that was said");
}

static void check_tunnel(const struct flow_seen *f, struct dialogue device, struct dialogue server,
                         bool quiet)
{
    struct str up = str_skip(said(f->device), device.up_at);
    struct str down = str_skip(said(f->server), server.down_at);
    bool flows = quiet && !f->throttled && stands(f->device) && stands(f->server) && !f->closed;
    bool flows_up = flows && f->server->reads;
    bool flows_down = flows && f->device->reads;

    if (!device.asks_tunnel || !server.tunnels)
        return;
    check_way(up, str_skip(heard(f->server), server.up_at), f->both_ended || flows_up);
    if (!device.tunnels)
        return;
    check_way(down, str_skip(heard(f->device), device.down_at), f->both_ended || flows_down);
    must(!flows_up || f->server->end_got == f->device->end_sent, "an end is passed up");
    must(!flows_down || f->device->end_got == f->server->end_sent, "an end is passed down");
    must(!f->both_ended || !is_tunnel(f) || (f->bytes_up == up.n && f->bytes_down == down.n),
         "what passed through a tunnel was counted");
}

/* A request that nobody meant to send is what smuggling would bring about. */
static void check_requests(struct dialogue server)
{
    must(!server.odd_request, "what is passed on as a request is one");
    must(server.requests <= server.responses + 1, "a server is asked again after it has answered");
}

static void check_server(const struct flow_check *c, const struct link *l, bool quiet)
{
    struct dialogue server = {.asks_tunnel = true, .tunnels = true};
    const struct flow_seen *f;

    if (!c->flow_of[l->number])
        return;
    f = &c->flows[c->flow_of[l->number] - 1];
    if (!is_tunnel(f) || f->upstream) {
        server = dialogue_read_http(heard(l), said(l));
        check_requests(server);
    }
    check_tunnel(f, dialogue_read(said(f->device), heard(f->device)), server, quiet);
}

static void check_device(const struct link *l)
{
    struct dialogue d = dialogue_read(said(l), heard(l));

    must(!d.odd_response || l->reset, "what a device is answered is well-formed, or breaks off");
    must(!d.unasked, "a device is answered what it asked and no more");
}

void flow_check_links(const struct flow_check *c, bool quiet)
{
    const struct link *l;

    for (unsigned i = 0; (l = net_link(i)); i++) {
        if (l->kind == LINK_SERVER)
            check_server(c, l, quiet);
        else
            check_device(l);
    }
}

void flow_check_finish(struct flow_check *c)
{
    for (size_t i = 0; i < c->flow_count; i++)
        must(c->flows[i].closed, "every flow that was opened is closed in the end");
    free(c->flows);
}
