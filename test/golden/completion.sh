#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What bash completes, asked of bash itself: completion.sh COMPLETION. TAP.
# shellcheck disable=SC1090
source "$1"
cd "$(mktemp -d)" || exit 2
trap 'rm -r "$PWD"' EXIT
mkdir rules.d
: >first.flight

number=0
failed=0

# case WANTED WORD…: the words of the line; the last is what is to be completed.
case_of()
{
    local wanted=$1 got
    shift
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _flightstrip
    got=${COMPREPLY[*]}
    ((number++))
    if [[ $got == "$wanted" ]]; then
        echo "ok $number - ${*:1}"
    else
        echo "not ok $number - ${*:1}"
        echo "#   wanted: $wanted"
        echo "#   got:    $got"
        failed=1
    fi
}

case_of 'explain export' flightstrip exp
case_of 'explain' flightstrip expl
case_of '--help' flightstrip --h
case_of '--format' flightstrip explain --fo
case_of 'markdown' flightstrip explain --format m
case_of 'markdown' flightstrip explain -f m
case_of 'json' flightstrip explain --format = j
case_of 'text markdown json ndjson csv' flightstrip explain --format =
case_of 'rules.d' flightstrip explain --knowledge r
case_of 'first.flight' flightstrip record -o f
case_of 'first.flight' flightstrip explain f
case_of 'check' flightstrip rules c
case_of 'first.flight' flightstrip rules check f
case_of 'record rehearse rules' flightstrip help r
case_of 'user-driven-2019 user-driven' flightstrip rehearse u
case_of 'first.flight' flightstrip rehearse f
case_of '' flightstrip record --for 1
case_of '--connect-to' flightstrip record --c
echo "1..$number"
exit $failed
