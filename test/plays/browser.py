#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""browser.py FLIGHTSTRIP: Chromium browses a local site while it is recorded.

The site logs what it is asked for and what it answers; what was recorded has to say the same. One
page asks for everything, one thing after another, and then for /done, which ends the run. Names end
in .test: Chromium passes no proxy for them, and what it asks of its maker's hosts on its own is left
out of the comparison. Prints TAP.
"""

import base64
import collections
import gzip
import hashlib
import http.server
import json
import re
import shutil
import signal
import socketserver
import ssl
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

SECONDS = 60
SCRIPT = b"window.scripted = true;"
PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
LARGE = bytes(i * 7919 >> 5 & 255 for i in range(1_500_000))
ZIPPED = gzip.compress(b'{"zipped": true}' * 500, mtime=0)

PAGE = b"""<!doctype html><meta charset=utf-8><title>A site</title>
<script src=/script.js></script><img src=/picture.gif><img src=/missing.gif>
<script>
function socket() {
    return new Promise((done, failed) => {
        const s = new WebSocket('ws://socket.test/');
        s.onopen = () => s.send('a message of the page');
        s.onmessage = () => s.close();
        s.onclose = done;
        s.onerror = failed;
    });
}
async function all() {
    await fetch('/old?token=a-secret-word');
    await (await fetch('/chunked')).text();
    await (await fetch('/zipped')).json().catch(() => 0);
    await (await fetch('/large')).arrayBuffer();
    await fetch('/large', {method: 'HEAD'});
    await (await fetch('/large', {headers: {Range: 'bytes=100-299'}})).arrayBuffer();
    await fetch('/none');
    await fetch('/form', {method: 'POST', body: new URLSearchParams({field: 'a-secret-word'})});
    await fetch('https://secure.test/hidden-path', {mode: 'no-cors'});
    await socket();
}
window.onload = () => all().then(() => fetch('/done'), e => fetch('/done?failed=' + e));
</script>"""

PAGES = {  # path: (status, headers, body)
    "/": (200, {"Content-Type": "text/html", "Set-Cookie": "c=a-secret-word"}, PAGE),
    "/script.js": (200, {"Content-Type": "text/javascript"}, SCRIPT),
    "/picture.gif": (200, {"Content-Type": "image/gif"}, PICTURE),
    "/old": (302, {"Location": "/new"}, b""),
    "/new": (200, {"Content-Type": "text/plain"}, b"moved here"),
    "/chunked": (200, {"Content-Type": "text/plain", "Transfer-Encoding": "chunked"}, SCRIPT),
    "/zipped": (200, {"Content-Type": "application/json", "Content-Encoding": "gzip"}, ZIPPED),
    "/large": (200, {"Content-Type": "application/octet-stream"}, LARGE),
    "/none": (204, {}, None),
    "/form": (200, {"Content-Type": "text/plain"}, b"thank you"),
    "/done": (200, {"Content-Type": "text/plain"}, b"good bye"),
    "/hidden-path": (200, {"Content-Type": "text/plain"}, b"behind TLS"),
}
MISSING = (404, {"Content-Type": "text/plain"}, b"no such thing")

# `length` is that of a body which was announced; a chunked one has none, nor has an empty one.
Answer = collections.namedtuple("Answer", "method url status content_type length body_bytes")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, headers, body = PAGES.get(self.path.partition("?")[0], MISSING)
        if "Range" in self.headers:
            first, last = map(int, re.findall(r"\d+", self.headers["Range"]))
            headers = {**headers, "Content-Range": f"bytes {first}-{last}/{len(body)}"}
            status, body = 206, body[first:last + 1]
        is_chunked = "Transfer-Encoding" in headers
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if not is_chunked and body is not None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        sent = b"" if self.command == "HEAD" or body is None else body
        self.server.site.answers.append(Answer(
            self.command, f"http://{self.headers['Host']}{self.path}", status,
            headers.get("Content-Type"), 0 if is_chunked else len(sent), len(sent)))
        self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(sent), sent) if is_chunked else sent)
        if self.path.startswith("/done"):
            self.server.site.done.set()

    do_GET = do_HEAD = do_POST = answer


class SocketHandler(socketserver.BaseRequestHandler):
    """A WebSocket (RFC 6455) of one message each way that counts every byte on the connection."""

    def take(self, n):
        data = b""
        while len(data) < n and (part := self.request.recv(n - len(data))):
            data += part
        self.up += len(data)
        return data

    def give(self, data):
        self.down += len(data)
        self.request.sendall(data)

    def handle(self):
        self.up = self.down = 0
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.take(1)
        key = re.search(rb"(?i)sec-websocket-key: *(\S+)", head)[1]
        token = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        self.give(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                  b"Connection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n"
                  % base64.b64encode(token))
        for answer in (b"\x81\x05hello", b"\x88\x02\x03\xe8"):
            _, length = self.take(2)
            self.take(4 + (length & 127))
            self.give(answer)
        self.server.site.socket_bytes = (self.up, self.down)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, site, handler, context=None):
        super().__init__(("127.0.0.1", 0), handler)
        self.site = site
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True,
                                              do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def rule(self, host):
        return f"{host}::127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        pass  # a connection that Chromium opened in advance and never used


class Site:
    """site.test over HTTP, secure.test over TLS, socket.test with a WebSocket, and their log."""

    def __init__(self, folder):
        self.answers = []
        self.names = []
        self.socket_bytes = None
        self.done = threading.Event()
        plain = Server(self, Handler)
        secure = Server(self, Handler, self.make_context(folder))
        socket = Server(self, SocketHandler)
        self.rules = [plain.rule("site.test"), secure.rule("secure.test"),
                      socket.rule("socket.test")]

    def make_context(self, folder):
        key, certificate = folder / "key.pem", folder / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=secure.test",
                        "-keyout", key, "-out", certificate],
                       check=True, stderr=subprocess.DEVNULL)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.set_alpn_protocols(["http/1.1"])
        context.sni_callback = lambda connection, name, context: self.names.append(name)
        return context


class Recorder:
    def __init__(self, program, path, rules):
        words = [word for rule in rules for word in ("--connect-to", rule)]
        self.process = subprocess.Popen(
            [program, "record", "-o", path, "--proxy", "127.0.0.1:0", *words],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                self.proxy = found[0]
                return
        raise RuntimeError("the recorder did not start")

    def end(self):
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=SECONDS)
        assert self.process.returncode == 0, said


def browse(chromium, folder, proxy, site):
    browser = subprocess.Popen(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--ignore-certificate-errors", f"--user-data-dir={folder}/profile",
         f"--proxy-server={proxy}", "--remote-debugging-port=0", "http://site.test/"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True)
    try:
        assert site.done.wait(SECONDS), "Chromium did not come to the end of the page"
    finally:
        browser.terminate()
        browser.wait(timeout=SECONDS)


class Recording:
    """The observations of each flow, in order: {flow: {kind: observation}}."""

    def __init__(self, program, path):
        self.text = subprocess.run([program, "export", "--as", "ndjson", path], check=True,
                                   capture_output=True, text=True, timeout=SECONDS).stdout
        self.flows = collections.defaultdict(dict)
        for line in self.text.splitlines()[1:]:
            seen = json.loads(line)
            self.flows[seen.get("flow")][seen["kind"]] = seen

    def to(self, host):
        return [flow for flow in self.flows.values()
                if flow.get("flow-opened", {}).get("host") == host]


def equal(got, wanted):
    assert got == wanted, f"{got!r} is not {wanted!r}"


def every_exchange_is_recorded_as_the_site_saw_it(site, recording):
    wanted = collections.Counter(
        (a.method, re.sub("=.*", "=*", a.url), a.status, a.content_type, a.length)
        for a in site.answers if "secure.test" not in a.url)
    got = collections.Counter()
    for flow in recording.to("site.test"):
        request, response = flow["http-request"], flow["http-response"]
        got[request["method"], request["url"], response["status"],
            response.get("content_type"), response.get("length", 0)] += 1
    assert sum(wanted.values()) >= 14, f"the page asked for {wanted}"
    equal(got - wanted, collections.Counter())
    equal(wanted - got, collections.Counter())


def every_body_is_counted(site, recording):
    moved = sum(flow["flow-closed"]["bytes_down"] for flow in recording.to("site.test"))
    plain = [a for a in site.answers if "secure.test" not in a.url]
    bodies = sum(a.body_bytes for a in plain)
    assert bodies < moved < bodies + 1000 * len(plain), (bodies, moved)


def exchanges_end_well(site, recording):
    equal({flow["flow-closed"]["why"] for flow in recording.to("site.test")}, {"finished"})


def tls_is_seen_and_not_opened(site, recording):
    flow = recording.to("secure.test")[0]
    equal(flow["flow-opened"]["how"], "connect")
    equal([flow["tls-hello"]["sni"]], sorted(set(site.names)))
    assert "h2" in flow["tls-hello"]["alpn"] and "http/1.1" in flow["tls-hello"]["alpn"], flow
    assert "/hidden-path" in {"/" + a.url.rpartition("/")[2] for a in site.answers}
    assert "hidden-path" not in recording.text


def a_tunnel_is_counted_to_the_byte(site, recording):
    flow, = recording.to("socket.test")
    closed = flow["flow-closed"]
    equal((closed["bytes_up"], closed["bytes_down"]), site.socket_bytes)


def what_is_secret_is_not_recorded(site, recording):
    assert "/old?token=*" in recording.text
    assert "a-secret-word" not in recording.text


CASES = [
    every_exchange_is_recorded_as_the_site_saw_it,
    every_body_is_counted,
    exchanges_end_well,
    tls_is_seen_and_not_opened,
    a_tunnel_is_counted_to_the_byte,
    what_is_secret_is_not_recorded,
]


def record(program, chromium, folder):
    site = Site(folder)
    recorder = Recorder(program, folder / "t.flight", site.rules)
    try:
        browse(chromium, folder, recorder.proxy, site)
    finally:
        recorder.end()
    return site, Recording(program, folder / "t.flight")


def main():
    chromium = shutil.which("chromium")
    if not chromium:
        print("1..0 # SKIP chromium is not here; tools/need.sh browser installs it")
        return 0
    print(f"1..{len(CASES)}", flush=True)
    failed = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        site, recording = record(sys.argv[1], chromium, Path(folder))
        for number, case in enumerate(CASES, 1):
            try:
                case(site, recording)
                print(f"ok {number} - {case.__name__}", flush=True)
            except Exception as problem:  # the next case goes on, whatever this one met
                failed += 1
                print(f"not ok {number} - {case.__name__}\n# {problem!r}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
