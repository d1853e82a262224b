/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * arena: memory that ends together. What a connection, a file or a report allocates comes from one
 * arena and is freed by one call. Pointers into it stay valid until then.
 */
#pragma once

#include "base/str.h"

#include <stdarg.h>

struct arena;

struct arena *arena_create(void);
void arena_destroy(struct arena *a); /* NULL is fine */

void *arena_alloc(struct arena *a, size_t n); /* zeroed, aligned for any type */
void *arena_array(struct arena *a, size_t n, size_t size);
struct str arena_str(struct arena *a, struct str s); /* a copy; terminated, for C's sake */
struct str arena_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
size_t arena_bytes(const struct arena *a); /* handed out so far */
