/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The loader walks the tree once and goes on after a problem, so that whoever wrote the file is
 * told all of them. Events are collected as they come and put in order at the end.
 */
#include "rehearse/scenario.h"

#include "base/timefmt.h"
#include "base/url.h"
#include "base/xalloc.h"
#include "base/yaml.h"

#include <stdlib.h>
#include <string.h>

enum {
    COUNT_MAX = 200,
    HEAD_TEXT_MAX = 2000,
    DEVICE_NAME_MAX = 100,
    TRIES_MAX = 100,
    NEEDED_TRIES = 3,
    TUNNEL_UP = 1500,
    TUNNEL_DOWN = 4500,
    ANSWER_DOWN = 1500,
};
#define SECOND_US 1000000ull
#define ENDS_MAX_US (24 * 3600 * SECOND_US)
#define FLOW_BYTES_MAX (4ull << 30)
#define TRY_AGAIN_US (15 * SECOND_US)

struct loader {
    struct yaml_doc *doc;
    struct arena *arena;
    struct scenario *s;
    const struct scenario_finder *finder;
    const struct yaml_node *sources;
    size_t event_room, flow_count;
    bool too_many; /* said once */
    bool aside;    /* what is read goes on while the rest is held up */
};

/* --- values -------------------------------------------------------------------------------------
 */

static bool read_time(struct loader *l, const struct yaml_node *node, uint64_t *ret_us)
{
    if (!node)
        return false;
    if (node->kind == YAML_SCALAR && strip_time_parse(node->text, ret_us) && *ret_us <= ENDS_MAX_US)
        return true;
    yaml_problem(l->doc, node, "expected a time in the scenario, as mm:ss or h:mm:ss");
    return false;
}

static void read_count(struct loader *l, const struct yaml_node *node, uint64_t max,
                       uint64_t *ret_count)
{
    uint64_t count;

    if (!yaml_u64(l->doc, node, &count))
        return;
    if (count < 1 || count > max)
        yaml_problem(l->doc, node, "expected a number from 1 to %llu", (unsigned long long)max);
    else
        *ret_count = count;
}

static void read_size(struct loader *l, const struct yaml_node *node, uint64_t *ret_bytes)
{
    uint64_t bytes;

    if (!yaml_bytes(l->doc, node, &bytes))
        return;
    if (bytes > FLOW_BYTES_MAX)
        yaml_problem(l->doc, node, "one flow moves at most 4 GB");
    else
        *ret_bytes = bytes;
}

static bool is_host(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-._", ascii_lower(text.p[i])))
            return false;
    return text.n && text.n <= HOST_MAX - 2 && text.p[0] != '.';
}

static struct str lower(struct loader *l, struct str text)
{
    struct buf out;
    struct str copy;

    buf_init(&out, HOST_MAX);
    host_put(&out, text);
    copy = arena_str(l->arena, buf_str(&out));
    buf_finish(&out);
    return copy;
}

/* Text of the file outlives the tree. */
static bool read_text(struct loader *l, const struct yaml_node *node, struct str *ret_text)
{
    struct str text;

    if (!yaml_text(l->doc, node, &text))
        return false;
    *ret_text = arena_str(l->arena, text);
    return true;
}

/* What goes into a request's head stays on its line. */
static bool fits_in_head(struct loader *l, const struct yaml_node *node)
{
    for (size_t i = 0; i < node->text.n; i++)
        if ((unsigned char)node->text.p[i] < ' ' || node->text.n > HEAD_TEXT_MAX) {
            yaml_problem(l->doc, node, "expected one line of at most %d bytes", HEAD_TEXT_MAX);
            return false;
        }
    return true;
}

/* It is part of a file's name. */
static void read_id(struct loader *l, const struct yaml_node *node, struct str *ret_id)
{
    if (!read_text(l, node, ret_id))
        return;
    for (size_t i = 0; i < ret_id->n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", ret_id->p[i])) {
            yaml_problem(l->doc, node, "expected lower-case letters, digits and hyphens");
            return;
        }
}

/* It is given to the proxy as NAME=ADDRESS. */
static void read_device_name(struct loader *l, const struct yaml_node *node, struct str *ret_name)
{
    if (read_text(l, node, ret_name) &&
        (ret_name->n > DEVICE_NAME_MAX || str_find(*ret_name, '=') < ret_name->n))
        yaml_problem(l->doc, node, "expected at most %d bytes without '='", DEVICE_NAME_MAX);
}

/* --- events -------------------------------------------------------------------------------------
 */

