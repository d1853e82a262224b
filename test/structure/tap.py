# SPDX-License-Identifier: GPL-3.0-or-later
"""The closing of a test written in Python: cases in, TAP out."""

import sys
import traceback


def run(cases):
    """Each case is (name, function); the function returns its complaints, a list of lines."""
    failed = 0
    print(f"1..{len(cases)}")
    for number, (name, function) in enumerate(cases, 1):
        try:
            complaints = function()
        except Exception:  # a case that breaks has failed; the others still run
            complaints = traceback.format_exc().splitlines()
        failed += bool(complaints)
        print(f"{'not ' if complaints else ''}ok {number} - {name}")
        for complaint in complaints:
            print(f"#   {complaint}")
    sys.exit(1 if failed else 0)
