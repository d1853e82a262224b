/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * squid_outcome: what the result codes of a Squid log, native or combined, say about an exchange.
 * The mapping is one table, squid_outcomes.def.
 */
#pragma once

#include "sources/imports/account.h"

/* What a line says about the result, in its own words. */
struct squid_result {
    struct str code;      /* "TCP_MISS_ABORTED"; empty: the log has none */
    struct str hierarchy; /* "HIER_DIRECT"; empty: the log has none */
    uint64_t bytes;       /* to the device, with the header of the answer */
};

/* Whether it is a result code: the right words, separated by "_". */
bool is_squid_code(struct str code);
/* Whether it tells of traffic between caches (ICP, HTCP), which no device made. */
bool is_cache_talk(struct str code);
/* Whether the peer's address in a line with this hierarchy code is the server's own. */
bool is_direct(struct str hierarchy);

/*
 * A Squid that looks into TLS (ssl_bump) logs each tunnel twice: first the CONNECT that it answered
 * itself, with no server and no bytes, and then what became of it. The first tells of no exchange.
 */
bool is_first_look(const struct account *a, const struct squid_result *result);

/*
 * Fills into the account how the exchange ended: reached, error, by, why, bytes_down. What was
 * asked, the status and the content type are filled in already.
 */
void squid_outcome(struct account *a, const struct squid_result *result);
