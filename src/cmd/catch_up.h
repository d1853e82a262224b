/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * catch_up: what was recorded until now, explained by other knowledge, while recording goes on. It
 * is done in portions between which the loop does everything else; the old explainer serves until
 * the new one is level with it, and then they change places.
 */
#pragma once

#include "cmd/session.h"

struct catch_up;

/* Takes the knowledge. How it ends is logged. */
int catch_up_begin(struct session *s, struct knowledge *knowledge, struct catch_up **ret_catch_up,
                   struct err *err);
void catch_up_destroy(struct catch_up *c); /* before its end: nothing has changed. NULL is fine */
