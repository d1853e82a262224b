#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives tools/run_tests.py programs that end in every way, and reads its closing line.

    run_tests_counts.py RUN_TESTS
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import tap

CMOCKA = r"""
printf '[==========] Running 3 test(s).\n[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n'
printf '[  SKIPPED ] b\n[ RUN      ] c\n[       OK ] c\n[==========] 3 test(s) run.\n'
printf '[  PASSED  ] 2 test(s).\n[  SKIPPED ] 1 test(s), listed below:\n[  SKIPPED ] b\n\n 1 SKIPPED TEST(S)\n' >&2
"""
CMOCKA_FAILS = r"""
printf '[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n[  FAILED  ] b\n[==========] 2 test(s) run.\n'
printf '[  ERROR   ] --- 1 != 2\n[  PASSED  ] 1 test(s).\n[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] b\n\n 1 FAILED TEST(S)\n' >&2
exit 1
"""
CMOCKA_CRASHES = r"""
printf '[ RUN      ] a\n[       OK ] a\n[ RUN      ] the_one_that_crashes\n'
kill -SEGV $$
"""

# claim, protocol, the program, the closing line, words that the output has to have
ENDINGS = [
    ("cmocka's cases are counted", "exitcode", CMOCKA, "2 passed, 0 failed, 1 skipped", ["t: b"]),
    ("a failing case of cmocka's is shown in full", "exitcode", CMOCKA_FAILS,
     "1 passed, 1 failed", ["1 != 2", "ended with status 1"]),
    ("a crash counts as a failed case", "exitcode", CMOCKA_CRASHES,
     "1 passed, 1 failed", ["the_one_that_crashes", "signal 11"]),
    ("TAP's cases are counted", "tap", "printf '1..2\\nok 1 - a\\nok 2 - b\\n'", "2 passed, 0 failed", []),
    ("a failing case of TAP's is shown in full", "tap",
     "printf '1..2\\nok 1 - a\\nnot ok 2 - b\\n# it was blue\\n'; exit 1",
     "1 passed, 1 failed", ["it was blue"]),
    ("a skipped case of TAP's is named", "tap",
     "printf '1..2\\nok 1 - a\\nok 2 - b # SKIP no tub\\n'",
     "1 passed, 0 failed, 1 skipped", ["b # SKIP no tub"]),
    ("a case that TAP planned and did not run has failed", "tap",
     "printf '1..3\\nok 1 - a\\nok 2 - b\\n'", "2 passed, 1 failed", []),
    ("a TAP program that skips everything is one skipped case", "tap",
     "printf '1..0 # SKIP no water\\n'", "0 passed, 0 failed, 1 skipped", ["no water"]),
    ("passing cases do not hide an exit status", "tap",
     "printf '1..1\\nok 1 - a\\n'; exit 3", "1 passed, 1 failed", ["status 3"]),
    ("a program that says nothing has failed", "exitcode", "exit 0", "0 passed, 1 failed", []),
    ("a program that takes too long has failed", "exitcode", "exec sleep 60",
     "0 passed, 1 failed", ["took too long"]),
]


def project(folder, protocol, program):
    script = Path(folder, "t.sh")
    script.write_text("#!/bin/sh\n" + program, encoding="utf-8")
    script.chmod(0o755)
    Path(folder, "meson.build").write_text(
        f"project('p')\ntest('t', find_program('./t.sh'), protocol: '{protocol}', timeout: 1)\n",
        encoding="utf-8")
    subprocess.run(["meson", "setup", "build"], cwd=folder, check=True, capture_output=True)


def run(folder, build="build"):
    done = subprocess.run([sys.executable, sys.argv[1], build], cwd=folder, text=True,
                          capture_output=True)
    return done.returncode, done.stdout


def ends_so(protocol, program, closing, words):
    with tempfile.TemporaryDirectory() as folder:
        project(folder, protocol, program)
        status, said = run(folder)
    complaints = []
    if said.splitlines()[-1] != closing:
        complaints.append(f"the last line is not '{closing}'")
    if (status == 0) != (" 0 failed" in closing):
        complaints.append(f"the exit status is {status}")
    complaints += [f"'{word}' is not in it" for word in words if word not in said]
    return complaints and complaints + said.splitlines()


def no_build_fails():
    with tempfile.TemporaryDirectory() as folder:
        status, said = run(folder, "nowhere")
    return [] if status and said.endswith("0 passed, 1 failed\n") else said.splitlines()


if __name__ == "__main__":
    tap.run([(claim, lambda row=rest: ends_so(*row)) for claim, *rest in ENDINGS] +
            [("a folder that is no build has failed", no_build_fails)])
