#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# need.sh GROUP…: installs the Debian packages of these groups that are not there yet.
#
# It asks dpkg once, so a second run costs a few milliseconds and says nothing. Anywhere but on
# Debian and its kin it changes nothing and says which packages to look for.
set -euo pipefail

declare -A groups=(
    # The compiler, the build system, and the libraries that meson.build asks for.
    [build]='gcc libc6-dev pkgconf meson ninja-build python3 libsqlite3-dev libssl-dev
        libc-ares-dev libyaml-dev libpcre2-dev libjansson-dev node-llhttp'
    [test]='libcmocka-dev curl ca-certificates openssl'
    [san]='libasan8 libubsan1 libtsan2 util-linux'
    [fuzz]='clang libclang-rt-dev'
    [lint]='clang clang-tidy clang-format cppcheck shellcheck'
    [cov]='gcovr'
    # Large, and asked for by no target: with it `make test` has one play more.
    [browser]='chromium'
)

packages=()
for group in "$@"; do
    # Split into words on purpose: a group is a list of names.
    read -r -d '' -a names <<<"${groups[$group]:?need.sh: no group of packages is called $group}" || true
    packages+=("${names[@]}")
done

if ! command -v dpkg-query >/dev/null; then
    echo "Not Debian, so nothing is installed. Needed, by their Debian names: ${packages[*]}" >&2
    exit 0
fi

# A name that dpkg does not know makes it fail, and is simply not in its answer.
declare -A is_installed=()
while read -r status package; do
    [ "$status" = installed ] && is_installed[$package]=1
done < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null)

missing=()
for package in "${packages[@]}"; do
    [ -n "${is_installed[$package]:-}" ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

sudo=()
if [ "$(id -u)" != 0 ]; then
    sudo=(sudo)
    if ! command -v sudo >/dev/null; then
        echo "Some packages are missing, and there is no sudo. As root:" >&2
        echo "    apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT

install_missing() {
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --no-install-recommends -o Dpkg::Use-Pty=0 \
        -o DPkg::Lock::Timeout=300 "${missing[@]}" >"$log" 2>&1
}

update_lists() {
    "${sudo[@]}" apt-get update >"$log" 2>&1
}

echo "installing ${missing[*]}" >&2
# The package lists are fetched only when they are absent or too old to serve.
if ! install_missing && ! { update_lists && install_missing; }; then
    cat "$log" >&2
    echo "These packages could not be installed: ${missing[*]}" >&2
    exit 1
fi
