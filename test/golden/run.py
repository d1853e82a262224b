#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the program as a person does and compares what it says.

    run.py [--rewrite] PROGRAM

A case is a folder: README says what it shows, `cmd` is a shell script in which `flightstrip` is the
program, `expected` is what it printed: standard output, then standard error, then the exit status.
It runs in a copy of the folder, without a terminal, a home or a locale of its own, so that nothing
but its inputs decides. The program's version is replaced by a word.

--rewrite writes `expected`; the difference is then what gets reviewed.
"""

import difflib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SECONDS = 60


def cases():
    return sorted(path.parent for path in HERE.glob("*/cmd"))


def run(case, program, version):
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch) / "work"
        shutil.copytree(case, work)
        bin_dir = Path(scratch) / "bin"
        bin_dir.mkdir()
        (bin_dir / "flightstrip").symlink_to(program)
        environment = {"PATH": f"{bin_dir}:{os.environ['PATH']}", "HOME": scratch, "TZ": "UTC",
                       "LC_ALL": "C.UTF-8", "TERM": "dumb"}
        # What a sanitizer is to do is a matter of the build, not of the case.
        environment.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        done = subprocess.run(["bash", "cmd"], cwd=work, env=environment, timeout=SECONDS,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
    said = done.stdout
    if done.stderr:
        said += b"--- standard error\n" + done.stderr
    said += f"--- exit status {done.returncode}\n".encode()
    for before in ("flightstrip ", '"version": "'):
        said = said.replace(f"{before}{version}".encode(), f"{before}VERSION".encode())
    return said


def difference(expected, said):
    old, new = (text.decode("utf-8", "backslashreplace").splitlines() for text in (expected, said))
    lines = difflib.unified_diff(old, new, "expected", "now", lineterm="", n=1)
    return list(lines)[:60] or ["only line ends differ"]


def main(arguments):
    rewrite = "--rewrite" in arguments
    program = Path(next(a for a in arguments if not a.startswith("--"))).resolve()
    version = subprocess.run([program, "version"], check=True, capture_output=True,
                             text=True).stdout.split()[1]
    failed = 0
    if not rewrite:
        print(f"1..{len(cases())}")
    for number, case in enumerate(cases(), 1):
        path = case / "expected"
        said = run(case, program, version)
        expected = path.read_bytes() if path.exists() else b""
        if rewrite:
            if said != expected:
                path.write_bytes(said)
                print(f"{case.name}: rewritten")
            continue
        failed += said != expected
        print(f"{'ok' if said == expected else 'not ok'} {number} - {case.name}")
        if said != expected:
            for line in difference(expected, said):
                print(f"#   {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
