/* SPDX-License-Identifier: GPL-3.0-or-later */
/* must: a claim that no input may break. What breaks it is said before the fuzzer stops. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static inline void must(bool holds, const char *claim)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", claim);
    abort();
}
