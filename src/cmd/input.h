/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * input: what a command works on, be it a recording or anything that can be imported, as one
 * stream of observations. The two are told apart by the content.
 *
 * What a person should know of an import (its kind, lines that could not be read) is logged when it
 * is opened, and on a terminal its progress is shown meanwhile.
 */
#pragma once

#include "base/err.h"
#include "obs/obs.h"

struct input;

/* "-" is standard input. */
int input_open(const char *path, struct input **ret_input, struct err *err);
void input_close(struct input *in); /* NULL is fine */

/* The wall clock when it began, microseconds since 1970. */
uint64_t input_began_wall_us(const struct input *in);
/* "recording", "Squid access log", … */
const char *input_kind(const struct input *in);

/*
 * Hands all observations to `put`, as a sink gets them: in order, numbered, text borrowed for the
 * call. Any number of times, with the same result.
 */
int input_replay(struct input *in, void (*put)(void *ctx, const struct obs *o), void *ctx,
                 struct err *err);
