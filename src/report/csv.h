/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * csv: cells of RFC 4180. Spreadsheets take a cell that begins with =, +, -, @, a tab or a line end
 * as a formula; such text, which a stranger may have sent, gets an apostrophe before it.
 */
#pragma once

#include "base/buf.h"

void put_csv_cell(struct buf *out, struct str s);
