/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "explain/matcher.h"

#include <stddef.h>

const struct matcher *const matchers[] = {
    &match_flow,   &match_burst,  &match_bytes,  &match_ended,  &match_silence,
    &match_idle,   &match_failed, &match_absent, &match_moment, &match_end,
    &match_screen, &match_log,    &match_told,   NULL,
};