static void add_event(struct loader *l, const struct yaml_node *at, struct scenario_event event)
{
    struct scenario *s = l->s;

    if (s->event_count == SCENARIO_EVENTS_MAX) {
        if (!l->too_many)
            yaml_problem(l->doc, at, "more than %d events in one scenario", SCENARIO_EVENTS_MAX);
        l->too_many = true;
        return;
    }
    if (s->event_count == l->event_room) {
        l->event_room = l->event_room ? 2 * l->event_room : 256;
        s->events = xreallocarray(s->events, l->event_room, sizeof *s->events);
    }
    event.aside = l->aside;
    s->events[s->event_count++] = event;
}

/* When a flow of a step happens: once, in parallel, again and again. */
struct when {
    uint64_t at_us, count, apart_us, every_us, until_us;
};

static void read_when(struct loader *l, const struct yaml_node *node, uint64_t step_us,
                      struct when *w)
{
    const struct yaml_node *every = yaml_get(node, "every"), *until = yaml_get(node, "until");
    uint64_t after_us = 0;

    yaml_duration(l->doc, yaml_get(node, "after"), &after_us);
    *w = (struct when){.at_us = step_us + after_us, .count = 1, .until_us = step_us + after_us};
    read_count(l, yaml_get(node, "count"), COUNT_MAX, &w->count);
    yaml_duration(l->doc, yaml_get(node, "apart"), &w->apart_us);
    if (!every != !until) {
        yaml_problem(l->doc, every ? every : until, "'every' and 'until' go together");
        return;
    }
    if (yaml_duration(l->doc, every, &w->every_us) && w->every_us < SECOND_US)
        yaml_problem(l->doc, every, "expected a second or more");
    else if (read_time(l, until, &w->until_us) && w->until_us < w->at_us)
        yaml_problem(l->doc, until, "this is before the flow's first time");
}

static void add_flow_events(struct loader *l, const struct yaml_node *node, const struct when *w,
                            const struct scenario_flow *flow)
{
    uint64_t step_us = w->every_us >= SECOND_US ? w->every_us : UINT64_MAX;

    for (uint64_t at_us = w->at_us; at_us <= w->until_us && !l->too_many; at_us += step_us) {
        for (uint64_t i = 0; i < w->count; i++)
            add_event(l, node,
                      (struct scenario_event){
                          .at_us = at_us + i * w->apart_us, .what = SCENARIO_FLOW, .flow = flow});
        if (step_us > w->until_us - at_us)
            return;
    }
}

/* --- flows --------------------------------------------------------------------------------------
 */

static void read_keep(struct loader *l, const struct yaml_node *node, uint64_t *ret_us)
{
    if (node && node->kind == YAML_SCALAR && str_eq(node->text, STR("open")))
        *ret_us = KEEP_OPEN;
    else
        yaml_duration(l->doc, node, ret_us);
}

static void read_needed(struct loader *l, const struct yaml_node *node, const struct when *w,
                        struct scenario_flow *flow)
{
    const struct yaml_node *needed = yaml_get(node, "needed");
    uint64_t tries = 1;

    yaml_bool(l->doc, needed, &flow->needed);
    if (flow->needed) {
        tries = NEEDED_TRIES;
        if (w->count > 1 || w->every_us || yaml_count(yaml_get(node, "host")) > 1)
            yaml_problem(l->doc, needed, "only a single flow can be needed");
    }
    read_count(l, yaml_get(node, "tries"), TRIES_MAX, &tries);
    flow->tries = (unsigned)tries;
    flow->try_again_us = TRY_AGAIN_US;
    yaml_duration(l->doc, yaml_get(node, "again"), &flow->try_again_us);
}

/* What all the flows of one entry share. */
static struct scenario_flow read_flow(struct loader *l, const struct yaml_node *node, bool tunnel,
                                      const struct when *w)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", NULL};
    struct scenario_flow flow = {
        .path = STR("/"),
        .type = STR("application/octet-stream"),
        .up = tunnel ? TUNNEL_UP : 0,
        .down = tunnel ? TUNNEL_DOWN : ANSWER_DOWN,
    };
    const struct yaml_node *method = yaml_get(node, "method");
    unsigned which = 0;

    yaml_choice(l->doc, method, methods, &which);
    if (tunnel && method)
        yaml_problem(l->doc, method,
                     "what is asked in a tunnel cannot be seen; 'method' goes "
                     "with 'url'");
    if (!tunnel)
        flow.method = str_of(methods[which]);
    if (read_text(l, yaml_get(node, "agent"), &flow.agent))
        fits_in_head(l, yaml_get(node, "agent"));
    if (read_text(l, yaml_get(node, "type"), &flow.type))
        fits_in_head(l, yaml_get(node, "type"));
    read_size(l, yaml_get(node, "up"), &flow.up);
    read_size(l, yaml_get(node, "down"), &flow.down);
    yaml_duration(l->doc, yaml_get(node, "over"), &flow.over_us);
    read_keep(l, yaml_get(node, "keep"), &flow.keep_us);
    read_needed(l, node, w, &flow);
    return flow;
}

