/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stage: plays a scenario under a held clock, from its first event to its end. */
#pragma once

#include "rehearse/rehearsal.h"
#include "rehearse/scenario.h"

struct stage {
    struct clock clock;
    struct loop *loop;
    struct stream stream;
    struct devices devices;
    struct rehearsal_watcher watcher;
    struct rehearsal *rehearsal;
};

/* Every observation goes to `put`. What was seen can be asked of the rehearsal until stage_close.
 */
void stage_play(struct stage *s, const struct scenario *scenario,
                void (*put)(void *ctx, const struct obs *o), void *ctx);
void stage_close(struct stage *s);

/* A scenario from its text, which has to be right. */
struct scenario *stage_scenario(const char *text);
