/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * proxy_bare: what the proxies that do next to nothing have in common. Whatever is wrong with their
 * arguments ends them, with a line that says so.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>

struct sockaddr_in bare_address(const char *host, const char *port); /* of this machine */
int bare_listen(struct sockaddr_in at, bool is_shared); /* shared: others listen there too */
int bare_socket(void);
