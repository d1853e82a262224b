/* SPDX-License-Identifier: GPL-3.0-or-later */
/* explained: one input, replayed through the explainer, as a report. */
#pragma once

#include "cmd/input.h"
#include "explain/explainer.h"
#include "report/report.h"

struct explained;

/*
 * Explains all of the input at `path`. device: an id, name or address; then the report has this
 * one alone, and it is an error, which lists those there are, when there is none. traffic: the
 * flows are in the report too.
 */
int explained_open(const char *path, const struct knowledge *knowledge, const char *device,
                   bool traffic, struct explained **ret_explained, struct err *err);
void explained_close(struct explained *e); /* NULL is fine */

/* Lives as long as it does. */
const struct report *explained_report(const struct explained *e);
struct input *explained_input(struct explained *e);
