#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The C files whose layout clang-format settles; tables that read better in columns are .def files.
cd "$(dirname "$0")/.." || exit
find src test fuzz bench -name '*.[ch]' | sort
