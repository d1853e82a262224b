/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rules: the knowledge, built: every reference between rules resolved to an index, ready to be read
 * by any number of devices. Made by knowledge_build; see knowledge.h.
 */
#pragma once

#include "explain/rule.h"

struct rules {
    const struct endpoints *endpoints;

    size_t rule_count, condition_count, phase_count, scenario_count, outcome_count;
    const struct rule **rules;
    const struct condition **conditions;
    struct str *ids; /* of the rules, in their order */
    const struct phase_rule **phases;
    const struct verdict_rule **scenarios, **outcomes;

    struct str *services; /* 0 is the empty one: unknown */
    size_t service_count;
    size_t state_bytes; /* of all conditions */
};

struct knowledge;
const struct rules *knowledge_rules(const struct knowledge *k);

size_t rules_id(const struct rules *r, struct str id);        /* index, or SIZE_MAX */
unsigned rules_service(const struct rules *r, struct str id); /* index, or 0 */
