/* SPDX-License-Identifier: GPL-3.0-or-later */
/* note_in: a note as somebody sends it: {"at_us": …, "text": "…"}. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "store/notes.h"

enum { NOTE_TEXT_MAX = 4000 };

/* Leaves the id alone; the text is in the arena, without blanks at its ends. */
int note_read(struct str body, struct arena *arena, struct recording_note *note, struct err *err);
