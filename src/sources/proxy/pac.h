/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pac: the file that tells a client which proxy to use for which host: FindProxyForURL, in the
 * JavaScript of 1996 that every client reads. Served as /proxy.pac and /wpad.dat.
 */
#pragma once

#include "base/buf.h"

#define PAC_MEDIA_TYPE "application/x-ns-proxy-autoconfig"

/*
 * Plain names, the proxy's own host and the hosts of the patterns go direct, everything else to the
 * proxy. The authority is "HOST:PORT"; the patterns are those of base/host_pattern.h.
 */
void pac_put(struct buf *out, struct str proxy_authority, const char *const *direct_patterns,
             size_t n);
