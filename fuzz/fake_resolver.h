/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fake_resolver: stands in for loop/resolver.c; what is asked is answered when and as the fuzzer
 * says. Each answer has addresses that no other had, so a connection shows which flow it is of.
 *
 * The families are two questions; what is named answers each with its own part. How an answer is
 * named:
 *
 *     4 one IPv4 address      6 one IPv6 address     d one of each      m four, families mixed
 *     p a private one         l loopback             o our own          f failure
 */
#pragma once

#include "loop/resolver.h"

/* From now on, at once; 0: they wait. A new resolver starts so. */
void fake_resolver_answer_all(char how);
/* The oldest question that waits. */
void fake_resolver_answer_one(char how);
