/* SPDX-License-Identifier: GPL-3.0-or-later */
/* endpoints_load: the `endpoints:` of a knowledge file. See knowledge/README.md for the format. */
#pragma once

#include "base/yaml.h"
#include "explain/endpoints.h"

/* Adds what the doc has; what is wrong becomes a problem of the doc. Returns how many were added.
 */
unsigned endpoints_load(struct endpoints *e, struct yaml_doc *doc);
