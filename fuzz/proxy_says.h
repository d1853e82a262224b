/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * proxy_says: what devices and servers say in the fuzzer of the proxy, by one letter each, so that
 * an input is short and can be read.
 */
#pragma once

#include "base/buf.h"

/* Both add nothing when no text has this name. Bulk is different in every place of `out`. */
void device_says(struct buf *out, char name);
void server_says(struct buf *out, char name);
