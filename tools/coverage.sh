#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# coverage.sh: runs every test in a build that counts lines, and writes a page of it.
set -euo pipefail
cd "$(dirname "$0")/.."

build='build-cov'
tools/build.sh $build -Db_coverage=true -Dbuildtype=debug -- flightstrip
find $build -name '*.gcda' -delete
"$PYTHON" tools/run_tests.py $build --timeout-multiplier 4 || true
mkdir -p $build/coverage
gcovr --root . --filter src/ --exclude-throw-branches --html-details $build/coverage/index.html \
    --print-summary $build | grep -E '^(lines|branches)'
echo "the page is $build/coverage/index.html"
