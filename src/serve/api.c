/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/api.h"

#include "base/xalloc.h"
#include "serve/api_private.h"

#include <inttypes.h>
#include <stdlib.h>

#define V1 "/api/v1"
#define R V1 "/recordings/*"

static const struct web_route routes[] = {
    {"GET", V1, api_about, 0, false},
    {"GET", V1 "/endpoints", api_endpoints, 0, false},
    {"GET", V1 "/rules/*", api_rule, 0, false},
    {"GET", V1 "/recordings", api_recordings, 0, false},
    {"GET", R "/devices", api_devices, 0, false},
    {"GET", R "/devices/*", api_strip, 0, false},
    {"GET", R "/flows", api_flows, 0, false},
    {"GET", R "/flows/*", api_flow, 0, false},
    {"GET", R "/observations", api_observations, 0, false},
    {"GET", R "/notes", api_notes, 0, false},
    {"POST", R "/notes", api_note_add, NOTE_BODY_MAX, true},
    {"PUT", R "/notes/*", api_note_change, NOTE_BODY_MAX, true},
    {"DELETE", R "/notes/*", api_note_remove, 0, true},
    {"GET", R "/export", api_export, 0, false},
    {"GET", R "/report", api_report, 0, false},
    {"GET", R "/file", api_file, 0, false},
    {"GET", R "/live", api_live, 0, false},
};

int api_create(struct loop *loop, struct web *web, struct served *const *recordings, size_t n,
               struct api **ret_api, struct err *err)
{
    struct api *api = xalloc(sizeof *api);
    int r;

    *api = (struct api){.web = web, .recordings = recordings, .n = n};
    r = events_create(loop, web, &api->events, err);
    if (r < 0) {
        api_destroy(api);
        return r;
    }
    web_add(web, routes, sizeof routes / sizeof *routes, api);
    *ret_api = api;
    return 0;
}

const struct knowledge *api_knowledge(const struct api *api)
{
    return api->recordings[0]->about.knowledge;
}

void api_destroy(struct api *a)
{
    if (!a)
        return;
    events_destroy(a->events);
    free(a);
}

struct served *api_recording(const struct api *api, const struct web_request *r,
                             struct web_answer *a)
{
    uint64_t id;

    if (str_to_u64(r->params[0], &id) && id && id <= api->n)
        return api->recordings[id - 1];
    web_refuse(r, a, 404, "there is no recording '" STR_FMT "'", STR_ARG(r->params[0]));
    return NULL;
}

void api_begin(struct web_answer *a, struct json *j)
{
    a->type = "application/json";
    a->body.max = JSON_BYTES_MAX;
    json_init(j, &a->body, false);
    json_object(j);
}

void api_key_u64(struct json *j, const char *key, uint64_t value)
{
    json_key(j, key);
    json_u64(j, value);
}

void api_key_str(struct json *j, const char *key, struct str value)
{
    json_key(j, key);
    json_str(j, value);
}

void api_key_bool(struct json *j, const char *key, bool value)
{
    json_key(j, key);
    json_bool(j, value);
}

bool api_number(const struct web_request *r, struct web_answer *a, const char *name,
                uint64_t *value)
{
    struct str text = web_query(r, name);

    if (!text.p || str_to_u64(text, value))
        return true;
    web_refuse(r, a, 400, "%s: '" STR_FMT "' is not a number", name, STR_ARG(str_head(text, 40)));
    return false;
}

bool api_open_file(struct served *s, const struct web_request *r, struct web_answer *a,
                   struct recording **ret_file)
{
    struct err err;

    if (served_file(s, ret_file, &err) == 0)
        return true;
    api_failed(r, a, &err);
    return false;
}

void api_failed(const struct web_request *r, struct web_answer *a, const struct err *err)
{
    web_refuse(r, a, 500, "%s", err->text);
}
