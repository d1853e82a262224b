/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fault: what goes wrong with which hosts in a rehearsal, as a scenario lists it. */
#pragma once

#include "base/str.h"

enum fault_kind {
#define FAULT(id, name, says) FAULT_##id,
#include "rehearse/fault_kinds.def"
#undef FAULT
    FAULT_KINDS
};

extern const char *const fault_names[FAULT_KINDS + 1]; /* NULL at the end */
extern const char *const fault_says[FAULT_KINDS];

struct fault {
    struct str hosts; /* a pattern, as endpoints have it, or * for every host */
    enum fault_kind kind;
    unsigned status; /* of BLOCKED, PROXY_AUTHENTICATION, HTTP_STATUS */
};

struct fault_list {
    struct fault *faults;
    size_t n;
};

/* The first that fits the host, or NULL. */
const struct fault *fault_for(const struct fault_list *list, struct str host);

/* Whether the host has this very fault. */
bool fault_is(const struct fault_list *list, struct str host, enum fault_kind kind);
