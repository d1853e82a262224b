#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# lint.sh BUILD: layout, clang-tidy, cppcheck and shellcheck over the whole tree. Every complaint is
# shown; any is a failure. A file that clang-tidy found clean is looked at again only when it, a
# header or the checks have changed.
set -euo pipefail
cd "$(dirname "$0")/.."

build=$1
clean=$build/lint # a stamp for each file that clang-tidy found clean
status=0
mkdir -p "$clean" "$build/cppcheck"

echo 'lint: layout (clang-format)'
tools/sources.sh | xargs clang-format-14 --dry-run -Werror || status=1

echo 'lint: clang-tidy'
# Generated sources have to be there before those that include them can be parsed.
tools/build.sh "$build" -- flightstrip meson-test-prereq
shared=$(find .clang-tidy src test fuzz bench \( -name '*.[h]' -o -name '*.def' -o -name .clang-tidy \) \
    -exec sha256sum {} + | sort | sha256sum)
if [ "$shared" != "$(cat "$clean/shared" 2>/dev/null)" ]; then
    rm -f "$clean"/*.ok
    printf '%s\n' "$shared" >"$clean/shared"
fi
tools/sources.sh | grep '\.c$' |
    xargs -P "$(nproc)" -n 1 tools/tidy.sh "$build" "$clean" || status=1

echo 'lint: cppcheck'
cppcheck --quiet --error-exitcode=1 --cppcheck-build-dir="$build/cppcheck" -j "$(nproc)" \
    --project="$build/compile_commands.json" --file-filter='*src/*' --inline-suppr \
    --enable=warning,performance,portability --suppress=missingIncludeSystem || status=1

echo 'lint: shellcheck'
grep -rlE '^#!.*\b(ba|da)?sh\b' .ci bench fuzz test tools | xargs shellcheck || status=1
exit $status
