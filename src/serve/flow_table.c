/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/flow_table.h"

#include "base/arena.h"
#include "base/map.h"
#include "base/xalloc.h"
#include "explain/flow.h"

#include <assert.h>
#include <stdlib.h>

/*
 * Flows come nearly in the order of their numbers: threads number them together and are fetched one
 * after the other. A row that belongs further back than this comes from a file that somebody made,
 * and all are sorted when they are asked for.
 */
enum { OUT_OF_ORDER_MAX = 1024 };

/* Rows that were met one after the other, and their texts and points. */
struct chunk {
    struct chunk *next;
    struct arena *arena;
    size_t n;
    struct flow_row rows[FLOW_CHUNK];
};

struct flow_table {
    size_t rows_max, bytes_max;
    const struct endpoints *endpoints;
    struct map endpoint_numbers; /* of struct endpoint, by address: its index and one more */
    struct chunk *first, *last;  /* as they were met */
    struct map by_flow;
    struct flow_row **in_order; /* by number, unless they are to be sorted */
    size_t n, room;
    bool unsorted;
    struct flow_row *oldest, *newest; /* by their last change */
    uint64_t gone_seq, gone_flow; /* of rows that are gone: the last first_seq, the last number */
};

/* --- what hosts are --- */

static void number_endpoints(struct flow_table *t)
{
    map_finish(&t->endpoint_numbers);
    for (size_t i = 0; i < endpoints_count(t->endpoints); i++)
        map_put(&t->endpoint_numbers, (uintptr_t)endpoints_at(t->endpoints, i),
                (void *)(uintptr_t)(i + 1));
}

static int endpoint_of(const struct flow_table *t, const struct row_text *name)
{
    const struct endpoint *e = name ? endpoints_match(t->endpoints, row_str(name)) : NULL;

    return (int)(uintptr_t)(e ? map_get(&t->endpoint_numbers, (uintptr_t)e) : NULL) - 1;
}

void flow_table_use(struct flow_table *t, const struct endpoints *endpoints)
{
    t->endpoints = endpoints;
    number_endpoints(t);
    for (struct flow_row *row = t->oldest; row; row = row->newer)
        row->endpoint = endpoint_of(t, row->name);
}

/* --- the list by last change --- */

static void unlink_row(struct flow_table *t, struct flow_row *row)
{
    *(row->older ? &row->older->newer : &t->oldest) = row->newer;
    *(row->newer ? &row->newer->older : &t->newest) = row->older;
}

static void link_newest(struct flow_table *t, struct flow_row *row)
{
    row->older = t->newest;
    row->newer = NULL;
    *(row->older ? &row->older->newer : &t->oldest) = row;
    t->newest = row;
}

/* Readers that keep up stand near the newest, and those that begin before the oldest. */
const struct flow_row *flow_table_changed(const struct flow_table *t, uint64_t seq)
{
    const struct flow_row *known = t->newest, *unknown = t->oldest;

    while (known && unknown && known->seq > seq && unknown->seq <= seq) {
        known = known->older;
        unknown = unknown->newer;
    }
    if (!unknown || unknown->seq > seq)
        return unknown;
    return known ? known->newer : t->oldest;
}

uint64_t flow_table_gone_seq(const struct flow_table *t)
{
    return t->gone_seq;
}

/* --- the order of numbers --- */

static int compare_rows(const void *a, const void *b)
{
    const struct flow_row *left = *(struct flow_row *const *)a;
    const struct flow_row *right = *(struct flow_row *const *)b;

    return (left->flow > right->flow) - (left->flow < right->flow);
}

static void sort(struct flow_table *t)
{
    if (t->unsorted)
        qsort(t->in_order, t->n, sizeof *t->in_order, compare_rows);
    t->unsorted = false;
}

static void insert(struct flow_table *t, struct flow_row *row)
{
    size_t i = t->n, least = i > OUT_OF_ORDER_MAX ? i - OUT_OF_ORDER_MAX : 0;

    if (t->n == t->room) {
        t->room = t->room ? 2 * t->room : FLOW_CHUNK;
        t->in_order = xreallocarray(t->in_order, t->room, sizeof *t->in_order);
    }
    while (!t->unsorted && i > least && t->in_order[i - 1]->flow > row->flow)
        i--;
    if (i && t->in_order[i - 1]->flow > row->flow) {
        t->unsorted = true;
        i = t->n;
    }
    memmove(&t->in_order[i + 1], &t->in_order[i], (t->n - i) * sizeof *t->in_order);
    t->in_order[i] = row;
    t->n++;
}

