# SPDX-License-Identifier: GPL-3.0-or-later
# bash completion for flightstrip. What stands between the two marks is written by tools/docs.py.

# begin completion
_flightstrip_commands='record explain open rehearse export note rules endpoints help version'

_flightstrip_options()
{
    case $1 in
    record) echo '--output --proxy --device --allow --ports --deny --block --throttle --delay --upstream --upstream-for --upstream-credentials --users --policy --connect-to --name-server --web --web-cert --web-key --for --traffic --knowledge --help' ;;
    explain) echo '--device --format --traffic --knowledge --help' ;;
    open) echo '--web --web-cert --web-key --knowledge --help' ;;
    rehearse) echo '--speed --output --traffic --knowledge --web --web-cert --web-key --list --help' ;;
    export) echo '--as --output --help' ;;
    note) echo '--at --help' ;;
    rules) echo '--knowledge --help' ;;
    endpoints) echo '--list --format --knowledge --help' ;;
    help) echo '--help' ;;
    version) echo '--format --help' ;;
    esac
}

# What the argument of an option can be: FILE, DIR, words, or another
# name in capitals for what cannot be completed.
_flightstrip_argument()
{
    case $1,$2 in
    record,--output | record,-o) echo 'FILE' ;;
    record,--proxy | record,-p) echo '[ADDR:]PORT[=NAME]' ;;
    record,--device | record,-d) echo 'NAME=ADDR' ;;
    record,--allow) echo 'CIDR' ;;
    record,--ports) echo 'PORTS' ;;
    record,--deny) echo 'PATTERN' ;;
    record,--block) echo 'PATTERN' ;;
    record,--throttle) echo 'PATTERN=RATE' ;;
    record,--delay) echo 'PATTERN=MS' ;;
    record,--upstream) echo 'http://HOST:PORT' ;;
    record,--upstream-for) echo 'PATTERN=URL' ;;
    record,--upstream-credentials) echo 'FILE' ;;
    record,--users) echo 'FILE' ;;
    record,--policy) echo 'FILE' ;;
    record,--connect-to | record,-c) echo 'HOST:PORT:ADDR:PORT' ;;
    record,--name-server) echo 'ADDR[:PORT]' ;;
    record,--web) echo '[ADDR:]PORT' ;;
    record,--web-cert) echo 'FILE' ;;
    record,--web-key) echo 'FILE' ;;
    record,--for) echo 'DURATION' ;;
    record,--knowledge | record,-k) echo 'DIR' ;;
    explain,--device | explain,-d) echo 'DEVICE' ;;
    explain,--format | explain,-f) echo 'text markdown json ndjson csv' ;;
    explain,--knowledge | explain,-k) echo 'DIR' ;;
    open,--web) echo '[ADDR:]PORT' ;;
    open,--web-cert) echo 'FILE' ;;
    open,--web-key) echo 'FILE' ;;
    open,--knowledge | open,-k) echo 'DIR' ;;
    rehearse,--speed | rehearse,-s) echo 'N|max' ;;
    rehearse,--output | rehearse,-o) echo 'FILE' ;;
    rehearse,--knowledge | rehearse,-k) echo 'DIR' ;;
    rehearse,--web) echo '[ADDR:]PORT' ;;
    rehearse,--web-cert) echo 'FILE' ;;
    rehearse,--web-key) echo 'FILE' ;;
    export,--as | export,-a) echo 'ndjson har csv squid' ;;
    export,--output | export,-o) echo 'FILE' ;;
    note,--at | note,-a) echo 'TIME' ;;
    rules,--knowledge | rules,-k) echo 'DIR' ;;
    endpoints,--format | endpoints,-f) echo 'text json' ;;
    endpoints,--knowledge | endpoints,-k) echo 'DIR' ;;
    version,--format | version,-f) echo 'text json' ;;
    esac
}

_flightstrip_operands()
{
    case $1 in
    rehearse) echo 'user-driven-2019 user-driven pre-provisioning self-deploying device-preparation login-blocked enrollment-blocked tls-inspected esp-timeout proxy-authentication' ;;
    rules) echo 'list check try' ;;
    help) echo "$_flightstrip_commands" ;;
    esac
}
# end completion

_flightstrip_files()
{
    mapfile -t COMPREPLY < <(compgen -"$1" -- "$2")
}

_flightstrip_among()
{
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_flightstrip()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} argument words

    # --option=argument comes as three words.
    if [[ $cur == = ]]; then
        cur=
    elif [[ $prev == = ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        _flightstrip_among "$_flightstrip_commands --help --version" "$cur"
        return
    fi
    argument=$(_flightstrip_argument "$command" "$prev")
    if [[ $argument == FILE ]]; then
        _flightstrip_files f "$cur"
    elif [[ $argument == DIR ]]; then
        _flightstrip_files d "$cur"
    elif [[ $argument == *[[:lower:]]* ]]; then
        _flightstrip_among "$argument" "$cur"
    elif [[ -n $argument ]]; then
        return
    elif [[ $cur == -* ]]; then
        _flightstrip_among "$(_flightstrip_options "$command")" "$cur"
    else
        words=$(_flightstrip_operands "$command")
        if [[ -n $words ]] && ((COMP_CWORD == 2)); then
            _flightstrip_among "$words" "$cur"
        fi
        # Also where words can stand: rehearse takes a file of one's own.
        if [[ ${#COMPREPLY[@]} == 0 ]]; then
            _flightstrip_files f "$cur"
        fi
    fi
}

complete -o filenames -F _flightstrip flightstrip
