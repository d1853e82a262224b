/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * opened: one input, read and explained, to be shown on the page. What is imported becomes a
 * recording in a file that has no name. A recording that somebody is writing is followed.
 */
#pragma once

#include "loop/loop.h"
#include "serve/served.h"

struct opened;

/* "-" is standard input. The knowledge and the loop stay the caller's, and outlive it. */
int opened_open(struct loop *loop, const char *path, const struct knowledge *knowledge,
                struct opened **ret_opened, struct err *err);
void opened_close(struct opened *o); /* NULL is fine */

struct served *opened_served(const struct opened *o);
