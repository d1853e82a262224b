/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * own: requests to the proxy itself, which it answers: the file that tells a client to use it, at
 * /proxy.pac and, where Windows looks for it by itself, at /wpad.dat. They are flows as any other.
 */
#pragma once

#include "sources/proxy/client.h"

bool own_knows(const struct http1_head *head);
void own_answer(struct client *c, const struct http1_head *head, size_t head_bytes);
