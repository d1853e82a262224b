/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A person's notes. */
#include "serve/api_private.h"
#include "serve/note_in.h"

#include <errno.h>

static void put_note_members(struct json *j, const struct recording_note *n)
{
    api_key_u64(j, "id", n->id);
    api_key_u64(j, "at_us", n->at_us);
    api_key_str(j, "text", n->text);
}

static void put_note(void *ctx, const struct recording_note *n)
{
    struct json *j = ctx;

    json_object(j);
    put_note_members(j, n);
    json_end(j);
}

void api_notes(void *ctx, const struct web_request *r, struct web_answer *a)
{
    struct served *s = api_recording(ctx, r, a);
    struct recording *file;
    struct err err;
    struct json j;

    if (!s || !api_open_file(s, r, a, &file))
        return;
    api_begin(a, &j);
    json_key(&j, "notes");
    json_array(&j);
    if (recording_notes(file, put_note, &j, &err) < 0) {
        api_failed(r, a, &err);
        return;
    }
    json_end(&j);
    json_end(&j);
}

/* --- writing --- */

/* The recording, when it takes notes. */
static struct served *writable(const struct api *api, const struct web_request *r,
                               struct web_answer *a)
{
    struct served *s = api_recording(api, r, a);

    if (!s || s->about.takes_notes)
        return s;
    web_refuse(r, a, 409, "%s was imported, and takes no notes", s->about.name);
    return NULL;
}

static bool read_note(const struct web_request *r, struct web_answer *a,
                      struct recording_note *note)
{
    struct err err;

    if (note_read(r->body, r->arena, note, &err) == 0)
        return true;
    web_refuse(r, a, 400, "%s", err.text);
    return false;
}

static bool read_id(const struct web_request *r, struct web_answer *a, uint64_t *ret_id)
{
    if (str_to_u64(r->params[1], ret_id) && *ret_id <= INT64_MAX)
        return true;
    web_refuse(r, a, 404, "there is no note '" STR_FMT "'", STR_ARG(r->params[1]));
    return false;
}

/* How the writing went. True when it did. */
static bool written(const struct api *api, struct served *s, int code, const struct web_request *r,
                    struct web_answer *a, const struct err *err)
{
    if (code < 0) {
        web_refuse(r, a, code == -ENOENT ? 404 : code == -EBUSY ? 503 : 500, "%s", err->text);
        return false;
    }
    served_look_for_notes(s);
    events_tell(api->events);
    return true;
}

static void answer_note(struct web_answer *a, const struct recording_note *note)
{
    struct json j;

    api_begin(a, &j);
    put_note_members(&j, note);
    json_end(&j);
}

void api_note_add(void *ctx, const struct web_request *r, struct web_answer *a)
{
    struct served *s = writable(ctx, r, a);
    struct recording_note note;
    struct err err;

    if (!s || !read_note(r, a, &note) ||
        !written(ctx, s, recording_add_note(s->about.path, note.at_us, note.text, &note.id, &err),
                 r, a, &err))
        return;
    a->status = 201;
    answer_note(a, &note);
}

void api_note_change(void *ctx, const struct web_request *r, struct web_answer *a)
{
    struct served *s = writable(ctx, r, a);
    struct recording_note note;
    struct err err;

    if (s && read_id(r, a, &note.id) && read_note(r, a, &note) &&
        written(ctx, s, recording_change_note(s->about.path, &note, &err), r, a, &err))
        answer_note(a, &note);
}

void api_note_remove(void *ctx, const struct web_request *r, struct web_answer *a)
{
    struct served *s = writable(ctx, r, a);
    uint64_t id;
    struct err err;

    if (s && read_id(r, a, &id) &&
        written(ctx, s, recording_remove_note(s->about.path, id, &err), r, a, &err))
        a->status = 204;
}
