#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what write_types says of the program's tables into the page's sources.

    types.py [--check] WRITE_TYPES SOURCE

With --check nothing is written; it is TAP, and a file that would change has failed.
"""

import difflib
import subprocess
import sys
from pathlib import Path

TYPES = "web/src/api/generated.ts"


def main(arguments):
    check = "--check" in arguments
    write_types, source = [a for a in arguments if a != "--check"]
    file = Path(source) / TYPES
    new = subprocess.run([write_types], check=True, text=True, encoding="utf-8",
                         stdout=subprocess.PIPE).stdout
    if not check:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(new, encoding="utf-8")
        return 0
    old = file.read_text(encoding="utf-8")
    print("1..1")
    print(f"{'ok' if old == new else 'not ok'} 1 - {TYPES} says what the tables say")
    for line in difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0):
        print(f"#   {line}")
    if old != new:
        print("# `ninja -C build types` writes it anew")
    return 1 if old != new else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