static bool read_place(struct loader *l, const struct yaml_node *node, bool tunnel,
                       struct scenario_flow *flow)
{
    struct url url;

    if (tunnel) {
        if (!is_host(node->text)) {
            yaml_problem(l->doc, node, "expected a host name");
            return false;
        }
        flow->host = lower(l, node->text);
        return true;
    }
    if (!url_parse(node->text, &url) || !str_ieq(url.scheme, STR("http")) || url.port != 80 ||
        !is_host(url.host) || str_find(url.target, ' ') < url.target.n) {
        yaml_problem(l->doc, node,
                     "expected a URL in the clear, as http://HOST/PATH; a tunnel has 'host'");
        return false;
    }
    flow->host = lower(l, url.host);
    flow->path = url.target.n ? arena_str(l->arena, url.target) : STR("/");
    return fits_in_head(l, node);
}

static void load_flow(struct loader *l, const struct yaml_node *node, uint64_t step_us)
{
    static const char *const keys[] = {"host",  "url",   "method", "agent", "type",  "up",
                                       "down",  "over",  "keep",   "after", "count", "apart",
                                       "every", "until", "needed", "tries", "again", NULL};
    const struct yaml_node *host, *url;
    struct yaml_node *place = NULL;
    struct scenario_flow shared;
    struct when when;
    size_t n = 0;

    if (!yaml_keys(l->doc, node, keys))
        return;
    host = yaml_get(node, "host");
    url = yaml_get(node, "url");
    if (!host == !url) {
        yaml_problem(l->doc, node,
                     "a flow has a 'host' (a tunnel to it) or a 'url' (in the clear)");
        return;
    }
    read_when(l, node, step_us, &when);
    shared = read_flow(l, node, host, &when);
    yaml_texts(l->doc, host ? host : url, &place, &n);
    for (; place; place = place->next) {
        struct scenario_flow *flow = arena_alloc(l->arena, sizeof *flow);

        *flow = shared;
        if (++l->flow_count > SCENARIO_FLOWS_MAX) {
            yaml_problem(l->doc, place, "more than %d flows in one scenario", SCENARIO_FLOWS_MAX);
            return;
        }
        if (read_place(l, place, host, flow))
            add_flow_events(l, place, &when, flow);
    }
}

/* --- steps --------------------------------------------------------------------------------------
 */

static void check_source(struct loader *l, const struct yaml_node *step)
{
    struct yaml_node *source = NULL;
    size_t n;

    if (!yaml_texts(l->doc, yaml_need(l->doc, step, "source"), &source, &n))
        return;
    for (; source; source = source->next) {
        char *name = str_dup(source->text);

        if (!str_eq(source->text, STR("invented")) && !yaml_get(l->sources, name))
            yaml_problem(l->doc, source,
                         "'%s' is not among the 'sources' of this file; what nobody stated is "
                         "'invented'",
                         name);
        free(name);
    }
}

static void load_off(struct loader *l, const struct yaml_node *node, uint64_t at_us)
{
    uint64_t for_us;

    if (!yaml_duration(l->doc, node, &for_us))
        return;
    add_event(l, node,
              (struct scenario_event){.at_us = at_us, .what = SCENARIO_OFF, .for_us = for_us});
}

static void load_step(struct loader *l, const struct yaml_node *step)
{
    static const char *const keys[] = {"at", "says", "source", "screen", "off", "flows", NULL};
    struct scenario_event screen = {.what = SCENARIO_SCREEN};
    const struct yaml_node *flows;
    struct str says;

    if (!yaml_keys(l->doc, step, keys) ||
        !read_time(l, yaml_need(l->doc, step, "at"), &screen.at_us))
        return;
    yaml_text(l->doc, yaml_need(l->doc, step, "says"), &says);
    check_source(l, step);
    if (read_text(l, yaml_get(step, "screen"), &screen.screen))
        add_event(l, step, screen);
    load_off(l, yaml_get(step, "off"), screen.at_us);
    flows = yaml_get(step, "flows");
    if (!flows || !yaml_is(l->doc, flows, YAML_LIST))
        return;
    for (const struct yaml_node *flow = flows->first; flow; flow = flow->next)
        load_flow(l, flow, screen.at_us);
}

