#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# build.sh DIR [MESON SETUP OPTION…] -- TARGET…: sets up DIR when it is not there, and builds. Says
# nothing unless something is wrong.
set -euo pipefail
cd "$(dirname "$0")/.."

dir=$1
shift
setup=()
while [ "$1" != -- ]; do
    setup+=("$1")
    shift
done
shift

quietly() {
    local said
    said=$("$@" 2>&1) || { printf '%s\n' "$said"; exit 1; }
}

[ -f "$dir/build.ninja" ] || quietly meson setup "$dir" "${setup[@]}"
quietly ninja -C "$dir" "$@"
