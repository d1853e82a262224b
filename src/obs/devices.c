/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "obs/devices.h"

#include "base/url.h"
#include "base/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void devices_init(struct devices *d)
{
    *d = (struct devices){.mutex = PTHREAD_MUTEX_INITIALIZER};
}

void devices_finish(struct devices *d)
{
    char *name;

    for (size_t at = 0; (name = str_map_next(&d->names, &at, NULL));)
        free(name);
    str_map_finish(&d->names);
    str_map_finish(&d->by_key);
    for (uint32_t i = 0; i < d->count; i++)
        free(d->keys[i]);
    free(d->keys);
    pthread_mutex_destroy(&d->mutex);
}

int devices_name(struct devices *d, struct str assignment, struct err *err)
{
    struct str address = assignment;
    struct str name = str_cut(&address, '=');

    if (!name.n || !host_is_address(address))
        return err_set(err, -EINVAL,
                       "'" STR_FMT "': expected NAME=ADDR, such as VM-01=192.168.1.77",
                       STR_ARG(assignment));
    pthread_mutex_lock(&d->mutex);
    free(str_map_get(&d->names, address));
    str_map_put(&d->names, address, str_dup(name));
    pthread_mutex_unlock(&d->mutex);
    return 0;
}

void devices_suggest_name(struct devices *d, struct str key, struct str name)
{
    pthread_mutex_lock(&d->mutex);
    if (!str_map_get(&d->names, key))
        str_map_put(&d->names, key, str_dup(name));
    pthread_mutex_unlock(&d->mutex);
}

/* --- with the mutex held --- */

static void make_room(struct devices *d, uint32_t count)
{
    uint32_t room = d->room ? d->room : 16;

    if (count <= d->room)
        return;
    while (room < count)
        room *= 2;
    d->keys = xreallocarray(d->keys, room, sizeof *d->keys);
    memset(d->keys + d->room, 0, (room - d->room) * sizeof *d->keys);
    d->room = room;
}

static void remember(struct devices *d, uint32_t id, struct str key)
{
    make_room(d, id);
    free(d->keys[id - 1]);
    d->keys[id - 1] = str_dup(key);
    str_map_put(&d->by_key, key, (void *)(uintptr_t)id);
    if (id > d->count)
        d->count = id;
}

static uint32_t find_or_make(struct devices *d, struct str key)
{
    uint32_t id = (uint32_t)(uintptr_t)str_map_get(&d->by_key, key);

    if (id || d->count == DEVICES_MAX)
        return id ? id : DEVICES_MAX;
    remember(d, d->count + 1, key);
    return d->count;
}

/* --- what the stream has told --- */

/* From now on it is. */
static bool was_announced(struct devices *d, uint32_t id)
{
    uint64_t bit = 1ull << id % 64;
    bool was = d->announced[id / 64] & bit;

    d->announced[id / 64] |= bit;
    return was;
}

void devices_restore(struct devices *d, uint32_t id, struct str key)
{
    if (!id || id > DEVICES_MAX)
        return;
    pthread_mutex_lock(&d->mutex);
    remember(d, id, key);
    pthread_mutex_unlock(&d->mutex);
    was_announced(d, id);
}

uint32_t devices_get(struct devices *d, struct str key)
{
    uint32_t id;

    pthread_mutex_lock(&d->mutex);
    id = find_or_make(d, key);
    pthread_mutex_unlock(&d->mutex);
    return id;
}

uint32_t devices_count(struct devices *d)
{
    uint32_t n;

    pthread_mutex_lock(&d->mutex);
    n = d->count;
    pthread_mutex_unlock(&d->mutex);
    return n;
}

bool devices_announce(struct devices *d, uint32_t id, struct str *ret_key, struct str *ret_name)
{
    if (!id || id > DEVICES_MAX || was_announced(d, id))
        return false;
    pthread_mutex_lock(&d->mutex);
    *ret_key = id <= d->count ? str_of(d->keys[id - 1]) : (struct str){0};
    *ret_name = str_of(str_map_get(&d->names, *ret_key));
    pthread_mutex_unlock(&d->mutex);
    return true;
}