/* --- faults -------------------------------------------------------------------------------------
 */

static bool takes_status(enum fault_kind kind)
{
    return kind == FAULT_BLOCKED || kind == FAULT_HTTP_STATUS;
}

static void load_fault(struct loader *l, const struct yaml_node *node)
{
    static const char *const keys[] = {"host", "kind", "status", NULL};
    static const unsigned usual[FAULT_KINDS] = {
        [FAULT_BLOCKED] = 403, [FAULT_PROXY_AUTHENTICATION] = 407, [FAULT_HTTP_STATUS] = 503};
    const struct yaml_node *status_node;
    struct yaml_node *host = NULL;
    unsigned kind = 0;
    uint64_t status;
    size_t n = 0;

    if (!yaml_keys(l->doc, node, keys) ||
        !yaml_choice(l->doc, yaml_need(l->doc, node, "kind"), fault_names, &kind) ||
        !yaml_texts(l->doc, yaml_need(l->doc, node, "host"), &host, &n))
        return;
    status = usual[kind];
    status_node = yaml_get(node, "status");
    if (status_node && !takes_status(kind))
        yaml_problem(l->doc, status_node, "'%s' has no status of its own", fault_names[kind]);
    else if (yaml_u64(l->doc, status_node, &status) && (status < 400 || status > 599))
        yaml_problem(l->doc, status_node, "expected a status from 400 to 599");
    for (; host; host = host->next) {
        struct fault *fault = &l->s->faults.faults[l->s->faults.n++];

        *fault =
            (struct fault){.hosts = lower(l, host->text), .kind = kind, .status = (unsigned)status};
    }
}

/* How many patterns the list can hold at most: every fault names one or a list of them. */
static size_t patterns_in(const struct yaml_node *faults)
{
    size_t n = 0;

    for (const struct yaml_node *fault = faults->first; fault; fault = fault->next) {
        const struct yaml_node *host = fault->kind == YAML_MAP ? yaml_get(fault, "host") : NULL;

        n += host && host->kind != YAML_SCALAR ? yaml_count(host) : 1;
    }
    return n;
}

static void load_faults(struct loader *l, const struct yaml_node *faults)
{
    if (!faults || !yaml_is(l->doc, faults, YAML_LIST))
        return;
    l->s->faults.faults = arena_array(l->arena, patterns_in(faults), sizeof *l->s->faults.faults);
    for (const struct yaml_node *fault = faults->first; fault; fault = fault->next)
        load_fault(l, fault);
}

/* --- the whole ----------------------------------------------------------------------------------
 */

/* The events of the scenario that this one is based on come first. */
static void load_base(struct loader *l, const struct yaml_node *root)
{
    const struct yaml_node *id = yaml_get(root, "based-on"), *until = yaml_get(root, "base-until");
    struct scenario *s = l->s;
    uint64_t until_us = UINT64_MAX;
    struct str id_text, name, bytes;

    read_time(l, until, &until_us);
    if (until && !id)
        yaml_problem(l->doc, until, "'base-until' goes with 'based-on'");
    if (!yaml_text(l->doc, id, &id_text))
        return;
    if (!l->finder || !l->finder->find(l->finder->ctx, id_text, &name, &bytes)) {
        yaml_problem(l->doc, id, "there is no scenario '" STR_FMT "' that this could be based on",
                     STR_ARG(id_text));
        return;
    }
    /* Without a finder: what it is based on has to stand on its own. */
    if (scenario_load(name, bytes, NULL, &s->base, &l->doc->problems)) {
        l->doc->problem_count++;
        return;
    }
    for (size_t i = 0; i < s->base->event_count; i++) {
        if (s->base->events[i].at_us < until_us)
            add_event(l, id, s->base->events[i]);
    }
    s->device = s->base->device;
    s->tls12 = s->base->tls12;
    s->ends_us = s->base->ends_us;
    l->aside = true;
}

static void load_invented(struct loader *l, const struct yaml_node *root)
{
    struct scenario *s = l->s;
    struct yaml_node *item = NULL;
    size_t base_count = s->base ? s->base->invented_count : 0, n = 0;

    yaml_texts(l->doc, yaml_need(l->doc, root, "invented"), &item, &n);
    s->invented = arena_array(l->arena, n + base_count, sizeof *s->invented);
    for (; item; item = item->next)
        s->invented[s->invented_count++] = arena_str(l->arena, item->text);
    for (size_t i = 0; i < base_count; i++)
        s->invented[s->invented_count++] = s->base->invented[i];
}

