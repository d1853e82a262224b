#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# sanitize.sh: builds the tests twice and runs them: with AddressSanitizer and UBSan, all of them;
# with ThreadSanitizer, those of single modules and the plays, which is where threads meet.
set -euo pipefail
cd "$(dirname "$0")/.."

prepare() {
    tools/build.sh "$1" -Db_sanitize="$2" -Db_lundef=false \
        -Dc_args='-fno-omit-frame-pointer -fno-sanitize-recover=all' -- flightstrip
}

status=0

echo 'AddressSanitizer and UBSan: every test'
prepare build-asan address,undefined
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
tools/no_aslr.sh "$PYTHON" tools/run_tests.py build-asan --timeout-multiplier 4 || status=1

echo 'ThreadSanitizer: unit tests and plays'
prepare build-tsan thread
export TSAN_OPTIONS=second_deadlock_stack=1
# That a sanitizer cannot start is not a finding about the program.
if tools/no_aslr.sh build-tsan/flightstrip version >/dev/null 2>&1; then
    tools/no_aslr.sh "$PYTHON" tools/run_tests.py build-tsan --timeout-multiplier 8 \
        --suite unit --suite plays || status=1
else
    echo 'ThreadSanitizer cannot start here: it needs vm.mmap_rnd_bits=28, or setarch allowed' >&2
fi
exit $status
