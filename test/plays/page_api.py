#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""page_api.py FLIGHTSTRIP: the web API as a page uses it: live while it is recorded, and from files.

Server, proxy and device stand on loopback, on ports that the kernel picks. Prints TAP.
"""

import http.client
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

SECONDS = 30
PROGRAM = ""
SQUID_LOG = Path(__file__).resolve().parents[3] / "shared" / "captures" / "proxylog--squid-windows-server-2025.log"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")


class Skip(Exception):
    """What the case needs is not here."""


class Stream:
    """The live stream of recording 1, read as a browser does; a place in it is its last id."""

    def __init__(self, page, after=None, last_id=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=SECONDS)
        query = "" if after is None else f"?after={after}"
        self.connection.request("GET", f"/api/v1/recordings/1/live{query}",
                                headers={} if last_id is None else {"Last-Event-ID": str(last_id)})
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.status
        assert self.answer.headers["Content-Type"].startswith("text/event-stream")
        self.id = last_id

    def event(self):
        """The next one: its name and data; None at the end."""
        name = data = None
        while line := self.answer.readline().decode():
            field, _, value = line.rstrip("\n").partition(": ")
            if field == "id":
                self.id = int(value)
            elif field == "event":
                name = value
            elif field == "data":
                data = json.loads(value)
            elif not field and name:
                return name, data
        return None

    def until(self, wanted):
        """Reads on to the event that is wanted: a name, or a function of name and data."""
        while event := self.event():
            if event[0] == wanted if isinstance(wanted, str) else wanted(*event):
                return event[1]
        raise AssertionError("the stream ended before it")

    def close(self):
        self.connection.close()


class Told:
    """Rows as a page puts them together from what it is told."""

    def __init__(self, columns):
        self.flow, self.seq = columns.index("flow"), columns.index("seq")
        self.rows = {}
        self.twice = 0

    def take(self, name, data):
        for row in data["rows"] if name == "flows" else []:
            self.twice += self.rows.get(row[self.flow]) == row
            self.rows[row[self.flow]] = row
        return len(self.rows)


class Page:
    """A running flightstrip with a page, and what it said until it was ready."""

    def __init__(self, *command, ready="the page is at"):
        self.process = subprocess.Popen([PROGRAM, *map(str, command)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        self.said = ""
        while ready not in self.said:
            line = self.process.stderr.readline()
            if not line:
                raise RuntimeError(f"it did not start: {self.said}")
            self.said += line
        self.port = int(re.search(r"page is at http://127\.0\.0\.1:(\d+)/", self.said)[1])

    def ask(self, path, method="GET", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        connection.request(method, f"/api/v1{path}", body=body and json.dumps(body), headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def get(self, path):
        status, body = self.ask(path)
        assert status == 200, (path, status, body)
        return json.loads(body)

    def rows(self, limit=7):
        """All flows, in small pages: by number, and the columns."""
        after, rows = 0, {}
        while after is not None:
            answer = self.get(f"/recordings/1/flows?after={after}&limit={limit}")
            rows |= {row[0]: row for row in answer["rows"]}
            after = answer["next"]
        assert list(rows) == sorted(rows)
        return rows, answer["columns"]

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.wait()

    def wait(self):
        self.said += self.process.communicate(timeout=SECONDS)[1]
        assert self.process.returncode == 0, (self.process.returncode, self.said)


class Recorder(Page):
    def __init__(self, path, server_port, *options):
        super().__init__("record", "-o", path, "--proxy", "127.0.0.1:0", "--web", "127.0.0.1:0",
                         "--connect-to", f"::127.0.0.1:{server_port}", *options, ready="proxy is to be")
        proxy = re.search(r"proxy is to be (http://127\.0\.0\.1:\d+)", self.said)[1]
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": proxy}))

    def visit(self, times, host="a.test"):
        for i in range(times):
            with self.opener.open(f"http://{host}/{i}", timeout=SECONDS) as answer:
                assert answer.read() == b"hello"


def run(*arguments, **more):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, timeout=SECONDS,
                          check=True, **more)


def a_recording(folder):
    path = folder / "r.flight"
    run("rehearse", "--speed", "max", "-o", path)
    return path


def open_page(*inputs):
    return Page("open", "--web", "127.0.0.1:0", *inputs)


def all_closed(told, columns, count):
    ended = columns.index("ended_us")
    return len(told.rows) == count and all(row[ended] is not None for row in told.rows.values())


def whoever_comes_back_has_missed_nothing_and_gets_nothing_twice(folder, server_port):
    page = Recorder(folder / "a.flight", server_port)
    columns = page.get("/recordings/1/flows")["columns"]
    told = Told(columns)
    stream = Stream(page, after=0)
    page.visit(30)
    stream.until(lambda name, data: told.take(name, data) >= 10)
    stream.close()
    page.visit(30)
    stream = Stream(page, last_id=stream.id)
    page.visit(30)
    stream.until(lambda name, data: told.take(name, data) and all_closed(told, columns, 90))
    stream.close()
    assert told.rows == page.rows()[0]
    assert told.twice == 0, f"{told.twice} rows were told again as they were"
    page.end()


def a_slow_reader_holds_nothing_up_and_learns_all(folder, server_port):
    page = Recorder(folder / "a.flight", server_port)
    columns = page.get("/recordings/1/flows")["columns"]
    slow, told = Stream(page, after=0), Told(columns)
    page.visit(400)
    slow.until(lambda name, data: told.take(name, data) and all_closed(told, columns, 400))
    assert told.rows == page.rows(limit=300)[0]
    slow.close()
    page.end()


def the_end_is_told(folder, server_port):
    page = Recorder(folder / "a.flight", server_port)
    page.visit(1)
    stream = Stream(page, after=0)
    stream.until("clock")
    page.process.send_signal(signal.SIGINT)
    end = stream.until("end")
    assert end["now_us"] > 0 and stream.event() is None
    page.wait()
    assert [p.name for p in folder.iterdir()] == ["a.flight"], "one file is left"


def what_has_just_been_seen_can_be_looked_up(folder, server_port):
    page = Recorder(folder / "a.flight", server_port)
    columns = page.get("/recordings/1/flows")["columns"]
    stream, told = Stream(page, after=0), Told(columns)
    for flow in range(1, 6):
        page.visit(1)
        stream.until(lambda name, data, n=flow: told.take(name, data) and all_closed(told, columns, n))
        answer = page.get(f"/recordings/1/flows/{flow}")
        assert answer["observations"][-1]["seq"] >= answer["flow"]["seq"], answer
        assert {o["flow"] for o in answer["observations"]} == {flow}
    page.end()


def notes_are_written_here_and_by_others(folder, server_port):
    page = Recorder(folder / "a.flight", server_port)
    page.visit(1)
    stream = Stream(page, after=0)
    stream.until("notes")
    status, body = page.ask("/recordings/1/notes", "POST", {"at_us": 1000, "text": " it sleeps\n"})
    note = json.loads(body)
    assert status == 201 and note["text"] == "it sleeps" and note["at_us"] == 1000, body
    stream.until("notes")
    run("note", folder / "a.flight", "from elsewhere", "--at", "00:02")
    stream.until("notes")
    notes = page.get("/recordings/1/notes")["notes"]
    assert [n["text"] for n in notes] == ["it sleeps", "from elsewhere"], notes
    status, body = page.ask(f"/recordings/1/notes/{note['id']}", "PUT", {"at_us": 9000000, "text": "‮<b>"})
    assert status == 200 and json.loads(body) == note | {"at_us": 9000000, "text": "‮<b>"}
    assert page.ask(f"/recordings/1/notes/{notes[1]['id']}", "DELETE")[0] == 204
    assert page.get("/recordings/1/notes")["notes"] == [json.loads(body)]
    for method, path, sent, wanted in [
            ("POST", "", {"text": "when?"}, 400), ("POST", "", {"at_us": 1, "text": " "}, 400),
            ("POST", "", {"at_us": 1, "text": "x" * 4001}, 400), ("PUT", "/77", {"at_us": 1, "text": "x"}, 404),
            ("DELETE", "/77", None, 404), ("DELETE", "/x", None, 404)]:
        status, body = page.ask(f"/recordings/1/notes{path}", method, sent)
        assert status == wanted and json.loads(body)["error"], (method, path, sent, status, body)
    report = page.ask("/recordings/1/report?as=text")[1].decode()
    assert "<b>" in report and "from elsewhere" not in report, report
    page.end()
    assert "<b>" in run("explain", folder / "a.flight", text=True).stdout


def a_file_shows_what_the_commands_say(folder, _):
    path = a_recording(folder)
    run("note", path, "a word", "--at", "02:00")
    page = open_page(path)
    for kind in ["ndjson", "har", "csv", "squid"]:
        assert page.ask(f"/recordings/1/export?as={kind}") == (200, run("export", path, "--as", kind).stdout), kind
    for kind in ["text", "markdown", "json", "ndjson", "csv"]:
        assert page.ask(f"/recordings/1/report?as={kind}") == (200, run("explain", path, "--format", kind).stdout), kind
    explained = json.loads(run("explain", path, "--format", "json").stdout)["devices"][0]
    explained["moments"] = [m for m in explained["moments"] if m["id"] != "note"]
    strip = page.get("/recordings/1/devices/device-1")["strip"]
    assert strip == explained | {"device": 1}
    summary = page.get("/recordings/1/devices")["devices"][0]
    assert summary["phases"] == explained["phases"] and summary["device"] == 1
    rule = page.get(f"/rules/{explained['moments'][0]['id']}")
    assert rule["kind"] == "moment" and rule["line"] > 0 and rule["file"].endswith(".yaml")
    page.end()


def flows_and_observations_come_in_pages(folder, _):
    page = open_page(a_recording(folder))
    rows, columns = page.rows()
    assert rows == page.rows(limit=10000)[0]
    recording = page.get("/recordings")["recordings"][0]
    assert recording["flow_count"] == len(rows) and not recording["live"]
    seqs, after = [], 0
    while after is not None:
        answer = page.get(f"/recordings/1/observations?after={after}&limit=100")
        seqs += [o["seq"] for o in answer["observations"]]
        after = answer["next"]
    assert seqs == list(range(1, recording["seq"] + 1))
    some = page.get("/recordings/1/observations?seqs=7,3,99999999")["observations"]
    assert [o["seq"] for o in some] == [7, 3]
    endpoints = page.get("/endpoints")["endpoints"]
    known = [row for row in rows.values() if row[columns.index("endpoint")] is not None]
    service = endpoints[known[0][columns.index("endpoint")]]["service"]
    of_it = page.get(f"/recordings/1/flows?limit=10000&service={service}")["rows"]
    assert of_it == [r for r in known if endpoints[r[columns.index("endpoint")]]["service"] == service]
    opened, ended = columns.index("opened_us"), columns.index("ended_us")
    early = page.get("/recordings/1/flows?limit=10000&from_us=20000000&to_us=30000000")["rows"]
    assert early == [r for r in rows.values() if r[opened] <= 30000000 and (r[ended] is None or r[ended] >= 20000000)]
    hosts = page.get("/recordings/1/flows?limit=10000&host=*.microsoft.com")["rows"]
    assert hosts and all(r[columns.index("host")].endswith(".microsoft.com") for r in hosts)
    page.end()


def the_file_itself_can_be_had_in_parts(folder, _):
    path = a_recording(folder)
    page = open_page(path)
    whole = page.ask("/recordings/1/file")[1]
    assert page.ask("/recordings/1/file", Range="bytes=100-199") == (206, whole[100:200])
    (folder / "copy.flight").write_bytes(whole)
    assert run("export", folder / "copy.flight").stdout == run("export", path).stdout
    page.end()


def what_is_not_there_is_said_in_a_sentence(folder, _):
    page = open_page(a_recording(folder))
    for path, wanted in [("/recordings/2/flows", 404), ("/recordings/x/devices", 404),
                         ("/recordings/1/devices/device-9", 404), ("/recordings/1/devices/9", 404),
                         ("/recordings/1/flows/99999", 404), ("/rules/nothing", 404), ("/nothing", 404),
                         ("/recordings/1/flows?limit=many", 400), ("/recordings/1/flows?host=a b", 400),
                         ("/recordings/1/observations?seqs=1,x", 400), ("/recordings/1/export?as=pdf", 400),
                         ("/recordings/1/report?as=pdf", 400), ("/recordings/1/live?after=-1", 400)]:
        status, body = page.ask(path.replace(" ", "%20"))
        assert status == wanted and json.loads(body)["error"], (path, status, body)
    page.end()


def a_recording_that_grows_is_followed_to_its_end(folder, server_port):
    recorder = Recorder(folder / "a.flight", server_port)
    recorder.visit(3)
    page = open_page(folder / "a.flight")
    assert page.get("/recordings")["recordings"][0]["live"]
    columns = page.get("/recordings/1/flows")["columns"]
    told, stream = Told(columns), Stream(page, after=0)
    recorder.visit(5)
    stream.until(lambda name, data: told.take(name, data) and all_closed(told, columns, 8))
    assert page.ask("/recordings/1/file")[0] == 409
    recorder.end()
    stream.until("end")
    assert not page.get("/recordings")["recordings"][0]["live"]
    assert page.rows()[0] == told.rows
    assert page.ask("/recordings/1/file")[0] == 200
    page.end()


def what_was_imported_takes_no_notes(folder, _):
    if not SQUID_LOG.exists():
        raise Skip("the log is not here")
    page = open_page(SQUID_LOG, a_recording(folder))
    first, second = page.get("/recordings")["recordings"]
    assert first["kind"] == "Squid access log" and not first["takes_notes"] and second["takes_notes"]
    assert first["flow_count"] == len(page.rows(limit=1000)[0]) > 0
    assert page.ask("/recordings/1/notes", "POST", {"at_us": 1, "text": "x"})[0] == 409
    assert page.ask("/recordings/1/file")[0] == 409
    assert page.ask("/recordings/1/export?as=ndjson") == (200, run("export", SQUID_LOG).stdout)
    assert page.get("/recordings/2/flows")["rows"]
    page.end()


def a_rehearsal_shows_itself_and_ends_where_nobody_sits(folder, _):
    page = Page("rehearse", "--speed", "1000", "-o", folder / "r.flight", "--web", "127.0.0.1:0")
    columns = page.get("/recordings/1/flows")["columns"]
    stream, told = Stream(page, after=0), Told(columns)
    stream.until(lambda name, data: told.take(name, data) and name == "end")
    page.wait()
    page = open_page(folder / "r.flight")
    assert told.rows == page.rows(limit=1000)[0]
    page.end()


def other_knowledge_is_a_reason_to_ask_anew(folder, server_port):
    knowledge = folder / "knowledge"
    knowledge.mkdir()
    page = Recorder(folder / "a.flight", server_port, "--knowledge", knowledge)
    page.visit(2)
    stream, told = Stream(page, after=0), Told(page.get("/recordings/1/flows")["columns"])
    stream.until(lambda name, data: told.take(name, data) == 2)
    before = page.get("/endpoints")
    (knowledge / "mine.yaml").write_text(
        "sources: {me: me}\nservices: {mine: {title: Mine, says: It is mine.}}\n"
        "endpoints: [{host: a.test, service: mine, role: It is there., source: me}]\n")
    page.process.send_signal(signal.SIGHUP)
    stream.until("reset")
    after = page.get("/endpoints")
    assert after["version"] != before["version"]
    rows, columns = page.rows()
    known = {after["endpoints"][row[columns.index("endpoint")]]["service"] for row in rows.values()}
    assert known == {"mine"}, known
    stream.close()
    page.end()


def a_recording_that_is_continued_shows_all_of_it(folder, server_port):
    first = Recorder(folder / "a.flight", server_port)
    first.visit(4)
    first.end()
    page = Recorder(folder / "a.flight", server_port)
    page.visit(2)
    stream = Stream(page, after=0)
    told = Told(page.get("/recordings/1/flows")["columns"])
    stream.until(lambda name, data: told.take(name, data) == 6)
    stream.close()
    page.end()


CASES = [
    whoever_comes_back_has_missed_nothing_and_gets_nothing_twice,
    a_slow_reader_holds_nothing_up_and_learns_all,
    the_end_is_told,
    what_has_just_been_seen_can_be_looked_up,
    notes_are_written_here_and_by_others,
    a_file_shows_what_the_commands_say,
    flows_and_observations_come_in_pages,
    the_file_itself_can_be_had_in_parts,
    what_is_not_there_is_said_in_a_sentence,
    a_recording_that_grows_is_followed_to_its_end,
    what_was_imported_takes_no_notes,
    a_rehearsal_shows_itself_and_ends_where_nobody_sits,
    other_knowledge_is_a_reason_to_ask_anew,
    a_recording_that_is_continued_shows_all_of_it,
]


def main():
    failed = 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"1..{len(CASES)}")
    for number, case in enumerate(CASES, 1):
        with tempfile.TemporaryDirectory() as folder:
            why, skip = None, ""
            try:
                case(Path(folder), server.server_port)
            except Skip as e:
                skip = f" # SKIP {e}"
            except Exception as e:  # whatever breaks is a failed case; the others still run
                why = f"{type(e).__name__}: {e}"
        failed += why is not None
        print(f"{'not ok' if why else 'ok'} {number} - {case.__name__.replace('_', ' ')}{skip}")
        for line in (why or "").splitlines():
            print(f"#   {line}"[:2000])
    return 1 if failed else 0


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv[1])
    sys.exit(main())
