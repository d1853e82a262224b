/* SPDX-License-Identifier: GPL-3.0-or-later */
/* output: what a command prints on standard output. */
#pragma once

#include "base/buf.h"

/*
 * Writes it all. When the reader has left (a closed pipe) the program ends as any other does then:
 * quietly, by SIGPIPE. Another failure is logged, and the exit status says so: EXIT_TROUBLE, else
 * EXIT_OK.
 */
int output_put(struct str bytes);
