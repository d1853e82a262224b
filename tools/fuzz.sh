#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# fuzz.sh SECONDS [NAME…]: builds the fuzzers with libFuzzer, AddressSanitizer and UBSan in
# build-fuzz, and runs each (or those named) for SECONDS from its corpus.
#
# What it finds new is kept in build-fuzz/found/NAME and used the next time. An input that crashes
# is put into fuzz/corpus/NAME, so that from then on `make test` fails until it is mended.
set -euo pipefail
cd "$(dirname "$0")/.."

build='build-fuzz'
seconds=$1
shift

names=("$@")
if [ ${#names[@]} = 0 ]; then
    for source in fuzz/fuzz_*.c; do
        name=${source#fuzz/fuzz_}
        names+=("${name%.c}")
    done
fi

failed=()
for name in "${names[@]}"; do
    CC=clang tools/build.sh $build -Dlibfuzzer=true -Db_sanitize=address,undefined \
        -Db_lundef=false -Dc_args='-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined' \
        -- "fuzz/fuzz_$name"
    found=$build/found/$name
    mkdir -p "$found"
    echo "fuzz: $name for $seconds seconds"
    log=$build/found/$name.log
    if $build/fuzz/fuzz_"$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="fuzz/corpus/$name/" \
        "$found" "fuzz/corpus/$name" >"$log" 2>&1; then
        awk '/number_of_executed_units/ { runs = $2 } /cov:/ { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1) }
             END { printf "fuzz: %s: %d runs, %d edges, nothing found\n", name, runs, cov }' name="$name" "$log"
    else
        tail -n 40 "$log"
        failed+=("$name")
    fi
done

if [ ${#failed[@]} -gt 0 ]; then
    echo "fuzz: crashed: ${failed[*]}; the inputs are now in fuzz/corpus" >&2
    exit 1
fi
