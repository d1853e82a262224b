/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * metrics: how the program is doing, in Prometheus' text format, version 0.0.4. Names begin with
 * flightstrip_ or, where every process has them, process_; units are seconds and bytes.
 */
#pragma once

#include "base/buf.h"
#include "obs/devices.h"
#include "sources/proxy/proxy.h"
#include "store/recording.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* What they are of; all of it is there as long as this is. */
struct metrics_of {
    const struct proxy *proxy;
    const struct stream *stream;
    struct devices *devices;
    struct recorder *recorder; /* NULL: nothing is kept */
    uint64_t began_wall_us;    /* process_began_wall_us() */
};

/* Appends every metric, all as they are now. On the thread of the stream. */
void metrics_put(const struct metrics_of *of, struct buf *out);
