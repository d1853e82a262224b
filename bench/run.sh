#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the programs that are its arguments, one after the other, so that none disturbs another.
set -eu
for program in "$@"; do
    "$program"
done
