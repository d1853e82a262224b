#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""record.py FLIGHTSTRIP: a recording as a person makes one, from the command line to its end.

Server, proxy and device stand on loopback, on ports that the kernel picks. Prints TAP.
"""

import fcntl
import http.server
import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import urllib.error
import urllib.request
from pathlib import Path

SECONDS = 30
PROGRAM = ""


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")


class Recording:
    """A running `flightstrip record`, whose output is read when it has ended."""

    def __init__(self, path, server_port, *options, stdout=subprocess.PIPE, **more):
        self.process = subprocess.Popen(
            [PROGRAM, "record", "-o", str(path), "--proxy", "127.0.0.1:0",
             "--connect-to", f"::127.0.0.1:{server_port}", *options],
            stdout=stdout, stderr=subprocess.PIPE, text=True, **more)
        self.said = ""
        while not (found := re.search(r"proxy is to be http://127\.0\.0\.1:(\d+)", self.said)):
            line = self.process.stderr.readline()
            if not line:
                raise RuntimeError(f"it did not start: {self.said}")
            self.said += line
        self.proxy = f"http://127.0.0.1:{found[1]}"

    def get(self, url, login=""):
        proxy = self.proxy.replace("//", f"//{login}@") if login else self.proxy
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": proxy}))
        with opener.open(url, timeout=SECONDS) as answer:
            return answer.read()

    def end(self, how=signal.SIGINT):
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, out, self.said + err


def flightstrip(*words):
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True,
                          timeout=SECONDS, check=False)


def moments(path):
    device = json.loads(flightstrip("explain", "--format", "json", path).stdout)["devices"][0]
    return [m["id"] for m in device["moments"]]


def ctrl_c_ends_it_with_a_summary(folder, port):
    path = folder / "one.flight"
    recording = Recording(path, port, "--device", "VM-01=127.0.0.1")
    assert recording.get("http://www.msftconnecttest.com/connecttest.txt") == b"hello"
    status, out, err = recording.end()
    assert status == 0, err
    assert "Windows checks whether there is an internet" in out, out
    assert "VM-01  127.0.0.1\n" in out and "\nSummary\n" in out, out
    assert "\033" not in out, "a pipe gets no colours"
    assert sorted(p.name for p in folder.glob("one.flight*")) == ["one.flight"]
    assert "connectivity-check" in moments(path)


def the_recording_tells_what_was_told_live(folder, port):
    path = folder / "same.flight"
    recording = Recording(path, port)
    recording.get("http://www.msftconnecttest.com/connecttest.txt")
    recording.get("http://ctldl.windowsupdate.com/msdownload/update/v3/x.cab")
    _, live, _ = recording.end(signal.SIGTERM)
    again = flightstrip("explain", path).stdout
    header = live.index("\n127.0.0.1\n")
    part = "\nTraffic by service"
    assert live[header:].split(part, 1)[1] == again.split(part, 1)[1], (live, again)


def for_ends_it_by_itself(folder, port):
    recording = Recording(folder / "for.flight", port, "--for", "1s")
    _, err = recording.process.communicate(timeout=SECONDS)
    assert recording.process.returncode == 0, err


def a_recording_is_continued(folder, port):
    path = folder / "more.flight"
    for _ in range(2):
        recording = Recording(path, port)
        recording.get("http://www.msftconnecttest.com/connecttest.txt")
        assert recording.end()[0] == 0
    device, = json.loads(flightstrip("explain", "--format", "json", path).stdout)["devices"]
    check, = [m for m in device["moments"] if m["id"] == "connectivity-check"]
    assert check["evidence_count"] == 2, check
    assert any(c["gap"] for c in device["coverage"]), device["coverage"]


def a_second_recorder_is_refused(folder, port):
    path = folder / "taken.flight"
    recording = Recording(path, port)
    second = flightstrip("record", "-o", path, "--proxy", "127.0.0.1:0")
    assert second.returncode == 2 and str(path) in second.stderr, second
    assert len(second.stderr.splitlines()) == 1, second.stderr
    assert recording.end()[0] == 0


def a_reader_that_leaves_stops_nothing(folder, port):
    path = folder / "pipe.flight"
    ends = os.pipe()
    recording = Recording(path, port, "--traffic", stdout=ends[1])
    os.close(ends[1])
    os.close(ends[0])
    assert recording.get("http://www.msftconnecttest.com/connecttest.txt") == b"hello"
    status, _, err = recording.end()
    assert status == 0, err
    assert "connectivity-check" in moments(path)


def notes_are_written_while_it_records_and_after(folder, port):
    path = folder / "note.flight"
    recording = Recording(path, port)
    recording.get("http://www.msftconnecttest.com/connecttest.txt")
    assert flightstrip("note", path, "while it records").returncode == 0
    assert recording.end()[0] == 0
    assert flightstrip("note", path, "first of all", "--at", "00:00").returncode == 0
    said = flightstrip("explain", path).stdout
    assert said.index("first of all") < said.index("while it records"), said


def a_port_that_is_taken_is_an_error(folder, port):
    refused = flightstrip("record", "-o", folder / "port.flight", "--proxy", f"127.0.0.1:{port}")
    assert refused.returncode == 2 and str(port) in refused.stderr, refused
    assert not (folder / "port.flight").exists(), "nothing was recorded, so nothing stays"


def until(recording, said):
    """Reads what it says until it says this."""
    while said not in recording.said:
        line = recording.process.stderr.readline()
        assert line, recording.said
        recording.said += line


def sighup_loads_the_knowledge_anew(folder, port):
    path, rules = folder / "anew.flight", folder / "rules"
    rules.mkdir()
    recording = Recording(path, port, "--knowledge", str(rules))
    recording.get("http://shop.example/")
    (rules / "shop.yaml").write_text("moments:\n- id: shop\n  titel: The shop\n")
    recording.process.send_signal(signal.SIGHUP)
    until(recording, "stays as it was")
    assert "shop.yaml:3:3: " in recording.said, recording.said
    (rules / "shop.yaml").write_text(
        "moments:\n- {id: shop, title: The shop opens, says: It does., when: {flow: {host: shop.example}}}\n")
    recording.process.send_signal(signal.SIGHUP)
    until(recording, "loaded anew")
    recording.get("http://www.msftconnecttest.com/connecttest.txt")
    status, out, err = recording.end()
    assert status == 0, err
    header = out.index("\n127.0.0.1\n")
    assert out[:header].count("The shop opens") == 1, out
    assert out[:header].count("Windows checks whether there is an internet") == 1, out


def status_for(recording, login):
    try:
        recording.get("http://shop.example/", login)
        return 200
    except urllib.error.HTTPError as e:
        return e.code


def sighup_reads_the_users_anew(folder, port):
    five = "$5$s5$2B5.lLgLytpZaNOB.qnLiBXGGJSNQmTZWG8ot44eLZD"
    users = folder / "users"
    users.write_text(f"anna:{five}\n")
    recording = Recording(folder / "users.flight", port, "--users", str(users))
    assert status_for(recording, "anna:five") == 200
    users.write_text(f"ben:{five}\nben:{five}\n")
    recording.process.send_signal(signal.SIGHUP)
    until(recording, "the users stay as they were")
    assert f"{users}:2: this user stands here twice; " in recording.said, recording.said
    assert status_for(recording, "anna:five") == 200
    users.write_text(f"ben:{five}\n")
    recording.process.send_signal(signal.SIGHUP)
    while status_for(recording, "anna:five") != 407:  # or the test never ends
        pass
    assert status_for(recording, "ben:five") == 200
    status, _, err = recording.end()
    assert status == 0, err


def a_terminal_that_is_closed_ends_it(folder, port):
    path = folder / "closed.flight"
    master, terminal = pty.openpty()
    recording = Recording(path, port, stdout=terminal, start_new_session=True,
                          preexec_fn=lambda: fcntl.ioctl(1, termios.TIOCSCTTY, 0))
    os.close(terminal)
    assert recording.get("http://www.msftconnecttest.com/connecttest.txt") == b"hello"
    os.close(master)
    _, err = recording.process.communicate(timeout=SECONDS)
    assert recording.process.returncode == 0, err
    assert "connectivity-check" in moments(path)


CASES = [
    ctrl_c_ends_it_with_a_summary,
    the_recording_tells_what_was_told_live,
    for_ends_it_by_itself,
    a_recording_is_continued,
    a_second_recorder_is_refused,
    a_reader_that_leaves_stops_nothing,
    notes_are_written_while_it_records_and_after,
    a_port_that_is_taken_is_an_error,
    sighup_loads_the_knowledge_anew,
    sighup_reads_the_users_anew,
    a_terminal_that_is_closed_ends_it,
]


def main():
    failed = 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"1..{len(CASES)}")
    for number, case in enumerate(CASES, 1):
        with tempfile.TemporaryDirectory() as folder:
            why = None
            try:
                case(Path(folder), server.server_port)
            except Exception as e:  # whatever breaks is a failed case; the others still run
                why = f"{type(e).__name__}: {e}"
        failed += why is not None
        print(f"{'not ok' if why else 'ok'} {number} - {case.__name__.replace('_', ' ')}")
        for line in (why or "").splitlines():
            print(f"#   {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv[1])
    sys.exit(main())
