/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * devices: which client is which device. A device has a key: its address, or "*:PORT" when a port
 * of the proxy stands for the one device behind it, whatever address it comes from. The first time
 * a key is met it becomes a device. At most DEVICES_MAX of them; further keys share the last, so
 * strangers cannot make it grow.
 *
 * Any thread may ask for a device. That a device is there is said by the stream, before the first
 * observation of it (stream_use_devices): so the order in which threads meet devices is not seen.
 */
#pragma once

#include "base/err.h"
#include "base/map.h"

#include <pthread.h>

enum { DEVICES_MAX = 65536 };

struct devices {
    pthread_mutex_t mutex; /* guards what follows, but for `announced` */
    struct str_map by_key; /* value: the id, as a pointer-sized number */
    struct str_map names;  /* key to a name, owned here */
    char **keys;           /* of the device with the id i + 1 */
    uint32_t count, room;
    uint64_t announced[DEVICES_MAX / 64 + 1]; /* a bit for each id: the stream's thread alone */
};

void devices_init(struct devices *d);
void devices_finish(struct devices *d);

/*
 * "NAME=ADDR" as the command line has it; ADDR is an IPv4 or IPv6 address, not a name. For the
 * beginning, before the stream is used: a name that was handed out is gone with the next.
 */
int devices_name(struct devices *d, struct str assignment, struct err *err);
/* A name for the device with this key that holds unless somebody gave it another. */
void devices_suggest_name(struct devices *d, struct str key, struct str name);
/*
 * A device that a continued recording holds already, and has told of; an id that cannot be is left
 * out. For the beginning too.
 */
void devices_restore(struct devices *d, uint32_t id, struct str key);

/* The device with this key: an address without its port, or "*:PORT". Ids go up from 1. */
uint32_t devices_get(struct devices *d, struct str key);

uint32_t devices_count(struct devices *d); /* any thread */

/*
 * True the first time, when the device has yet to be told of: with what is to be told. The key
 * lives as long as `d`. For the stream.
 */
bool devices_announce(struct devices *d, uint32_t id, struct str *ret_key, struct str *ret_name);
