/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rehearse/fault.h"

#include "base/host_pattern.h"

const char *const fault_names[FAULT_KINDS + 1] = {
#define FAULT(id, name, says) [FAULT_##id] = name,
#include "rehearse/fault_kinds.def"
#undef FAULT
};

const char *const fault_says[FAULT_KINDS] = {
#define FAULT(id, name, says) [FAULT_##id] = says,
#include "rehearse/fault_kinds.def"
#undef FAULT
};

const struct fault *fault_for(const struct fault_list *list, struct str host)
{
    for (size_t i = 0; i < list->n; i++)
        if (host_pattern_fits(list->faults[i].hosts, host))
            return &list->faults[i];
    return NULL;
}

bool fault_is(const struct fault_list *list, struct str host, enum fault_kind kind)
{
    const struct fault *fault = fault_for(list, host);

    return fault && fault->kind == kind;
}
