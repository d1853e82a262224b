/* SPDX-License-Identifier: GPL-3.0-or-later */
/* meter: how much memory the program has allocated and not freed, whichever compiler made it. */
#pragma once

#include <stdint.h>

int64_t meter_bytes(void);
