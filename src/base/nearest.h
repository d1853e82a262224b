/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nearest: what a person probably meant to type. */
#pragma once

#include "base/str.h"

/*
 * The word of the NULL-ended list that is closest to what was typed: at most a third of its letters
 * (and at least one) added, dropped, changed or swapped with their neighbour, case ignored. The
 * first of equals. NULL when nothing is that close.
 */
const char *nearest_word(struct str typed, const char *const *words);
