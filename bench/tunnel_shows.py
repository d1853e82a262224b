#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long after a tunnel has been opened the recording shows it, and after its end that.

    tunnel_shows.py BUILD

Tunnels are opened one after the other through a quiet proxy, and its recording is read meanwhile as
any reader may. The aim is 100 ms.
"""

import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

TUNNELS = 40
AIM_MS = 100
SECONDS = 10


def serve(origin):
    """Each tunnel ends at the origin when it ends at the device."""
    for _ in range(TUNNELS):
        wire, _ = origin.accept()
        wire.recv(1)
        wire.close()


def start(build, folder, origin):
    path = folder / "run.flight"
    command = [build / "flightstrip", "record", "-o", path, "--proxy", "127.0.0.1:0",
               "--connect-to", f"origin.test::127.0.0.1:{origin.getsockname()[1]}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "proxy is to be" in line:
            return process, path, int(line.rpartition(":")[2])
    raise SystemExit("the recorder did not start")


def wait_until(reader, sql, count):
    deadline = time.monotonic() + SECONDS
    while reader.execute(sql).fetchone()[0] < count:
        if time.monotonic() > deadline:
            raise SystemExit("it never showed")


def kind_of(reader, name):
    """The number of a kind, by its place in the table that the manual is made from."""
    table = Path(__file__).parent.parent / "src" / "obs" / "kinds.def"
    names = [line.split('"')[1] for line in table.read_text().splitlines() if line.startswith("OBS(")]
    return names.index(name)


def measure(port, reader):
    opened = f"SELECT count(*) FROM observation WHERE kind = {kind_of(reader, 'flow-opened')}"
    closed = f"SELECT count(*) FROM observation WHERE kind = {kind_of(reader, 'flow-closed')}"
    shown, ended = [], []
    for i in range(1, TUNNELS + 1):
        with socket.create_connection(("127.0.0.1", port)) as device:
            device.sendall(b"CONNECT origin.test:443 HTTP/1.1\r\n\r\n")
            assert b" 200 " in device.recv(1000)
            began = time.monotonic()
            wait_until(reader, opened, i)
            shown.append((time.monotonic() - began) * 1000)
        began = time.monotonic()
        wait_until(reader, closed, i)
        ended.append((time.monotonic() - began) * 1000)
    return shown, ended


def say(what, values):
    print(f"{what:<54}{statistics.median(values):8.1f} ms  at most {max(values):6.1f}  "
          f"(aim at most {AIM_MS})  {AIM_MS / max(values):.2f}")


def main():
    build = Path(sys.argv[1]).resolve()
    origin = socket.create_server(("127.0.0.1", 0), backlog=TUNNELS)
    threading.Thread(target=serve, args=(origin,), daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        process, path, port = start(build, Path(folder), origin)
        reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        shown, ended = measure(port, reader)
        reader.close()
        origin.close()
        process.terminate()
        process.wait()
    say("recording: a tunnel shows after it was opened", shown)
    say("recording: its end shows after it was closed", ended)


main()
