/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/note_in.h"

#include "sources/imports/json_in.h"

#include <errno.h>

static int take(const json_t *object, struct arena *arena, struct recording_note *note,
                struct err *err)
{
    struct str text = str_trim(json_text(object, "text"));

    if (!json_count(object, "at_us", &note->at_us))
        return err_set(err, -EINVAL, "at_us: expected microseconds since the recording began");
    if (!text.n)
        return err_set(err, -EINVAL, "text: the note is empty");
    if (text.n > NOTE_TEXT_MAX)
        return err_set(err, -EINVAL, "text: the note has more than %d bytes", NOTE_TEXT_MAX);
    note->text = arena_str(arena, text);
    return 0;
}

int note_read(struct str body, struct arena *arena, struct recording_note *note, struct err *err)
{
    json_t *object = json_object_in(body, err);
    int r = object ? take(object, arena, note, err) : -EINVAL;

    json_decref(object);
    return r;
}
