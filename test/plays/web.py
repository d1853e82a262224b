#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""web.py FLIGHTSTRIP: what a recording shows of itself on its web server, as curl and a service
manager meet it. All on loopback, on ports that the kernel picks. Prints TAP.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

SECONDS = 30
PROGRAM = ""

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9]+(?:\.[0-9]+)?)")
COMMENT = re.compile(rf"# (HELP|TYPE) ({NAME}) (.+)")


def samples(page):
    """The text format, version 0.0.4, read strictly: {name with labels: value}."""
    types, values, helped = {}, {}, None
    assert page.endswith("\n"), page[-80:]
    for line in page.splitlines():
        if comment := COMMENT.fullmatch(line):
            if comment[1] == "HELP":
                helped = comment[2]
                continue
            assert comment[2] == helped and helped not in types, line
            assert comment[3] in ("counter", "gauge"), line
            types[helped] = comment[3]
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, f"not in the format: {line}"
        assert sample[1] == helped and helped in types, f"not below its TYPE: {line}"
        assert float(sample[3]) >= 0, line
        key = line.rpartition(" ")[0]
        assert key not in values, f"twice: {line}"
        values[key] = float(sample[3])
    assert types and set(types) == {key.partition("{")[0] for key in values}, types
    return values


class Recording:
    """A running `flightstrip record`, with what it said until it was ready."""

    def __init__(self, path, *options, command=(), **how):
        self.process = subprocess.Popen(
            [*command, PROGRAM, "record", "-o", str(path), "--proxy", "127.0.0.1:0", *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **how)
        self.said = ""
        while "proxy is to be" not in self.said:
            line = self.process.stderr.readline()
            if not line:
                raise RuntimeError(f"it did not start: {self.said}")
            self.said += line
        self.metrics = re.search(r"metrics are at (http://\S+/metrics)", self.said)[1]
        self.proxy = re.search(r"proxy is to be (http://\S+)", self.said)[1]

    def values(self):
        return samples(curl(self.metrics).stdout)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        _, err = self.process.communicate(timeout=SECONDS)
        assert self.process.returncode == 0, err
        return err


def curl(*words):
    return subprocess.run(["curl", "--silent", "--noproxy", "127.0.0.1", "--max-time", str(SECONDS),
                           *words], capture_output=True, text=True, timeout=2 * SECONDS, check=True)


def status_of(*words):
    return curl("--output", os.devnull, "--write-out", "%{http_code}", *words).stdout


def the_page_is_in_the_format_of_prometheus(folder):
    recording = Recording(folder / "a.flight", "--web", "0")
    values = recording.values()
    assert any(key.startswith("flightstrip_build_info{version=") for key in values), values
    assert values["flightstrip_clients"] == 0, values
    assert values["flightstrip_recorder_trouble"] == 0, values
    assert values["process_resident_memory_bytes"] > 1e5, values
    assert values["process_open_fds"] < values["process_max_fds"], values
    head = curl("--head", recording.metrics).stdout.lower()
    assert "content-type: text/plain; version=0.0.4; charset=utf-8\n" in head, head
    recording.end()


def a_flow_shows_in_the_numbers(folder):
    recording = Recording(folder / "a.flight", "--web", "127.0.0.1:0")
    # To this machine: the proxy's policy refuses it.
    code = subprocess.run(["curl", "--silent", "--output", os.devnull, "--write-out", "%{http_code}",
                           "--proxy", recording.proxy, "http://127.0.0.2/"],
                          capture_output=True, text=True, timeout=SECONDS, check=False).stdout
    assert code == "403", code
    # What the proxy's threads observe takes a moment to be recorded.
    while (values := recording.values())["flightstrip_observations_total"] < 5:
        pass
    assert values['flightstrip_flows_opened_total{how="absolute-form"}'] == 1, values
    assert values['flightstrip_flows_closed_total{why="refused"}'] == 1, values
    assert values['flightstrip_flows_open{how="absolute-form"}'] == 0, values
    assert values["flightstrip_clients_total"] == 1, values
    assert values["flightstrip_devices"] == 1, values
    recording.end()


def whatever_else_is_asked_gets_a_plain_no(folder):
    recording = Recording(folder / "a.flight", "--web", "0")
    url = recording.metrics
    assert status_of(url) == "200"
    assert status_of("--head", url) == "200"
    assert status_of("--http1.0", url) == "200"
    assert status_of("--request", "DELETE", url) == "405"
    assert status_of("--data", "x" * 100000, url) == "405"
    assert status_of(url.replace("metrics", "nowhere")) == "404"
    assert status_of("--header", "Host: evil.test", url) == "421"
    assert status_of("--header", "X: " + "x" * 60000, url) in ("413", "431")
    assert status_of("--header", "Origin: http://evil.test", "--request", "POST", url) == "403"
    assert status_of("--header", "Sec-Fetch-Site: cross-site", url) == "403"
    twice = curl("--output", os.devnull, "--output", os.devnull, "--write-out", "%{num_connects} ",
                 url, url).stdout
    assert twice == "1 0 ", f"the connection is kept: {twice}"
    recording.end()


def the_page_is_built_in(folder):
    recording = Recording(folder / "a.flight", "--web", "0")
    page = re.search(r"the page is at (http://127\.0\.0\.1:[0-9]+/)\n", recording.said)[1]
    plain, packed = curl("--include", page).stdout, curl("--include", "--compressed", page).stdout
    assert "<title>flightstrip</title>" in plain and "<title>flightstrip</title>" in packed
    assert "Content-Encoding: gzip" in packed and "Content-Encoding" not in plain
    etag = re.search(r"ETag: (\S+)", plain)[1]
    assert status_of("--header", f"If-None-Match: {etag}", page) == "304"
    assert "default-src 'none'; script-src 'self';" in plain, plain
    recording.end()


def where_strangers_reach_it_a_token_is_wanted(folder):
    recording = Recording(folder / "a.flight", "--web", "0.0.0.0:0")
    writes, reads = re.search(r"page is at (http://\S+), .* at (http://\S+)\n", recording.said).groups()
    port, token = re.search(r":([0-9]+)/\?token=([A-Za-z0-9_-]{22})$", reads).groups()
    url = f"http://127.0.0.1:{port}/metrics"
    jar = str(folder / "cookies")
    assert writes != reads
    assert status_of(url) == "401"
    assert status_of("--header", f"Authorization: Bearer {token}", url) == "200"
    assert status_of("--header", f"Authorization: Bearer {token[::-1]}", url) == "401"
    assert status_of("--cookie-jar", jar, f"http://127.0.0.1:{port}/?token={token}") == "303"
    assert token in Path(jar).read_text(encoding="utf-8")
    assert status_of("--cookie", jar, url) == "200"
    assert status_of("--cookie", jar, "--header", "Host: evil.test", url) == "421"
    recording.end()


def passed(listener, fd_names):
    """How to start a program that a service manager passes this socket to."""
    number = str(listener.fileno())
    return {"command": ["sh", "-c", f'exec 3<&{number}; LISTEN_PID=$$ exec "$0" "$@"'],
            "pass_fds": (listener.fileno(),),
            "env": {**os.environ, "LISTEN_FDS": "1", "LISTEN_FDNAMES": fd_names}}


def a_socket_of_the_service_manager_is_taken(folder):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        recording = Recording(folder / "a.flight", **passed(listener, "web"))
        port = listener.getsockname()[1]
        assert recording.metrics == f"http://127.0.0.1:{port}/metrics", recording.said
        assert recording.values()["flightstrip_clients"] == 0
        recording.end()


def the_service_manager_hears_of_begin_and_end(folder):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        manager.settimeout(SECONDS)
        recording = Recording(folder / "a.flight", "--web", "0",
                              env={**os.environ, "NOTIFY_SOCKET": str(folder / "notify")})
        assert manager.recv(100) == b"READY=1"
        recording.end()
        assert manager.recv(100) == b"STOPPING=1"


def the_journal_gets_priorities(folder):
    script = 'JOURNAL_STREAM=$(stat -L -c %d:%i /dev/stderr) exec "$0" "$@"'
    recording = Recording(folder / "a.flight", "--web", "0", command=["sh", "-c", script])
    said = recording.said + recording.end()
    assert said and all(line.startswith("<6>") for line in said.splitlines()), said
    assert "flightstrip: " not in said, said


CASES = [
    the_page_is_in_the_format_of_prometheus,
    a_flow_shows_in_the_numbers,
    whatever_else_is_asked_gets_a_plain_no,
    the_page_is_built_in,
    where_strangers_reach_it_a_token_is_wanted,
    a_socket_of_the_service_manager_is_taken,
    the_service_manager_hears_of_begin_and_end,
    the_journal_gets_priorities,
]


def main():
    failed = 0
    print(f"1..{len(CASES)}")
    for number, case in enumerate(CASES, 1):
        with tempfile.TemporaryDirectory() as folder:
            why = None
            try:
                case(Path(folder))
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
