/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * assets: the page, built into the program: the files of web/dist. index.html is at "/", any other
 * at its name. A browser keeps them, and asks each time whether they are the same.
 */
#pragma once

#include "serve/web.h"

enum { ASSET_ROUTES = 2 };

/* For web_add, after all others; their ctx is not looked at. */
extern const struct web_route asset_routes[ASSET_ROUTES];
