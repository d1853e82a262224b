#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tidy.sh BUILD STAMPS FILE: clang-tidy on one file, unless its stamp says that it was clean since.
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=$2/${3//\//_}.ok
[ "$stamp" -nt "$3" ] && exit 0
# What goes to standard error is the count of warnings in system headers.
clang-tidy-14 --extra-arg=-Wno-ignored-optimization-argument --quiet -p "$1" "$3" 2>/dev/null
touch "$stamp"
