/* SPDX-License-Identifier: GPL-3.0-or-later */
/* api: docs/api.md, as routes of the web server. */
#pragma once

#include "serve/served.h"
#include "serve/web.h"

struct api;

/* One recording at least; all are explained by the same knowledge. All stay the caller's and
 * outlive it; but the routes stand in the web server, which ends first.
 */
int api_create(struct loop *loop, struct web *web, struct served *const *recordings, size_t n,
               struct api **ret_api, struct err *err);
void api_destroy(struct api *a); /* NULL is fine */
