/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * map: a number to a pointer. Open addressing, linear probing, removal by shifting back, so it
 * never fills with tombstones. The pointers are the caller's; a stored pointer is never NULL.
 *
 * str_map: the same for a str; it keeps its own copy of each key.
 */
#pragma once

#include "base/str.h"

struct map_slot {
    uint64_t key;
    void *value; /* NULL: the slot is free */
};

struct map {
    struct map_slot *slots;
    size_t n, room;
};

void *map_get(const struct map *m, uint64_t key); /* NULL when absent */
void map_put(struct map *m, uint64_t key, void *value);
void *map_remove(struct map *m, uint64_t key); /* what was there, or NULL */
void map_finish(struct map *m);
/* Walks in no order: start with *at = 0; NULL at the end. The map must not change meanwhile. */
void *map_next(const struct map *m, size_t *at, uint64_t *ret_key);

struct str_slot {
    char *key;
    size_t key_n;
    uint64_t hash;
    void *value;
};

struct str_map {
    struct str_slot *slots;
    size_t n, room;
};

void *str_map_get(const struct str_map *m, struct str key);
void str_map_put(struct str_map *m, struct str key, void *value);
void str_map_finish(struct str_map *m);
void *str_map_next(const struct str_map *m, size_t *at, struct str *ret_key);
