/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "obs/devices.h"

#include "base/url.h"
#include "base/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void devices_init(struct devices *d)
{
    *d = (struct devices){0};
}

void devices_finish(struct devices *d)
{
    char *name;

    for (size_t at = 0; (name = str_map_next(&d->names, &at, NULL));)
        free(name);
    str_map_finish(&d->names);
    str_map_finish(&d->by_address);
}

int devices_name(struct devices *d, struct str assignment, struct err *err)
{
    struct str address = assignment;
    struct str name = str_cut(&address, '=');

    if (!name.n || !host_is_address(address))
        return err_set(err, -EINVAL,
                       "'" STR_FMT "': expected NAME=ADDR, such as VM-01=192.168.1.77",
                       STR_ARG(assignment));
    free(str_map_get(&d->names, address));
    str_map_put(&d->names, address, str_dup(name));
    return 0;
}

void devices_suggest_name(struct devices *d, struct str address, struct str name)
{
    if (!str_map_get(&d->names, address))
        str_map_put(&d->names, address, str_dup(name));
}

static void remember(struct devices *d, struct str address, uint32_t id)
{
    str_map_put(&d->by_address, address, (void *)(uintptr_t)id);
}

void devices_restore(struct devices *d, uint32_t id, struct str address)
{
    if (!id || id > DEVICES_MAX)
        return;
    remember(d, address, id);
    if (id > d->count)
        d->count = id;
}

uint32_t devices_get(struct devices *d, struct stream *stream, enum obs_source source,
                     struct str address, uint64_t at_us)
{
    uint32_t id = (uint32_t)(uintptr_t)str_map_get(&d->by_address, address);

    if (id)
        return id;
    if (d->count == DEVICES_MAX)
        return DEVICES_MAX;

    id = ++d->count;
    remember(d, address, id);
    stream_put(stream, &(struct obs){.kind = OBS_DEVICE_SEEN,
                                     .source = source,
                                     .device = id,
                                     .at_us = at_us,
                                     .client = address,
                                     .name = str_of(str_map_get(&d->names, address))});
    return id;
}
