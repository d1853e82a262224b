/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * verdict: what a device's moments add up to: which scenario this is, how it ended, and which
 * phases it went through. All of it follows from the moments alone, whenever somebody asks.
 */
#pragma once

#include "explain/device.h"

/* The scenario's id when no rule fits; `only-in` and `not-in` can name it. */
#define SCENARIO_UNKNOWN STR("unknown")

const struct verdict_rule *verdict_scenario(const struct device *d); /* NULL: none fits */

/* Whether what is kept to some scenarios (rule.h) has its place in this one. */
bool verdict_shows(const struct verdict_rule *scenario, const struct strs *only_in,
                   const struct strs *not_in);

/* ended: the stream has. `unfinished`, when no rule fits. */
const struct verdict_rule *verdict_outcome(const struct device *d, bool ended);
void verdict_put_outcome(const struct device *d, bool ended, struct buf *out); /* its sentences */

/*
 * The phases, in order of time, none overlapping: each from its first moment to the next phase's,
 * or to what ends it. Returns how many; the list is in the arena.
 */
size_t verdict_phases(const struct device *d, struct arena *arena, struct strip_phase **ret_phases);
