/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/map.h"

#include "base/xalloc.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_ROOM = 16 };

static size_t home(uint64_t key, size_t room)
{
    uint64_t h = key * 0x9e3779b97f4a7c15ull;

    return (h ^ h >> 32) & (room - 1);
}

static struct map_slot *find(const struct map *m, uint64_t key)
{
    size_t i = home(key, m->room);

    while (m->slots[i].value && m->slots[i].key != key)
        i = (i + 1) & (m->room - 1);
    return &m->slots[i];
}

static void grow(struct map *m)
{
    struct map bigger = {.n = m->n, .room = m->room ? m->room * 2 : FIRST_ROOM};

    bigger.slots = xalloc(bigger.room * sizeof *bigger.slots);
    for (size_t i = 0; i < m->room; i++)
        if (m->slots[i].value)
            *find(&bigger, m->slots[i].key) = m->slots[i];
    free(m->slots);
    *m = bigger;
}

void *map_get(const struct map *m, uint64_t key)
{
    return m->n ? find(m, key)->value : NULL;
}

void map_put(struct map *m, uint64_t key, void *value)
{
    assert(value);
    if (m->n * 4 >= m->room * 3)
        grow(m);

    struct map_slot *slot = find(m, key);
    m->n += !slot->value;
    *slot = (struct map_slot){key, value};
}

void *map_remove(struct map *m, uint64_t key)
{
    struct map_slot *slot = m->n ? find(m, key) : NULL;

    if (!slot || !slot->value)
        return NULL;

    void *removed = slot->value;
    size_t mask = m->room - 1, hole = (size_t)(slot - m->slots);

    /* What was pushed past the hole moves back into it, so that probing still finds it. */
    for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
        size_t want = home(m->slots[i].key, m->room);

        if (((i - want) & mask) >= ((i - hole) & mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole].value = NULL;
    m->n--;
    return removed;
}

void map_finish(struct map *m)
{
    free(m->slots);
    *m = (struct map){0};
}

void *map_next(const struct map *m, size_t *at, uint64_t *ret_key)
{
    while (*at < m->room) {
        const struct map_slot *slot = &m->slots[(*at)++];

        if (slot->value) {
            if (ret_key)
                *ret_key = slot->key;
            return slot->value;
        }
    }
    return NULL;
}

static struct str_slot *str_find_slot(const struct str_map *m, struct str key, uint64_t hash)
{
    size_t i = hash & (m->room - 1);

    while (m->slots[i].key) {
        const struct str_slot *s = &m->slots[i];
        if (s->hash == hash && str_eq((struct str){s->key, s->key_n}, key))
            break;
        i = (i + 1) & (m->room - 1);
    }
    return &m->slots[i];
}

static void str_grow(struct str_map *m)
{
    struct str_map bigger = {.n = m->n, .room = m->room ? m->room * 2 : FIRST_ROOM};

    bigger.slots = xalloc(bigger.room * sizeof *bigger.slots);
    for (size_t i = 0; i < m->room; i++) {
        struct str_slot *s = &m->slots[i];
        if (s->key)
            *str_find_slot(&bigger, (struct str){s->key, s->key_n}, s->hash) = *s;
    }
    free(m->slots);
    *m = bigger;
}

void *str_map_get(const struct str_map *m, struct str key)
{
    return m->n ? str_find_slot(m, key, str_hash(key))->value : NULL;
}

void str_map_put(struct str_map *m, struct str key, void *value)
{
    uint64_t hash = str_hash(key);

    assert(value);
    if (m->n * 4 >= m->room * 3)
        str_grow(m);

    struct str_slot *slot = str_find_slot(m, key, hash);
    if (!slot->key) {
        *slot = (struct str_slot){.key = str_dup(key), .key_n = key.n, .hash = hash};
        m->n++;
    }
    slot->value = value;
}

void str_map_finish(struct str_map *m)
{
    for (size_t i = 0; i < m->room; i++)
        free(m->slots[i].key);
    free(m->slots);
    *m = (struct str_map){0};
}

void *str_map_next(const struct str_map *m, size_t *at, struct str *ret_key)
{
    while (*at < m->room) {
        const struct str_slot *slot = &m->slots[(*at)++];

        if (slot->key) {
            if (ret_key)
                *ret_key = (struct str){slot->key, slot->key_n};
            return slot->value;
        }
    }
    return NULL;
}
