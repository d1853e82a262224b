/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * endpoints_load: the `sources:`, `services:` and `endpoints:` of a knowledge file, read into
 * endpoints. knowledge/README.md describes them.
 */
#pragma once

#include "base/yaml.h"
#include "explain/endpoints.h"

/* The ids of the phases of provisioning, in the order in which they come; NULL at the end. */
extern const char *const phase_ids[];

/*
 * Adds what the document has; its other keys are left to others. What is wrong becomes a problem of
 * the document and is left out, the rest is kept; returns how many problems were added. A service
 * has to be known when an endpoint names it: from this document, or from one loaded before.
 */
unsigned endpoints_load(struct endpoints *e, struct yaml_doc *doc);
