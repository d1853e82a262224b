/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * devices: which client address is which device. The first time an address is met it becomes a
 * device and the stream gets a device-seen; names that a person gave come with it. At most
 * DEVICES_MAX of them; further addresses share the last, so strangers cannot make it grow.
 */
#pragma once

#include "base/err.h"
#include "base/map.h"
#include "obs/stream.h"

enum { DEVICES_MAX = 65536 };

struct devices {
    struct str_map by_address; /* value: the id, as a pointer-sized number */
    struct str_map names;      /* address to a name, owned here */
    uint32_t count;
};

void devices_init(struct devices *d);
void devices_finish(struct devices *d);

/* "NAME=ADDR" as the command line has it; ADDR is an IPv4 or IPv6 address, not a name. */
int devices_name(struct devices *d, struct str assignment, struct err *err);
/* A name for the device at this address that holds unless somebody gave it another. */
void devices_suggest_name(struct devices *d, struct str address, struct str name);
/* A device that a continued recording holds already; an id that cannot be is left out. */
void devices_restore(struct devices *d, uint32_t id, struct str address);

/* The device at this address (no port); emits device-seen for a new one, at at_us. */
uint32_t devices_get(struct devices *d, struct stream *stream, enum obs_source source,
                     struct str address, uint64_t at_us);
