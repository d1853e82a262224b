/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/web_private.h"

#include <string.h>

static bool serves(const struct web_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 || (strcmp(route->method, MHD_HTTP_METHOD_GET) == 0 &&
                                                  strcmp(method, MHD_HTTP_METHOD_HEAD) == 0);
}

/* Segment by segment; what stands for each * goes into params. */
static bool matches(const struct web_route *route, const struct target *t,
                    struct str params[static WEB_PARAMS_MAX])
{
    struct str rest = str_skip(str_of(route->path), 1);
    size_t param_count = 0;

    for (size_t i = 0; i < t->segment_count; i++) {
        bool is_last = str_find(rest, '/') == rest.n;
        struct str wanted = str_cut(&rest, '/'), segment = t->segments[i];

        if (is_last != (i == t->segment_count - 1))
            return false;
        if (str_eq(wanted, STR("*")) && segment.n && param_count < WEB_PARAMS_MAX)
            params[param_count++] = segment;
        else if (!str_eq(wanted, segment))
            return false;
    }
    return true;
}

static void allow(struct buf *methods, const char *method)
{
    if (str_search(buf_str(methods), str_of(method)) < methods->n)
        return; /* there already, of another table */
    buf_printf(methods, "%s%s", methods->n ? ", " : "", method);
    if (strcmp(method, MHD_HTTP_METHOD_GET) == 0)
        buf_put_str(methods, STR(", HEAD"));
}

static void find_in(struct request *r, const struct table *table, struct buf *methods)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct web_route *route = &table->routes[i];
        struct str params[WEB_PARAMS_MAX] = {{0}};

        if (!matches(route, &r->target, params))
            continue;
        if (serves(route, r->given.method)) {
            r->route = route;
            r->ctx = table->ctx;
            memcpy(r->given.params, params, sizeof params);
            return;
        }
        allow(methods, route->method);
    }
}

void request_find_route(struct request *r)
{
    struct buf methods;

    buf_init(&methods, 256);
    for (size_t i = 0; i < r->web->table_count && !r->route; i++)
        find_in(r, &r->web->tables[i], &methods);
    if (methods.n)
        r->allow = arena_str(r->arena, buf_str(&methods)).p;
    buf_finish(&methods);
}