static void load_device(struct loader *l, const struct yaml_node *node)
{
    static const char *const keys[] = {"name", "tls", NULL};
    static const char *const versions[] = {"1.2", "1.3", NULL};
    unsigned version;

    if (!node || !yaml_keys(l->doc, node, keys))
        return;
    read_device_name(l, yaml_get(node, "name"), &l->s->device);
    if (yaml_choice(l->doc, yaml_get(node, "tls"), versions, &version))
        l->s->tls12 = version == 0;
}

static int by_time(const void *a, const void *b)
{
    const struct scenario_event *const *x = a, *const *y = b;

    if ((*x)->at_us != (*y)->at_us)
        return (*x)->at_us < (*y)->at_us ? -1 : 1;
    return *x < *y ? -1 : *x > *y; /* as they stand in the file */
}

static void sort_events(struct scenario *s)
{
    struct scenario_event *sorted = xreallocarray(NULL, s->event_count + 1, sizeof *sorted);
    struct scenario_event **order = xreallocarray(NULL, s->event_count + 1, sizeof(*order));

    for (size_t i = 0; i < s->event_count; i++)
        order[i] = &s->events[i];
    qsort(order, s->event_count, sizeof(*order), by_time);
    for (size_t i = 0; i < s->event_count; i++)
        sorted[i] = *order[i];
    free(order);
    free(s->events);
    s->events = sorted;
}

/* A device that is down opens nothing, and nothing happens after the end. */
static void drop_impossible(struct scenario *s)
{
    uint64_t up_again_us = 0;
    size_t kept = 0;

    for (size_t i = 0; i < s->event_count; i++) {
        struct scenario_event event = s->events[i];

        if (event.at_us >= s->ends_us || (event.what == SCENARIO_FLOW && event.at_us < up_again_us))
            continue;
        if (event.what == SCENARIO_OFF)
            up_again_us = event.at_us + event.for_us;
        s->events[kept++] = event;
    }
    s->event_count = kept;
}

static void load_scenario(struct loader *l, const struct yaml_node *root)
{
    static const char *const keys[] = {"id",       "title",  "says",     "sources",
                                       "invented", "device", "based-on", "base-until",
                                       "ends",     "faults", "steps",    NULL};
    struct scenario *s = l->s;
    const struct yaml_node *steps;

    if (!yaml_keys(l->doc, root, keys))
        return;
    read_id(l, yaml_need(l->doc, root, "id"), &s->id);
    read_text(l, yaml_need(l->doc, root, "title"), &s->title);
    read_text(l, yaml_need(l->doc, root, "says"), &s->says);
    l->sources = yaml_get(root, "sources");
    if (l->sources)
        yaml_is(l->doc, l->sources, YAML_MAP);
    load_base(l, root);
    load_invented(l, root);
    load_device(l, yaml_get(root, "device"));
    if (!read_time(l, yaml_get(root, "ends"), &s->ends_us) && !s->ends_us)
        yaml_need(l->doc, root, "ends");
    load_faults(l, yaml_get(root, "faults"));
    steps = s->base ? yaml_get(root, "steps") : yaml_need(l->doc, root, "steps");
    if (!steps || !yaml_is(l->doc, steps, YAML_LIST))
        return;
    for (const struct yaml_node *step = steps->first; step; step = step->next)
        load_step(l, step);
}

unsigned scenario_load(struct str file_name, struct str bytes, const struct scenario_finder *finder,
                       struct scenario **ret_scenario, struct buf *problems)
{
    struct scenario *s = xalloc(sizeof *s);
    struct loader l = {.doc = yaml_parse(file_name, bytes), .s = s, .finder = finder};
    unsigned problem_count;

    l.arena = s->arena = arena_create();
    if (l.doc->root && yaml_is(l.doc, l.doc->root, YAML_MAP))
        load_scenario(&l, l.doc->root);
    else if (!l.doc->problem_count)
        yaml_problem(l.doc, NULL, "this is empty; expected a scenario");
    sort_events(s);
    drop_impossible(s);

    problem_count = l.doc->problem_count;
    buf_put_str(problems, buf_str(&l.doc->problems));
    yaml_destroy(l.doc);
    if (problem_count)
        scenario_destroy(s);
    else
        *ret_scenario = s;
    return problem_count;
}

void scenario_destroy(struct scenario *s)
{
    if (!s)
        return;
    scenario_destroy(s->base);
    free(s->events);
    arena_destroy(s->arena);
    free(s);
}
