# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy that runs, and what all of its processes use, from /proc."""

import os
import signal
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS = 20
STOP_SECONDS = 20


def stat_of(pid):
    """Its parent, and the CPU ticks of its threads and of its children that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1]), sum(int(field) for field in fields[11:15])


def tree_of(root):
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                children.setdefault(stat_of(entry.name)[0], []).append(int(entry.name))
            except (OSError, IndexError):
                pass  # it ended meanwhile
    tree = [root]
    for pid in tree:
        tree.extend(children.get(pid, ()))
    return tree


def summed(root, read):
    total = 0
    for pid in tree_of(root):
        try:
            total += read(pid)
        except OSError:
            pass
    return total


def cpu_seconds(root):
    return summed(root, lambda pid: stat_of(pid)[1]) / TICKS


def running_seconds(root):
    """To the nanosecond, but without threads and children that ended."""
    return summed(root, lambda pid: sum(
        int(path.read_text().split()[0])
        for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))) / 1e9


def memory_of(pid):
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def memory_bytes(root):
    """Pages that several processes share count once."""
    return summed(root, memory_of)


def open_files(root):
    return summed(root, lambda pid: len(os.listdir(f"/proc/{pid}/fd")))


class Trouble(Exception):
    """Why a proxy could not be measured."""


class NotStarted(Trouble):
    """It ended at once, or never listened."""


def last_words(folder):
    texts = (path.read_text(errors="replace").strip() for path in
             [folder / "out", folder / "error.log", folder / "cache.log", folder / "access.log"]
             if path.exists())
    said = " … ".join(text[-200:] for text in texts if text) or "it said nothing"
    return " ".join(said.split())


class Running:
    """A proxy that listens; in a `with`."""

    def __init__(self, proxy):
        self.proxy = proxy
        self.process = None

    def __enter__(self):
        command = self.proxy.command()
        if command is None:
            return self
        with open(self.proxy.dir / "out", "wb") as out:
            environment = {**os.environ, "HOME": str(self.proxy.dir), "TERM": "dumb"}
            self.process = subprocess.Popen(command, cwd=self.proxy.dir, stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=subprocess.STDOUT, env=environment,
                                            start_new_session=True)
        try:
            self.wait_until_it_listens()
        except Trouble:
            self.__exit__()
            raise
        return self

    def wait_until_it_listens(self):
        until = time.monotonic() + START_SECONDS
        while not self.listens():
            if self.process.poll() is not None or time.monotonic() > until:
                raise NotStarted(f"did not start: {last_words(self.proxy.dir)}")
            time.sleep(0.05)

    def listens(self):
        """From the kernel's table, so that no connection is made which its log would tell of."""
        here = f"0100007F:{self.proxy.port:04X}"
        with open("/proc/net/tcp", encoding="ascii") as table:
            return any(line.split()[1] == here and line.split()[3] == "0A" for line in table)

    @property
    def pid(self):
        return self.process.pid

    def __exit__(self, *_):
        if not self.process:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT if self.proxy.name == "flightstrip"
                                     else signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        try:  # its session, which it leads: whatever of it is left
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
