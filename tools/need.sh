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
        libc-ares-dev libyaml-dev libpcre2-dev libjansson-dev libmicrohttpd-dev libcrypt-dev zlib1g-dev
        node-llhttp'
    [test]='libcmocka-dev curl ca-certificates openssl'
    [san]='libasan8 libubsan1 libtsan2 util-linux'
    [fuzz]='clang libclang-rt-dev'
    [lint]='clang clang-tidy clang-format cppcheck shellcheck'
    [cov]='gcovr'
    # Large, and asked for by no target: with it `make test` has one play more, and with what
    # `npm ci` in web/ installs the tests of the page. npm is not among them: Debian's would bring
    # four hundred packages, and wherever Node is newer than Debian's it is there.
    [browser]='chromium nodejs'
    # The proxies that `make bench` measures beside this one, where they are: `make peers`.
    [peers]='squid haproxy tinyproxy privoxy mitmproxy apache2 trafficserver nginx
        libnginx-mod-stream dante-server'
)

# The services of packages that are wanted for their programs alone: one that was installed here is
# not to serve. (One that was there already is somebody's.)
declare -A services=(
    [squid]=squid [haproxy]=haproxy [tinyproxy]=tinyproxy [privoxy]=privoxy [apache2]=apache2
    [trafficserver]=trafficserver [nginx]=nginx [dante-server]=danted
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

# RUNLEVEL=1: to the maintainers' scripts this is no time at which to start a server.
install_missing() {
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
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

for package in "${missing[@]}"; do
    service=${services[$package]:-}
    if [ -n "$service" ] && [ -d /run/systemd/system ]; then
        "${sudo[@]}" systemctl disable --quiet --now "$service" || true
    elif [ -n "$service" ]; then
        "${sudo[@]}" service "$service" stop >/dev/null 2>&1 || true
    fi
done
