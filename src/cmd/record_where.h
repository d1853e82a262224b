/* SPDX-License-Identifier: GPL-3.0-or-later */
/* record_where: how a device finds the proxy. */
#pragma once

#include "sources/proxy/proxy.h"

/* Says for each port what a person types into a device's proxy setting. */
void record_say_where(const struct proxy *proxy);
