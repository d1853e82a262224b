/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * err: one sentence for a person about what could not be done, naming the thing and the reason.
 * Functions that take one take it last; it may be NULL when nobody will read it.
 */
#pragma once

#include "base/str.h"

#include <stdarg.h>

struct err {
    char text[1024];
};

/* Writes the sentence and returns `code`, a negative errno. A later call overwrites an earlier. */
int err_set(struct err *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int err_vset(struct err *err, int code, const char *format, va_list args);

/* Puts `format…: ` before the sentence that is already there. */
void err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
