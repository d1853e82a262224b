#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""soak.py [--full] FLIGHTSTRIP: what the recorder survives when something runs out or never ends.

Each case starts a recorder of its own, uses something up, and then: a normal request is answered,
memory is back, and in the recording every flow has been closed once, with the right reason. The
numbers are small, so that a test takes seconds; --full takes those at which a site would arrive.
All is bounded and on loopback. Prints TAP.
"""

import argparse
import collections
import contextlib
import os
import resource
import signal
import socket
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

import stage
from stage import (HERE, IP_BIND_ADDRESS_NO_PORT, Flightstrip, Origin, all_closed_once, connect,
                   flows_of, good, normal_request, read_answer)

MIB = 1 << 20
PROBE_SECONDS = 0.01  # between two looks at something that comes about by itself
DAY_US = 86_400 * 1_000_000
BACK_BYTES = 8 * MIB  # what an allocator may keep of what was given back


class Numbers:
    def __init__(self, full):
        self.full = full
        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        # A tunnel takes two descriptors here and two there.
        self.idle_tunnels = min(10_000 if full else 500, (descriptors - 1000) // 2)
        self.knocking = 50_000 if full else 2_000
        self.knocking_each = descriptors - 1000  # from one process
        self.short_tunnels = 1_000_000 if full else 20_000
        self.disk_full_requests = 50_000 if full else 100
        self.lock_requests = 500
        self.lock_seconds = 3 if full else 0
        self.hangups = 1_000


class Soak:
    """One case: its recorder and a good origin."""

    def __init__(self, program, numbers, folder, prepare=None):
        self.numbers = numbers
        self.proxy = Flightstrip(program, folder, prepare=prepare)
        self.origin = Origin(good)
        self.normal()
        self.rss_before = self.proxy.rss_bytes()

    def continue_recording(self):
        self.proxy.__exit__()
        self.proxy = Flightstrip(self.proxy.program, self.proxy.path.parent)

    def normal(self):
        normal_request(self.proxy.port, self.origin)

    def memory_is_back(self, more=0):
        """Not under a sanitizer, which keeps what is freed."""
        if not is_sanitized(self.proxy.program):
            until(lambda: self.proxy.rss_bytes() < self.rss_before + BACK_BYTES + more,
                  lambda: f"RSS was {self.rss_before} and is {self.proxy.rss_bytes()}")

    def end(self, **counts):
        """Ends the recorder; counts: how many flows ended why, but for the normal requests."""
        self.proxy.stop()
        return self.judge(**counts)

    def judge(self, **counts):
        observations = self.proxy.observations()
        flows = flows_of(observations)
        all_closed_once(flows)
        got = collections.Counter(flow.why.replace("-", "_") for flow in flows
                                  if flow.came_to == "tunnel" or flow.why != "finished")
        assert got == counts, f"{dict(got)} and not {counts}"
        return observations

    def close(self):
        self.proxy.__exit__()
        self.origin.close()


def is_sanitized(program):
    with open(program, "rb") as file:
        text = file.read()
    return b"__asan_init" in text or b"__tsan_init" in text


def until(holds, says):
    """Waits until it holds; after SECONDS that is a failure."""
    deadline = time.monotonic() + stage.SECONDS
    while not holds():
        assert time.monotonic() < deadline, says()
        time.sleep(PROBE_SECONDS)


def connect_to(host):
    return b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (host, host)


def open_tunnel(soak, listener):
    client = connect(soak.proxy.port).send(connect_to(listener.host))
    head = client.read_head()
    assert b" 200 " in head, head
    return client, listener.accept()


def idle_tunnels(soak):
    count = soak.numbers.idle_tunnels
    listener = Origin()
    tunnels = [open_tunnel(soak, listener) for _ in range(count)]
    soak.normal()
    each = (soak.proxy.rss_bytes() - soak.rss_before) / count
    for client, _ in tunnels:
        client.close()
    for _, server in tunnels:
        server.read_all()
        server.close()
    listener.close()
    soak.normal()
    soak.memory_is_back()
    soak.end(device_closed=count)
    return f"{count} tunnels, {each:.0f} bytes of RSS each"


def knock(port, source, count):
    """Opens as many connections, whether or not they are taken; they say nothing."""
    knocking = []
    for _ in range(count):
        sock = socket.socket()
        sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((source, 0))
        sock.setblocking(False)
        sock.connect_ex((HERE, port))
        knocking.append(sock)
    return knocking


def knock_in_a_process(port, source, count):
    """(its pid, a pipe's end: closing it ends the process). Returns once it has knocked."""
    hold, release = os.pipe()
    done, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(release)
        _keep = knock(port, source, count)
        os.write(tell, b".")
        os.read(hold, 1)
        os._exit(0)
    os.close(hold)
    os.close(tell)
    assert os.read(done, 1) == b".", "a client could not knock"
    os.close(done)
    return pid, release


def a_client_that_opens_far_too_many(soak):
    """They say nothing, so nothing is recorded of them; those beyond the ceiling wait outside."""
    left, processes = soak.numbers.knocking, []
    while left > 0:
        count = min(left, soak.numbers.knocking_each)
        source = f"127.0.2.{len(processes) + 1}"
        processes.append(knock_in_a_process(soak.proxy.port, source, count))
        left -= count
    taken = len(os.listdir(f"/proc/{soak.proxy.process.pid}/fd"))
    for _, release in processes:
        os.close(release)
    for pid, _ in processes:
        os.waitpid(pid, 0)
    soak.normal()
    soak.memory_is_back()
    soak.end()
    return f"{soak.numbers.knocking} connections, {taken} descriptors at most"


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def descriptors_run_out(soak):
    """Those that no descriptor is left for wait outside; when others leave, they are served."""
    silent = [connect(soak.proxy.port) for _ in range(80)]
    waiting = connect(soak.proxy.port).send(
        b"GET %b HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" %
        (soak.origin.url("/waited"), soak.origin.host))
    for client in silent:
        client.close()
    answer = read_answer(waiting)
    assert answer.body == b"/waited", answer
    soak.normal()
    soak.memory_is_back()
    soak.end()


def descriptors_run_out_under_tunnels(soak):
    """Who has been accepted is served: accepting leaves what dialling needs."""
    listener = Origin(good)
    clients = [connect(soak.proxy.port).send(connect_to(listener.host)) for _ in range(60)]
    for client in clients:
        head = client.read_head()
        assert b" 200 " in head, head
        client.close()
    listener.close()
    soak.normal()
    soak.memory_is_back()
    soak.end(device_closed=60)


descriptors_run_out.prepare = descriptors_run_out_under_tunnels.prepare = few_descriptors


def short_tunnels(soak):
    count = soak.numbers.short_tunnels
    listener = Origin()
    for i in range(count):
        client, server = open_tunnel(soak, listener)
        client.send(b"ping")
        server.read(4)
        server.send(b"pong")
        client.read(4)
        client.end()
        server.read_all()
        server.close()
        client.read_all()
        client.close()
        listener.wires.clear()
        if i == count // 10:
            early = soak.proxy.rss_bytes()
    late = soak.proxy.rss_bytes()
    listener.close()
    soak.normal()
    assert is_sanitized(soak.proxy.program) or late < early + 4 * MIB, \
        f"RSS after a tenth {early}, at the end {late}"
    soak.end(device_closed=count)
    return f"{count} tunnels; RSS {early >> 10} KiB after a tenth, {late >> 10} KiB at the end"


def limit_files(soak, soft):
    hard = resource.RLIM_INFINITY
    resource.prlimit(soak.proxy.process.pid, resource.RLIMIT_FSIZE, (soft, hard))


def the_recording_s_disk_is_full(soak):
    """Traffic flows on; what was lost is a gap, and is counted."""
    size = sum(path.stat().st_size for path in soak.proxy.path.parent.glob("faults.flight*"))
    limit_files(soak, size)
    count = 0
    while "traffic goes on" not in soak.proxy.said():
        soak.normal()
        count += 1
        assert count < 50_000, "it never said that it could not write"
    for _ in range(soak.numbers.disk_full_requests):
        soak.normal()
    count += soak.numbers.disk_full_requests + 2  # with the first and the last
    limit_files(soak, resource.RLIM_INFINITY)
    until(lambda: "recording goes on" in soak.proxy.said(), soak.proxy.said)
    soak.normal()
    soak.proxy.stop()
    observations = soak.proxy.observations()
    whole = [flow for flow in flows_of(observations) if (flow.opened, flow.closed) == (1, 1)]
    gaps = [seen for seen in observations if seen["kind"] == "gap"]
    assert str(whole[-1]) == "200 by server, finished", whole[-1]
    assert gaps or len(whole) == count, f"{count - len(whole)} are lost without a word"
    return f"{count} requests, {len(whole)} of them whole in it, {len(gaps)} gaps"


@contextlib.contextmanager
def locked(path):
    """Nobody else may write into the recording."""
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        lock.execute("ROLLBACK")
        lock.close()


def the_recorder_is_slow(soak):
    """Nothing is lost while its file is locked, or it is said."""
    count = 0
    with locked(soak.proxy.path):
        began = time.monotonic()
        while count < soak.numbers.lock_requests or \
                time.monotonic() < began + soak.numbers.lock_seconds:
            soak.normal()
            count += 1
    soak.normal()
    observations = soak.end()
    gaps = [seen for seen in observations if seen["kind"] == "gap"]
    flows = flows_of(observations)
    assert gaps or len(flows) == count + 2, f"{count + 2 - len(flows)} are lost without a word"
    return f"{count} requests meanwhile, {len(gaps)} gaps"


def step_clock(path, us):
    """As if the wall clock had made that step since the recording ended."""
    recording = sqlite3.connect(path)
    with recording:
        recording.execute("UPDATE recording SET began_wall_us = began_wall_us - ?", (us,))
    recording.close()


def the_clock_steps_before_a_recording_is_continued(soak):
    """Back and forth by a day; while it records, the wall clock is not read. The recording's own
    time goes on and never back."""
    for us in (-DAY_US, DAY_US):
        soak.proxy.stop()
        step_clock(soak.proxy.path, us)
        soak.continue_recording()
        soak.normal()
    times = [seen["at_us"] for seen in soak.end()]
    assert times == sorted(times), "time goes back"


def a_storm_of_sighup(soak):
    """It reloads what it can, and drops no tunnel."""
    listener = Origin()
    client, server = open_tunnel(soak, listener)
    for _ in range(soak.numbers.hangups):
        soak.proxy.process.send_signal(signal.SIGHUP)
    client.send(b"still")
    assert server.read(5) == b"still"
    soak.normal()
    client.reset()
    server.read_until_gone()
    listener.close()
    soak.memory_is_back()
    soak.end(device_reset=1)


def sigterm_with_open_tunnels(soak):
    """They are closed, and recorded as such."""
    listener = Origin()
    tunnels = [open_tunnel(soak, listener) for _ in range(100)]
    soak.proxy.stop(signal.SIGTERM)
    for client, server in tunnels:
        client.read_until_gone()
        server.read_until_gone()
    listener.close()
    soak.judge(shutdown=100)


CASES = [
    idle_tunnels,
    a_client_that_opens_far_too_many,
    descriptors_run_out,
    descriptors_run_out_under_tunnels,
    short_tunnels,
    the_recording_s_disk_is_full,
    the_recorder_is_slow,
    the_clock_steps_before_a_recording_is_continued,
    a_storm_of_sighup,
    sigterm_with_open_tunnels,
]


def act(case, program, numbers):
    """(what went wrong, what there is to say)"""
    with tempfile.TemporaryDirectory() as folder:
        try:
            soak = Soak(program, numbers, Path(folder), getattr(case, "prepare", None))
        except Exception as problem:
            return f"{type(problem).__name__}: {problem}", None
        try:
            return None, case(soak)
        except Exception as problem:  # whatever breaks is a failed case; the others still run
            return f"{type(problem).__name__}: {problem}", soak.proxy.said()[-2000:]
        finally:
            soak.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--full", action="store_true", help="the numbers of a large site")
    parser.add_argument("--only", default="", help="the cases with this in their names")
    arguments = parser.parse_args()
    numbers = Numbers(arguments.full)
    cases = [case for case in CASES if arguments.only in case.__name__]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    failed = 0
    print(f"1..{len(cases)}", flush=True)
    for number, case in enumerate(cases, 1):
        wrong, says = act(case, os.path.abspath(arguments.program), numbers)
        failed += wrong is not None
        name = case.__name__.replace("_", " ")
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}", flush=True)
        for line in [*(wrong or "").splitlines(), *(says or "").splitlines()]:
            print(f"#   {line}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
