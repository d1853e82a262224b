#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""run.py FLIGHTSTRIP MAKE_RECORDING [TOPIC…]: the page in a browser.

Each topic is a program for node beside this one, TOPIC.test.mjs; a few go at once, and what their
cases did becomes one TAP. Without a browser, node or what web/package.json names, all are skipped.
"""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = HERE.parents[1] / "web" / "node_modules"
AT_ONCE = 2
NODE_LEAST = 20
CASE = re.compile(r"^(not ok|ok) \d+ - (.*)$", re.M)


def missing():
    """What is not here, in one line; None when everything is."""
    lacks = [name for name in ("chromium", "node") if not shutil.which(name)]
    if lacks:
        return f"{' and '.join(lacks)} cannot be found; tools/need.sh browser installs both"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    if int(version.strip("v\n").partition(".")[0] or 0) < NODE_LEAST:
        return f"node is {version.strip()}, and these tests want {NODE_LEAST} or later"
    if not (MODULES / "playwright-core").exists() or not (MODULES / "axe-core").exists():
        return "web/node_modules is not here; `npm ci` in web/ makes it"
    return None


def run(topic, env):
    """The topic's TAP. One that says nothing of any case, or ends badly, has failed as a whole."""
    done = subprocess.run(["node", "--test-reporter=tap", topic], env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace")
    found = CASE.search(done.stdout)
    if not found or (done.returncode and "\nnot ok" not in done.stdout):
        return f"not ok 1 - runs to its end\n{done.stdout}{done.stderr}"
    return done.stdout


def show(topic, text, number):
    """Its cases, numbered on from number, each followed by what it says of itself; the next number."""
    for block in re.split(r"(?m)^(?=(?:not ok|ok) \d+ - )", text)[1:]:
        (outcome, name), details = CASE.match(block).groups(), block.splitlines()[1:]
        print(f"{outcome} {number} - {topic}: {name}")
        for line in details if outcome == "not ok" else []:
            print(f"#   {line}")
        number += 1
    sys.stdout.flush()
    return number


def main():
    lack = missing()
    if lack:
        print(f"1..0 # SKIP {lack}")
        return 0
    env = os.environ | {"FLIGHTSTRIP": str(Path(sys.argv[1]).resolve()),
                        "MAKE_RECORDING": str(Path(sys.argv[2]).resolve()),
                        "CHROMIUM": shutil.which("chromium")}
    topics = [HERE / f"{name}.test.mjs" for name in sys.argv[3:]] or sorted(HERE.glob("*.test.mjs"))
    number = 1
    failed = False
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for topic, text in zip(topics, pool.map(run, topics, [env] * len(topics))):
            failed |= "\nnot ok" in "\n" + text
            number = show(topic.name.partition(".")[0], text, number)
    print(f"1..{number - 1}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
