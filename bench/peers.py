#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures flightstrip's proxy beside the proxies that are installed here.

    peers.py [OPTION]… BUILD

Every proxy gets the same clients and the same origin (proxy_load), a folder and a port of its own,
two workers where it can have them, and its access log on: a proxy that records nothing has less to
do. It is started anew for every measurement, warmed up, measured and asked how much it recorded.
The repetitions go round the proxies, so that whatever else the machine does hits all alike.

Figures are per CPU-second of the proxy, all its processes and threads: the clients share the
machine with it. Only loopback is used, and every measurement has an end in count and in time. All of
them take about twenty minutes.
"""

import argparse
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from peer_process import (NotStarted, Running, Trouble, cpu_seconds, last_words, memory_bytes,
                          open_files, running_seconds)
from peer_proxies import PROXIES, file_limit
from peer_tables import TABLES, print_aims, print_table

STARTS = 3


class Load:
    """proxy_load, which lives as long as the whole benchmark."""

    def __init__(self, build):
        self.process = subprocess.Popen([build / "bench" / "proxy_load"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def order(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        result = json.loads(self.process.stdout.readline())
        if "error" in result:
            raise Trouble(result["error"])
        return result

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def free_port():
    """One that the kernel picks; most proxies cannot say which they were given for port 0."""
    with socket.socket() as picked:
        picked.bind(("127.0.0.1", 0))
        return picked.getsockname()[1]


class Mode:
    """How much is done: acts, acts before that to warm up, bytes in each."""

    def __init__(self, count, warm_up, tunnel_bytes=0):
        self.count, self.warm_up, self.tunnel_bytes = count, warm_up, tunnel_bytes


def modes_of(quick):
    part = 10 if quick else 1
    return {
        "get": Mode(200_000 // part, 2000),
        "connect": Mode(40_000 // part, 500),
        "down": Mode(8, 8, 4_000_000_000 // part),
        "up": Mode(8, 8, 4_000_000_000 // part),
        "idle": Mode(min(9500 // part, file_limit() // 2 - 200), 8),
    }


def measure_work(running, order, settle):
    """One order, and what the proxy used from its start until it has come to rest."""
    if not running.process:
        return order()
    before = cpu_seconds(running.pid)
    result = order()
    time.sleep(settle)  # closing and recording are part of the work
    result["cpu_s"] = cpu_seconds(running.pid) - before
    result["memory"] = memory_bytes(running.pid)
    return result


def measure_idle(running, order, end, seconds, settle):
    """What every tunnel adds, and what all of them cost while nothing moves."""
    files, memory = open_files(running.pid), memory_bytes(running.pid)
    result = order()
    time.sleep(settle)
    held = max(result["done"], 1)
    result["files"] = (open_files(running.pid) - files) / held
    result["memory"] = (memory_bytes(running.pid) - memory) / held
    began, ran = time.monotonic(), running_seconds(running.pid)
    time.sleep(seconds)
    ran = running_seconds(running.pid) - ran
    result["cpu_percent"] = 100 * ran / (time.monotonic() - began)
    end()
    time.sleep(settle)
    return result


def measure_running(load, running, name, mode, options):
    """Warmed up, then measured; both results."""
    proxy = running.proxy
    at = f"127.0.0.1:{proxy.port}" if running.process else proxy.origin
    who = (proxy.ways[name], at, proxy.target)
    warm_up = load.order("connect" if name == "idle" else name, *who, mode.warm_up, 5,
                         min(mode.tunnel_bytes, 10_000_000))
    if not warm_up["done"]:
        raise Trouble(f"nothing came through: {warm_up.get('trouble', 'no answer')}: "
                      f"{last_words(proxy.dir)}")
    time.sleep(options.settle)
    if name == "idle":
        result = measure_idle(running, lambda: load.order(name, *who, mode.count, 30),
                              lambda: load.order("end"), options.seconds, options.settle)
    else:
        result = measure_work(running, lambda: load.order(name, *who, mode.count, options.seconds,
                                                          mode.tunnel_bytes), options.settle)
    if running.process and running.process.poll() is not None:
        raise Trouble(f"ended: {last_words(proxy.dir)}")
    time.sleep(proxy.writes_late_seconds)
    return warm_up, result


def measure(load, proxy, name, mode, options):
    """A whole life of the proxy: started, measured, stopped, and its log counted."""
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        os.chmod(folder, 0o777)  # some give up their rights before they open their log
        proxy.dir, proxy.port, proxy.mode = Path(folder), free_port(), name
        with Running(proxy) as running:
            warm_up, result = measure_running(load, running, name, mode, options)
        begun = sum(r[key] for r in (warm_up, result) for key in ("done", "failed", "unfinished"))
        records = proxy.records()
        result["records"] = None if records is None else records / begun
    return result


def tell(text):
    """What is being measured, on a terminal alone."""
    if sys.stderr.isatty():
        print(f"{text:<60}", end="\r", file=sys.stderr, flush=True)


def measure_surely(load, proxy, name, mode, options):
    """Started again when somebody else has taken its port meanwhile."""
    for start in range(STARTS):
        try:
            return measure(load, proxy, name, mode, options)
        except NotStarted:
            if start + 1 == STARTS:
                raise


def run_mode(load, proxies, name, mode, options):
    samples_of, trouble = {}, {}
    for repetition in range(options.repeat):
        for proxy in proxies:
            if name not in proxy.ways or proxy.name in trouble:
                continue
            tell(f"{name} {repetition + 1}/{options.repeat}: {proxy.name}")
            try:
                sample = measure_surely(load, proxy, name, mode, options)
                samples_of.setdefault(proxy.name, []).append(sample)
            except Trouble as what:
                trouble[proxy.name] = str(what)
    tell("")
    return samples_of, trouble


def choose(options, build):
    """The proxies to measure; those that are not installed are named."""
    wanted = options.only.split(",") if options.only else None
    proxies = [proxy(build) for proxy in PROXIES
               if not wanted or proxy.name.split()[0] in wanted or proxy.name in wanted]
    missing = [proxy.name for proxy in proxies if not proxy.installed()]
    if missing:
        print(f"not installed: {', '.join(missing)} (`make peers` installs them from Debian)")
    return [proxy for proxy in proxies if proxy.installed()]


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build", type=Path, help="where flightstrip and bench/ were built")
    parser.add_argument("--only", metavar="NAME,…", help="these proxies alone")
    parser.add_argument("--modes", default=",".join(TABLES), metavar="MODE,…",
                        help="get, connect, down, up (both: bulk), idle; without it all")
    parser.add_argument("--repeat", type=int, help="times that each is measured (3)")
    parser.add_argument("--seconds", type=int, help="the most that a measurement takes (3)")
    parser.add_argument("--settle", type=float, default=1.2, metavar="SECONDS",
                        help="from the last answer until the proxy counts as at rest (1.2)")
    parser.add_argument("--quick", action="store_true",
                        help="a tenth of the work, once: to see that it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every measurement, as JSON")
    options = parser.parse_args(arguments)
    options.repeat = options.repeat or (1 if options.quick else 3)
    options.seconds = options.seconds or (1 if options.quick else 3)
    options.modes = options.modes.replace("bulk", "down,up").split(",")
    unknown = [name for name in options.modes if name not in TABLES]
    if unknown:
        parser.error(f"no mode is called {unknown[0]}")
    return options


def main(arguments):
    options = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what runs is stopped first
    build = options.build.resolve()
    most = file_limit()
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # every proxy inherits it
    proxies = choose(options, build)
    modes = modes_of(options.quick)
    load = Load(build)
    for index, proxy in enumerate(proxies):
        proxy.origin = f"127.0.0.{index + 1}:{load.port}"
    measured = {}
    try:
        for name in options.modes:
            samples_of, trouble = run_mode(load, proxies, name, modes[name], options)
            print_table(name, samples_of, trouble)
            print_aims(name, samples_of, [proxy.name for proxy in proxies if proxy.is_peer])
            sys.stdout.flush()
            measured[name] = {"samples": samples_of, "trouble": trouble}
    finally:
        load.end()
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
