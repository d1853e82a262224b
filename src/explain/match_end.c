/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * end: the stream has ended: for what sums up. Placed at the end.
 *
 *     end: {}
 */
#include "explain/matcher.h"

static void at_end(struct device *d, const struct condition *c, void *state, uint64_t at_us)
{
    (void)state;
    device_occur(d, c, &(struct occurrence){.at_us = at_us});
}

const struct matcher match_end = {
    .name = "end",
    .end = at_end,
};
