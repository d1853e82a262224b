#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# page.sh [--check]: checks and tests the page's sources, and builds web/dist from them. With --check
# it is an error when what was built is not what is kept there, and nothing is done where Node is
# missing or too old: the program has the page from web/dist, and needs no Node.
set -euo pipefail
cd "$(dirname "$0")/../web"

check=
[ "${1:-}" != --check ] || check=yes

if ! command -v npm >/dev/null ||
    ! node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'; then
    echo 'page: Node 20.19 or later with npm is not here, so the page is not built anew'
    [ -n "$check" ] && exit 0 || exit 1
fi

npm ci --silent
npm run --silent check
npm test --silent
npm run --silent build

if [ -n "$check" ] && ! git diff --exit-code --stat -- dist; then
    echo 'page: web/dist is not what the sources give; make page, and commit it' >&2
    exit 1
fi
