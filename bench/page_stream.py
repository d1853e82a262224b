#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs the recorder that somebody watches the page while 2,000 flows a second go through.

    page_stream.py BUILD

It is the CPU time of the thread in which the web server is, with none, one and several who read
the live stream; of each the aim is at most 1 ms a second beyond the first.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FLOWS_A_SECOND = 2000
TURN_SECONDS = 0.1
SECONDS = 6
VIEWERS = 11
AIM_MS = 1


class Load:
    """proxy_load, asked for a few tunnels ten times a second."""

    def __init__(self, build):
        self.process = subprocess.Popen([build / "bench" / "proxy_load"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.origin = int(self.process.stdout.readline().split()[-1])

    def turn(self, proxy):
        count = int(FLOWS_A_SECOND * TURN_SECONDS)
        self.process.stdin.write(f"connect http 127.0.0.1:{proxy} 127.0.0.1:{self.origin} {count} 5\n")
        self.process.stdin.flush()
        if json.loads(self.process.stdout.readline())["done"] != count:
            raise SystemExit("the recorder did not serve them all")

    def run(self, proxy, seconds):
        due = time.monotonic()
        end = due + seconds
        while due < end:
            self.turn(proxy)
            due += TURN_SECONDS
            time.sleep(max(0, due - time.monotonic()))

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def view(page):
    return subprocess.Popen(["curl", "--silent", "--no-buffer", "--output", os.devnull,
                             f"{page}api/v1/recordings/1/live?after=0"])


def start(build, folder, origin):
    command = [build / "flightstrip", "record", "-o", folder / "run.flight", "--proxy", "127.0.0.1:0",
               "--web", "127.0.0.1:0", "--connect-to", f"::127.0.0.1:{origin}", "--ports", "any"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    page = None
    for line in process.stderr:
        if "the page is at" in line:
            page = line.split()[-1]
        if "proxy is to be" in line:
            return process, page, int(line.rpartition(":")[2])
    raise SystemExit("the recorder did not start")


def running_ms(process):
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/schedstat").read_text().split()[0]) / 1e6


def measure(process, load, proxy):
    load.run(proxy, 0.5)
    before = running_ms(process)
    load.run(proxy, SECONDS)
    return (running_ms(process) - before) / SECONDS


def main():
    build = Path(sys.argv[1]).resolve()
    load = Load(build)
    with tempfile.TemporaryDirectory() as folder:
        process, page, proxy = start(build, Path(folder), load.origin)
        alone = measure(process, load, proxy)
        viewers = [view(page)]
        one = measure(process, load, proxy)
        viewers += [view(page) for _ in range(VIEWERS - 1)]
        many = measure(process, load, proxy)
        process.terminate()
        process.wait()
        for viewer in viewers:
            viewer.wait()
    load.end()
    more = (many - one) / (VIEWERS - 1)
    print(f"{'page: recording 2,000 flows/s, and nobody watches':<54}{alone:8.2f} ms/s")
    print(f"{'page: the first who watches':<54}{one - alone:8.2f} ms/s")
    print(f"{'page: each further one':<54}{more:8.2f} ms/s  (aim at most {AIM_MS})  {AIM_MS / more:.2f}")


main()
