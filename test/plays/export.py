#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""export.py FLIGHTSTRIP: a run, recorded and exported, explains to the same moments.

Runs are acted out through the real proxy as fast as the machine can. NDJSON has to give the very
same strip; a Squid log and a HAR, which know less, the same moments and the same outcome, at the
same times counted from the first. What those two cannot tell is named here. Prints TAP.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

SECONDS = 120
NEAR_MS = 1000  # a log's milliseconds, and a HAR's, are rounded

# A log and a HAR do not say that the device refused a certificate within a tunnel.
RUNS = ("user-driven-2019", "user-driven", "device-preparation", "login-blocked",
        "enrollment-blocked")


def flightstrip(program, *arguments):
    done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=SECONDS, check=False)
    if done.returncode:
        raise AssertionError(f"{arguments}: {done.stderr.decode()}")
    return done.stdout


def explained(program, path):
    return json.loads(flightstrip(program, "explain", "--format", "json", path))["devices"]


def moments(device):
    """What happened, by its id, and when: milliseconds after the first."""
    first = device["moments"][0]["at_ms"]
    return sorted((m["id"], m["at_ms"] - first) for m in device["moments"] if m["id"] != "summary")


def compare(want, got, name):
    assert len(want) == len(got) > 0, f"{name}: {len(got)} devices and not {len(want)}"
    for expected, device in zip(want, got):
        assert len(expected["moments"]) > 3, f"{name}: nothing happened"
        assert device["scenario"]["id"] == expected["scenario"]["id"], f"{name}: another scenario"
        assert device["outcome"]["state"] == expected["outcome"]["state"], f"{name}: outcome"
        pairs = list(zip(moments(expected), moments(device)))
        ids = [[m[0] for m in moments(d)] for d in (expected, device)]
        assert ids[0] == ids[1], f"{name}: {set(ids[0]) ^ set(ids[1])}"
        for (moment, at), (_, now) in pairs:
            assert abs(at - now) <= NEAR_MS, f"{name}: {moment} at {now} ms and not at {at}"


def play(program, run):
    with tempfile.TemporaryDirectory() as folder:
        recording = str(Path(folder) / "run.flight")
        flightstrip(program, "rehearse", run, "--speed", "max", "-o", recording)
        want = explained(program, recording)
        for form in ("ndjson", "squid", "har"):
            path = str(Path(folder) / f"run.{form}")
            flightstrip(program, "export", recording, "--as", form, "-o", path)
            got = explained(program, path)
            if form == "ndjson":
                assert got == want, "ndjson: another strip"
            compare(want, got, form)


def main(program):
    failed = 0
    print(f"1..{len(RUNS)}")
    for number, run in enumerate(RUNS, 1):
        try:
            play(program, run)
            print(f"ok {number} - {run} explains to the same from its exports")
        except AssertionError as wrong:
            failed += 1
            print(f"not ok {number} - {run} explains to the same from its exports\n# {wrong}")
    return failed


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1]) else 0)