size_t flow_table_count(const struct flow_table *t)
{
    return t->n;
}

const struct flow_row *flow_table_at(struct flow_table *t, size_t i)
{
    sort(t);
    return t->in_order[i];
}

uint64_t flow_table_from(struct flow_table *t)
{
    return t->n ? flow_table_at(t, 0)->flow : 1;
}

size_t flow_table_after(struct flow_table *t, uint64_t flow)
{
    size_t low = 0, high = t->n;

    sort(t);
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (t->in_order[middle]->flow > flow)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

const struct flow_row *flow_table_get(const struct flow_table *t, uint64_t flow)
{
    return map_get(&t->by_flow, flow);
}

/* --- rows come and go --- */

static bool is_in(const struct chunk *c, const struct flow_row *row)
{
    return row >= c->rows && row < c->rows + FLOW_CHUNK;
}

static void destroy_chunk(struct chunk *c)
{
    arena_destroy(c->arena);
    free(c);
}

static void forget_row(struct flow_table *t, struct flow_row *row)
{
    unlink_row(t, row);
    map_remove(&t->by_flow, row->flow);
    t->gone_seq = row->first_seq > t->gone_seq ? row->first_seq : t->gone_seq;
    t->gone_flow = row->flow > t->gone_flow ? row->flow : t->gone_flow;
}

static void forget_chunk(struct flow_table *t)
{
    struct chunk *c = t->first;
    size_t kept = 0;

    for (size_t i = 0; i < t->n; i++)
        if (!is_in(c, t->in_order[i]))
            t->in_order[kept++] = t->in_order[i];
    t->n = kept;
    for (size_t i = 0; i < c->n; i++)
        forget_row(t, &c->rows[i]);
    t->first = c->next;
    t->last = t->first ? t->last : NULL;
    destroy_chunk(c);
}

static size_t bytes(const struct flow_table *t)
{
    size_t n = 0;

    for (const struct chunk *c = t->first; c; c = c->next)
        n += sizeof *c + arena_bytes(c->arena);
    return n;
}

/* At the beginning of a chunk alone: so what the last one comes to hold may be above the ceiling.
 */
static void make_room(struct flow_table *t)
{
    while (t->first && (t->n + FLOW_CHUNK > t->rows_max || bytes(t) > t->bytes_max))
        forget_chunk(t);
}

static struct chunk *add_chunk(struct flow_table *t)
{
    struct chunk *c;

    make_room(t);
    c = xalloc(sizeof *c);
    c->arena = arena_create();
    *(t->last ? &t->last->next : &t->first) = c;
    t->last = c;
    return c;
}

static struct flow_row *add_row(struct flow_table *t, const struct obs *o)
{
    struct chunk *c = t->last;
    struct flow_row *row;

    if (!c || c->n == FLOW_CHUNK)
        c = add_chunk(t);
    row = &c->rows[c->n++];
    *row = (struct flow_row){.flow = o->flow,
                             .device = o->device,
                             .first_seq = o->seq,
                             .opened_us = o->at_us,
                             .resolve_ms = FLOW_NEVER,
                             .connect_ms = FLOW_NEVER,
                             .connected_us = FLOW_NEVER,
                             .hello_us = FLOW_NEVER,
                             .answered_us = FLOW_NEVER,
                             .ended_us = FLOW_NEVER,
                             .endpoint = -1};
    map_put(&t->by_flow, row->flow, row);
    insert(t, row);
    link_newest(t, row);
    return row;
}

struct flow_table *flow_table_create(const struct endpoints *endpoints, size_t rows_max,
                                     size_t bytes_max)
{
    struct flow_table *t = xalloc(sizeof *t);

    t->rows_max = rows_max;
    t->bytes_max = bytes_max;
    t->endpoints = endpoints;
    number_endpoints(t);
    return t;
}

void flow_table_destroy(struct flow_table *t)
{
    if (!t)
        return;
    while (t->first) {
        struct chunk *next = t->first->next;

        destroy_chunk(t->first);
        t->first = next;
    }
    map_finish(&t->endpoint_numbers);
    map_finish(&t->by_flow);
    free(t->in_order);
    free(t);
}

/* --- what a row keeps --- */

static struct arena *arena_of(struct flow_table *t, const struct flow_row *row)
{
    struct chunk *c = t->last;

    if (!is_in(c, row))
        for (c = t->first; !is_in(c, row);)
            c = c->next;
    return c->arena;
}

/* Room is doubled, so that a text that changes for ever takes no more than twice its ceiling. */
static void make_text_room(struct flow_table *t, struct flow_row *row, struct row_text *text,
                           size_t n)
{
    size_t room = 2u * text->room > n ? 2u * text->room : n;

    if (n <= text->room)
        return;
    text->p = arena_alloc(arena_of(t, row), room);
    text->room = (uint16_t)room;
}

static void keep(struct flow_table *t, struct flow_row *row, struct row_text *text, struct str s)
{
    s = str_head(s, FLOW_TEXT_MAX);
    if (!s.n || str_eq(row_str(text), s))
        return;
    make_text_room(t, row, text, s.n);
    memcpy(text->p, s.p, s.n);
    text->n = (uint16_t)s.n;
}

static void append(struct flow_table *t, struct flow_row *row, struct row_text *text, struct str s)
{
    char joined[FLOW_TEXT_MAX];
    size_t n = text->n;

    if (!n || !s.n || n + 2 + s.n > sizeof joined) {
        if (!n)
            keep(t, row, text, s);
        return;
    }
    memcpy(joined, text->p, n);
    memcpy(joined + n, "; ", 2);
    memcpy(joined + n + 2, s.p, s.n);
    keep(t, row, text, str_from(joined, n + 2 + s.n));
}

static void know_by(struct flow_table *t, struct flow_row *row, const struct row_text *name)
{
    if (row->name || !name->n)
        return;
    row->name = name;
    row->endpoint = endpoint_of(t, name);
}

/* --- how bytes grew --- */

/* The point that is missed least: between the two others that are closest to each other. */
static void merge_points(struct row_points *points)
{
    uint64_t least_us = UINT64_MAX;
    unsigned least = 1;

    assert(points->n > 2 && points->v);
    for (unsigned i = 1; i + 1 < points->n; i++) {
        uint64_t span_us = points->v[i + 1].at_us - points->v[i - 1].at_us;

        if (span_us < least_us) {
            least_us = span_us;
            least = i;
        }
    }
    memmove(&points->v[least], &points->v[least + 1], (points->n - least - 1) * sizeof *points->v);
    points->n--;
}

static void make_point_room(struct flow_table *t, const struct flow_row *row,
                            struct row_points *points)
{
    struct row_point *v;

    if (points->n < points->room)
        return;
    points->room = points->room ? 2 * points->room : 2;
    v = arena_array(arena_of(t, row), points->room, sizeof *v);
    if (points->v)
        memcpy(v, points->v, points->n * sizeof *v);
    points->v = v;
    assert(points->v);
}

static void add_point(struct flow_table *t, struct flow_row *row, uint64_t at_us)
{
    struct row_points *points = &row->moved;

    if (points->n && points->v[points->n - 1].at_us == at_us)
        points->n--; /* what is known of that moment now is more */
    else if (points->n == FLOW_POINTS_MAX)
        merge_points(points);
    make_point_room(t, row, points);
    points->v[points->n++] = (struct row_point){at_us, row->bytes_up, row->bytes_down};
}

static void on_bytes(struct flow_table *t, struct flow_row *row, const struct obs *o)
{
    if (o->bytes_up <= row->bytes_up && o->bytes_down <= row->bytes_down)
        return;
    row->bytes_up = o->bytes_up > row->bytes_up ? o->bytes_up : row->bytes_up;
    row->bytes_down = o->bytes_down > row->bytes_down ? o->bytes_down : row->bytes_down;
    add_point(t, row, o->at_us);
}

/* --- the fold --- */

static void on_opened(struct flow_table *t, struct flow_row *row, const struct obs *o)
{
    keep(t, row, &row->host, o->host);
    row->port = o->port;
    row->how = o->how;
    if (flow_says_host(o))
        know_by(t, row, &row->host);
}

static void on_hello(struct flow_table *t, struct flow_row *row, const struct obs *o)
{
    struct row_text *text = row->host.n ? &row->sni : &row->host;

    row->hello_us = o->at_us;
    if (!str_ieq(row_str(&row->host), o->sni))
        keep(t, row, text, o->sni);
    know_by(t, row, text);
}

/* A tunnel's CONNECT says no more than its host and port, whichever source told of it. */
static void on_request(struct flow_table *t, struct flow_row *row, const struct obs *o)
{
    struct row_text *text = row->host.n ? &row->asked : &row->host;

    if (!row->name) {
        keep(t, row, text, o->host);
        know_by(t, row, text);
    }
    if (str_eq(o->method, STR("CONNECT")))
        return;
    keep(t, row, &row->method, o->method);
    keep(t, row, &row->url, o->url);
}

static void on_answer(struct flow_row *row, const struct obs *o)
{
    if (row->answered_us == FLOW_NEVER)
        row->answered_us = o->at_us;
}

static void on_response(struct flow_table *t, struct flow_row *row, const struct obs *o)
{
    on_answer(row, o);
    row->status = o->status;
    keep(t, row, &row->content_type, o->content_type);
}

static void on_closed(struct flow_table *t, struct flow_row *row, const struct obs *o)
{
    on_bytes(t, row, o);
    row->ended_us = o->at_us;
    row->why = o->why;
}

static void step(struct flow_table *t, struct flow_row *row, const struct obs *o)
{
    switch (o->kind) {
    case OBS_FLOW_OPENED:
        on_opened(t, row, o);
        break;
    case OBS_NAME_RESOLVED:
        row->resolve_ms = o->ms;
        break;
    case OBS_CONNECTED:
        row->connect_ms = o->ms;
        row->connected_us = o->at_us;
        break;
    case OBS_NAME_FAILED:
    case OBS_CONNECT_FAILED:
    case OBS_TLS_ALERT:
        keep(t, row, &row->error, o->error);
        break;
    case OBS_TLS_HELLO:
        on_hello(t, row, o);
        break;
    case OBS_TLS_ANSWER:
        on_answer(row, o);
        break;
    case OBS_HTTP_REQUEST:
        on_request(t, row, o);
        break;
    case OBS_HTTP_RESPONSE:
        on_response(t, row, o);
        break;
    case OBS_RULE_APPLIED:
        append(t, row, &row->rules, o->text);
        break;
    case OBS_FLOW_PROGRESS:
        on_bytes(t, row, o);
        break;
    case OBS_FLOW_CLOSED:
        on_closed(t, row, o);
        break;
    default:
        break;
    }
}

/* A flow that is gone stays so; one whose beginning was not seen begins with what is seen first. */
static struct flow_row *row_of(struct flow_table *t, const struct obs *o)
{
    struct flow_row *row = map_get(&t->by_flow, o->flow);

    if (row || o->flow <= t->gone_flow)
        return row;
    return add_row(t, o);
}

void flow_table_put(void *table, const struct obs *o)
{
    struct flow_table *t = table;
    struct flow_row *row = o->flow ? row_of(t, o) : NULL;

    if (!row)
        return;
    step(t, row, o);
    row->seq = o->seq;
    unlink_row(t, row);
    link_newest(t, row);
}

void flow_table_fail(struct flow_table *t, uint64_t flow, enum flow_failure failure)
{
    struct flow_row *row = map_get(&t->by_flow, flow);

    if (row)
        row->failure = failure;
}

/* --- rows as JSON --- */

const struct flow_column flow_columns[] = {
#define COLUMN(member, type, says) {#member, #type, says},
#include "serve/flow_columns.def"
#undef COLUMN
    {NULL, NULL, NULL},
};

static void put_maybe(struct json *j, uint64_t value)
{
    if (value == FLOW_NEVER)
        json_null(j);
    else
        json_u64(j, value);
}

static void put_endpoint(struct json *j, int index)
{
    if (index < 0)
        json_null(j);
    else
        json_u64(j, (uint64_t)index);
}

static void put_points(struct json *j, struct row_points points)
{
    json_array(j);
    for (unsigned i = 0; i < points.n; i++) {
        json_u64(j, points.v[i].at_us);
        json_u64(j, points.v[i].bytes_up);
        json_u64(j, points.v[i].bytes_down);
    }
    json_end(j);
}

#define PUT_NUM(j, value) json_u64(j, value)
#define PUT_MAYBE(j, value) put_maybe(j, value)
#define PUT_TEXT(j, value) json_str(j, row_str(&(value)))
#define PUT_HOW(j, value) json_cstr(j, obs_hows[value].name)
#define PUT_WHY(j, value) json_cstr(j, obs_whys[value].name)
#define PUT_FAILURE(j, value) json_cstr(j, (value) ? flow_failure_names[value] : "")
#define PUT_ENDPOINT(j, value) put_endpoint(j, value)
#define PUT_MOVED(j, value) put_points(j, value)

void put_row_array(struct json *j, const struct flow_row *row)
{
    json_array(j);
#define COLUMN(member, type, says) PUT_##type(j, row->member);
#include "serve/flow_columns.def"
#undef COLUMN
    json_end(j);
}

void put_row_members(struct json *j, const struct flow_row *row)
{
#define COLUMN(member, type, says)                                                                 \
    json_key(j, #member);                                                                          \
    PUT_##type(j, row->member);
#include "serve/flow_columns.def"
#undef COLUMN
}
