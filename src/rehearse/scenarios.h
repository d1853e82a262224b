/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scenarios: those that are shipped with the program, and those in files of a person's own. */
#pragma once

#include "base/embedded.h"
#include "base/err.h"
#include "rehearse/scenario.h"

extern const struct embedded scenario_files[]; /* knowledge/scenarios: "ID.yaml" each */

struct str scenarios_id(size_t i); /* of the i-th shipped one; empty after the last */

/*
 * Loads a shipped scenario by its id, or, when there is a slash or a dot in the name, the file of
 * that name; it may be based on a shipped one. What is wrong in a file is the text in `problems`; a
 * name that leads nowhere is a sentence in err.
 */
int scenarios_load(const char *name, struct scenario **ret_scenario, struct buf *problems,
                   struct err *err);
