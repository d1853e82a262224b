/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Allocation that does not fail: when memory is gone the program says so and exits with status 2.
 * The recording on disk is whole up to its last commit, so nothing that was kept is lost by that.
 */
#pragma once

#include <stddef.h>

void *xalloc(size_t n);                              /* n bytes, zeroed; n may be 0 */
void *xrealloc(void *p, size_t n);                   /* the grown part is not zeroed */
void *xreallocarray(void *p, size_t n, size_t size); /* n * size, checked for overflow */
char *xstrdup(const char *s);
