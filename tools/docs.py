#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts what write_docs says of the program's tables into the manual and the completion.

    docs.py [--check] WRITE_DOCS SOURCE

The text goes between a line that ends in `begin PART` and one that ends in `end PART`. With --check
nothing is written; it is TAP, and a file that would change has failed.
"""

import difflib
import subprocess
import sys
from pathlib import Path

PARTS = {
    "commands": "man/flightstrip.1",
    "observations": "man/flightstrip-observations.5",
    "completion": "packaging/completion/flightstrip.bash",
}


def fill(text, part, written):
    lines = text.splitlines(keepends=True)
    begin = next(i for i, line in enumerate(lines) if line.rstrip().endswith(f"begin {part}"))
    end = next(i for i, line in enumerate(lines) if line.rstrip().endswith(f"end {part}"))
    return "".join(lines[: begin + 1]) + written + "".join(lines[end:])


def main(arguments):
    check = "--check" in arguments
    write_docs, source = [a for a in arguments if a != "--check"]
    failed = 0
    if check:
        print(f"1..{len(PARTS)}")
    for number, (part, path) in enumerate(PARTS.items(), 1):
        file = Path(source) / path
        old = file.read_text(encoding="utf-8")
        new = fill(old, part, subprocess.run([write_docs, part], check=True, text=True,
                                             encoding="utf-8", stdout=subprocess.PIPE).stdout)
        if not check:
            file.write_text(new, encoding="utf-8")
            continue
        failed += old != new
        print(f"{'ok' if old == new else 'not ok'} {number} - {path} says what the tables say")
        for line in difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0):
            print(f"#   {line}")
    if failed:
        print("# `ninja -C build docs` writes them anew")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
