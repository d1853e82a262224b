/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * admit: whether a flow may go where it wants, and what is done to it on the way, by the rules that
 * the proxy was given. Each rule that has an effect is observed in the flow, so that nobody takes
 * for the network's doing what the proxy was told to do.
 */
#pragma once

#include "sources/proxy/client.h"

/* What the rules have for a flow that may go on. */
struct admission {
    uint64_t delay_us;               /* before anything is done for it */
    uint64_t bytes_a_second;         /* each way; 0: as fast as it goes */
    const struct upstream *upstream; /* the proxy that it is sent through; NULL: directly */
};

/* What a device asks for. */
struct wish {
    struct str host;
    uint16_t port;
    bool tunnels;             /* CONNECT or SOCKS: it can say anything to whoever it reaches */
    struct str authorization; /* the value of Proxy-Authorization */
    bool logged_in;           /* it has shown its password already (SOCKS) */
};

/* The flow is open. False: ret_refusal says why. */
bool admit(struct client *c, const struct wish *wish, struct admission *ret_admission,
           struct refusal *ret_refusal);

/* Where to connect for a flow to host and port. */
struct dial_target admission_target(const struct admission *a, struct str host, uint16_t port);
