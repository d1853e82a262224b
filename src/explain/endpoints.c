/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "explain/endpoints.h"

#include "base/host_table.h"
#include "base/map.h"
#include "base/xalloc.h"

#include <assert.h>
#include <stdlib.h>

struct endpoints {
    struct arena *arena;
    struct host_table *table; /* of struct endpoint */
    struct str_map by_service;
    struct service_info **services; /* in order of id, once built */
    size_t service_n, service_room;
};

const char *requirement_name(enum requirement r)
{
    static const char *const names[] = {"no", "conditional", "yes"};

    return names[r];
}

struct endpoints *endpoints_create(void)
{
    struct endpoints *e = xalloc(sizeof *e);

    e->arena = arena_create();
    e->table = host_table_create();
    return e;
}

void endpoints_destroy(struct endpoints *e)
{
    if (!e)
        return;
    host_table_destroy(e->table);
    str_map_finish(&e->by_service);
    arena_destroy(e->arena);
    free(e->services);
    free(e);
}

/* A copy of the endpoint whose texts are the arena's, with its pattern as the table keeps it. */
static struct endpoint copy(struct endpoints *e, const struct endpoint *from, struct str pattern)
{
    struct endpoint endpoint = *from;

    endpoint.pattern = pattern;
    endpoint.service = arena_str(e->arena, from->service);
    endpoint.role = arena_str(e->arena, from->role);
    endpoint.phases = arena_str(e->arena, from->phases);
    endpoint.ports = arena_str(e->arena, from->ports);
    endpoint.source = arena_str(e->arena, from->source);
    return endpoint;
}

void endpoints_add(struct endpoints *e, const struct endpoint *endpoint)
{
    struct host_entry *entry = host_table_add(e->table, endpoint->pattern);

    if (!entry->value)
        entry->value = arena_alloc(e->arena, sizeof *endpoint);
    *(struct endpoint *)entry->value = copy(e, endpoint, entry->pattern);
}

void endpoints_add_service(struct endpoints *e, const struct service_info *service)
{
    struct service_info *info = str_map_get(&e->by_service, service->id);

    if (!info) {
        info = arena_alloc(e->arena, sizeof *info);
        info->id = arena_str(e->arena, service->id);
        str_map_put(&e->by_service, info->id, info);
        if (e->service_n == e->service_room) {
            e->service_room = e->service_room ? e->service_room * 2 : 64;
            e->services = xreallocarray(e->services, e->service_room, sizeof *e->services);
        }
        e->services[e->service_n++] = info;
    }
    info->title = arena_str(e->arena, service->title);
    info->says = arena_str(e->arena, service->says);
}

static int by_id(const void *a, const void *b)
{
    const struct service_info *const *x = a, *const *y = b;

    return str_cmp((*x)->id, (*y)->id);
}

void endpoints_build(struct endpoints *e)
{
    host_table_build(e->table);
    if (e->service_n)
        qsort(e->services, e->service_n, sizeof *e->services, by_id);
}

const struct endpoint *endpoints_match(const struct endpoints *e, struct str host)
{
    return host_table_match(e->table, host);
}

size_t endpoints_count(const struct endpoints *e)
{
    return host_table_count(e->table);
}

const struct endpoint *endpoints_at(const struct endpoints *e, size_t i)
{
    return host_table_at(e->table, i);
}

const struct service_info *endpoints_service(const struct endpoints *e, struct str id)
{
    return str_map_get(&e->by_service, id);
}

size_t endpoints_service_count(const struct endpoints *e)
{
    return e->service_n;
}

const struct service_info *endpoints_service_at(const struct endpoints *e, size_t i)
{
    assert(i < e->service_n);
    return e->services[i];
}
