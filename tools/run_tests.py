#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the tests of a build directory and counts cases instead of programs.

    run_tests.py BUILD [MESON TEST OPTIONS…]

Meson does the running (order, parallelism, timeouts). A test program says what its cases did in one
of two ways: as cmocka does by default, or as TAP (https://testanything.org). One that crashes, is
killed, or names no case at all has failed, whatever it printed before.

Failures are shown in full. The last line is `N passed, N failed`, with `, N skipped` when there are
any; the exit status is 0 when none failed.
"""

import json
import re
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

Cases = namedtuple("Cases", "passed failed skipped")

CMOCKA_PASSED = re.compile(r"^\[  PASSED  \] (\d+) test\(s\)", re.M)
CMOCKA_SKIPPED = re.compile(r"^\[  SKIPPED \] (\d+) test\(s\), listed below", re.M)
CMOCKA_FAILED = re.compile(r"^ (\d+) FAILED TEST\(S\)", re.M)
CMOCKA_OK = re.compile(r"^\[       OK \] ", re.M)
CMOCKA_SKIPPED_CASE = re.compile(r"^\[  SKIPPED \] (?!\d+ test\(s\),)(.+)$", re.M)

TAP_PLAN = re.compile(r"^1\.\.(\d+)\s*(#\s*skip\b.*)?$", re.M | re.I)
TAP_CASE = re.compile(r"^(not )?ok\b *\d* *-? *([^#\n]*)(#\s*(skip|todo)\b.*)?$", re.M | re.I)

PASSING = ("OK", "EXPECTEDFAIL")


def sum_of(pattern, text):
    return sum(int(n) for n in pattern.findall(text))


def cmocka_cases(text):
    passed = sum_of(CMOCKA_PASSED, text)
    if not CMOCKA_PASSED.search(text):  # it did not live to write its closing lines
        passed = len(CMOCKA_OK.findall(text))
    return Cases(passed, sum_of(CMOCKA_FAILED, text), sum_of(CMOCKA_SKIPPED, text))


def tap_cases(text):
    passed = failed = skipped = 0
    for is_not, _, directive, word in TAP_CASE.findall(text):
        if word.lower() == "skip":
            skipped += 1
        elif is_not and word.lower() != "todo":
            failed += 1
        else:
            passed += 1
    planned, skip_all = TAP_PLAN.search(text).groups()
    if skip_all:
        skipped += 1
    missing = int(planned) - (passed + failed + skipped)
    return Cases(passed, failed + max(missing, 0), skipped)


def cases_of(test):
    """What one program's cases did; at least one case has failed when the program has."""
    text = test.get("stdout") or ""
    if TAP_PLAN.search(text):
        cases = tap_cases(text)
    else:
        cases = cmocka_cases(text + "\n" + (test.get("stderr") or ""))
    if test["result"] == "SKIP" and not any(cases):
        cases = Cases(0, 0, 1)
    if cases.failed == 0 and (test["result"] not in PASSING + ("SKIP",) or not any(cases)):
        cases = cases._replace(failed=1)
    return cases


def skipped_names(test):
    text = test.get("stdout") or ""
    if TAP_PLAN.search(text):
        names = [(name + directive).strip() for _, name, directive, word in TAP_CASE.findall(text)
                 if word.lower() == "skip"]
        return names or [TAP_PLAN.search(text).group(0)]
    return sorted(set(CMOCKA_SKIPPED_CASE.findall(text))) or ["all of it"]


def how_it_ended(test):
    code = test.get("returncode", 0)
    if test["result"] == "TIMEOUT":
        return "took too long and was stopped"
    if code < 0:
        return f"was killed by signal {-code}"
    if code:
        return f"ended with status {code}"
    return "ended with status 0"


def show_failure(name, test):
    print(f"\n──── {name} failed; it {how_it_ended(test)}")
    for stream in ("stdout", "stderr"):
        text = (test.get(stream) or "").rstrip()
        if text:
            print(text)
    print()


def short_name(name):
    """'flightstrip:unit / test_reader' → 'unit/test_reader'"""
    suite, _, test = name.rpartition(" / ")
    suite = suite.rpartition(":")[2]
    return f"{suite}/{test}" if suite else test


def run(build, options):
    """The rows of Meson's log; None when the tests could not be built or run at all."""
    built = subprocess.run(["ninja", "-C", build, "--quiet", "meson-test-prereq"], capture_output=True,
                           text=True, errors="replace")
    if built.returncode:
        print(built.stdout + built.stderr)
        return None
    log = Path(build, "meson-logs", "testlog.json")
    log.unlink(missing_ok=True)
    meson = subprocess.run(["meson", "test", "-C", build, "--no-rebuild", *options],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           errors="replace")
    if not log.exists():
        print(meson.stdout + meson.stderr)
        return None
    with open(log, encoding="utf-8", errors="replace") as rows:
        return [json.loads(row) for row in rows]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    tests = run(sys.argv[1], sys.argv[2:])
    if tests is None:
        print("0 passed, 1 failed")
        return 1

    suites = {}
    skipped = []
    for test in tests:
        name = short_name(test["name"])
        cases = cases_of(test)
        if cases.failed:
            show_failure(name, test)
        if cases.skipped:
            skipped += [f"skipped: {name}: {case}" for case in skipped_names(test)]
        suite = suites.setdefault(name.partition("/")[0], [])
        suite.append((cases, test["duration"]))

    for line in skipped:
        print(line)
    for suite, rows in suites.items():
        passed = sum(cases.passed for cases, _ in rows)
        seconds = sum(duration for _, duration in rows)
        print(f"{suite:<12} {passed:6} passed in {len(rows):3} programs, {seconds:6.1f} s")

    total = Cases(*(sum(cases[i] for rows in suites.values() for cases, _ in rows)
                    for i in range(3)))
    if not any(total):
        total = total._replace(failed=1)
    print(f"{total.passed} passed, {total.failed} failed" +
          (f", {total.skipped} skipped" if total.skipped else ""))
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
