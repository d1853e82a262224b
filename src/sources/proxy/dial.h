/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dial: from a host and port to a connected socket, by Happy Eyeballs (RFC 8305). Both families of
 * addresses are asked for at once and tried as they come, in turns and IPv6 first, the next one a
 * quarter second after the last or as soon as it failed; the first that connects wins. Policy
 * judges each address when its turn comes. What is met is observed in the flow.
 */
#pragma once

#include "sources/proxy/answer.h"
#include "sources/proxy/flow.h"

struct dial;
struct worker;

struct dial_target {
    struct str host; /* a name or an address without brackets; it need not live on */
    uint16_t port;
    /*
     * The operator named this place: policy does not refuse what sort of address it has, and
     * --connect-to does not apply. The proxy itself is never dialled.
     */
    bool meant;
    uint64_t delay_us; /* nothing is done before */
};

/* fd: the caller's, in no loop; or -1 and why not. The dial has ended. */
typedef void dial_done(void *ctx, int fd, const struct refusal *refusal);

/* `done` is called later, never before this returns; perhaps in the same round. */
struct dial *dial_start(struct worker *w, struct flow *flow, struct dial_target target,
                        dial_done *done, void *ctx);
void dial_cancel(struct dial *d); /* without a call; NULL is fine */
