#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""proxy_curl.py FLIGHTSTRIP: curl through the proxy, compared with what the server saw.

The proxies and the servers stand on loopback, on ports that the kernel picks. Each play is a device
of its own, with its own address. It acts up to its `yield`; when all have acted and the recordings
are closed it is given the flows that were recorded of its device, and judges them. Prints TAP.
"""

import collections
import hashlib
import http.server
import json
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import stage

BODY = bytes(i * 7919 >> 5 & 255 for i in range(3_000_000))
TRAILED = b"5;a=b\r\nhello\r\n0\r\nX-Sum: 5\r\n\r\n"
PASSWORD = "p:w d"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with what it saw, as JSON; /big with BODY, or with the range of it that is wanted."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def read_chunks(self):
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline() != b"\r\n":
            pass
        return body

    def read_body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            return self.read_chunks()
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def begin(self, status, **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def send(self, status, body, **fields):
        self.begin(status, Content_Length=len(body), **fields)
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_big(self):
        wanted = self.headers.get("Range")
        if not wanted:
            self.send(200, BODY)
            return
        first, last = map(int, wanted.removeprefix("bytes=").split("-"))
        self.send(206, BODY[first:last + 1],
                  Content_Range=f"bytes {first}-{last}/{len(BODY)}")

    def answer(self):
        body = self.read_body()
        seen = {
            "line": self.requestline,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "sha256": hashlib.sha256(body).hexdigest(),
        }
        text = json.dumps(seen).encode()
        if self.path == "/none":
            self.begin(204)
        elif self.path == "/big":
            self.send_big()
        elif self.path == "/trailers":
            self.begin(200, Transfer_Encoding="chunked", Trailer="X-Sum")
            self.wfile.write(TRAILED)
        elif self.path == "/chunked":
            self.begin(200, Transfer_Encoding="chunked")
            self.wfile.write(b"".join(b"1\r\n%c\r\n" % byte for byte in text) + b"0\r\n\r\n")
        else:
            self.send(200, text, Content_Type="application/json")

    do_GET = do_HEAD = do_POST = do_PUT = do_OPTIONS = answer


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, family, address, certificate=None):
        self.address_family = family
        super().__init__((address, 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            context.set_alpn_protocols(["http/1.1"])
            self.socket = context.wrap_socket(self.socket, server_side=True,
                                              do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a client that breaks a handshake off is part of the play


class Place:
    """The servers, and four proxies: one that all may use, one for who logs in, one that sends
    everything through the first, and one that is reached through the first."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        certificate = self.make_certificate()
        plain = Server(socket.AF_INET, "127.0.0.1").server_port
        six = Server(socket.AF_INET6, "::1").server_port
        secure = Server(socket.AF_INET, "127.0.0.1", certificate).server_port
        self.proxies = []
        leads = [f"{host}::127.0.0.1:{plain}" for host in
                 ("plain.test", "192.0.2.7", "xn--bcher-kva.test")]
        leads += [f"secure.test::127.0.0.1:{secure}", f"[2001:db8::7]::[::1]:{six}"]
        self.inner = self.start(leads)
        self.open = self.start([*leads, f"inner.test::127.0.0.1:{self.inner.port}"])
        self.closed = self.start(leads, "--users", self.make_users())
        self.outer = self.start([], "--upstream", f"http://127.0.0.1:{self.open.port}")

    def start(self, leads, *options):
        folder = self.folder / str(len(self.proxies))
        folder.mkdir()
        words = [word for lead in leads for word in ("--connect-to", lead)]
        self.proxies.append(stage.Flightstrip(self.program, folder, *words, *options))
        return self.proxies[-1]

    def make_certificate(self):
        path = self.folder / "certificate.pem"
        part = self.folder / "certificate.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=secure.test",
                        "-keyout", path, "-out", part], check=True, stderr=subprocess.DEVNULL)
        path.write_text(path.read_text() + part.read_text())
        return path

    def make_users(self):
        made = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, check=True,
                              capture_output=True, text=True).stdout
        path = self.folder / "users"
        path.write_text(f"anna:{made}")
        path.chmod(0o600)
        return path

    def close(self):
        """Ends the recordings; the flows of each device, over all proxies, in their order."""
        of_device = collections.defaultdict(list)
        for proxy in self.proxies:
            proxy.stop()
            flows = collections.defaultdict(list)
            for seen in proxy.observations():
                if seen.get("flow"):
                    flows[seen["flow"]].append(seen)
            for flow in flows.values():
                of_device[flow[0]["client"].rpartition(":")[0]].append(flow)
        return of_device

    def kill(self):
        for proxy in self.proxies:
            proxy.__exit__()


class Device:
    """One play's curl, and the address it comes from."""

    def __init__(self, place, number):
        self.place = place
        self.address = f"127.0.1.{number}"

    def run(self, *arguments):
        return subprocess.run(["curl", "-sS", "--max-time", "20", "--interface", self.address,
                               *map(str, arguments)], capture_output=True)

    def curl(self, *arguments, proxy=None):
        port = (proxy or self.place.open).port
        return self.run("--proxy", f"http://127.0.0.1:{port}", *arguments)

    def socks(self, how, *arguments, proxy=None):
        port = (proxy or self.place.open).port
        return self.run(how, f"127.0.0.1:{port}", *arguments)

    def upload(self, *arguments):
        path = self.place.folder / "body"
        path.write_bytes(BODY)
        return json.loads(self.curl("--data-binary", f"@{path}", *arguments).stdout)


def kinds(flow):
    return [seen["kind"] for seen in flow]


def one(flow, kind):
    found = [seen for seen in flow if seen["kind"] == kind]
    assert len(found) == 1, f"{len(found)} of {kind} in {kinds(flow)}"
    return found[0]


def equal(got, wanted):
    assert got == wanted, f"{got!r} is not {wanted!r}"


def line(result):
    assert result.returncode == 0, result
    return json.loads(result.stdout)["line"]


# --- plain requests and tunnels ---


def absolute_form_reaches_the_server_in_origin_form(device):
    saw = json.loads(device.curl("http://plain.test/a/b?key=secret").stdout)
    equal(saw["line"], "GET /a/b?key=secret HTTP/1.1")
    equal(saw["headers"]["host"], "plain.test")
    assert "via" not in saw["headers"] and "proxy-connection" not in saw["headers"]
    flow, = yield
    equal(kinds(flow), ["flow-opened", "http-request", "connected", "http-response",
                        "flow-closed"])
    equal(one(flow, "http-request")["url"], "http://plain.test/a/b?key=*")
    equal(one(flow, "http-response")["content_type"], "application/json")
    equal(one(flow, "flow-closed")["why"], "finished")


def a_tunnel_shows_its_handshake_and_nothing_else(device):
    equal(line(device.curl("--insecure", "--http1.1", "https://secure.test/path")),
          "GET /path HTTP/1.1")
    flow, = yield
    equal(one(flow, "flow-opened")["how"], "connect")
    equal(one(flow, "tls-hello")["sni"], "secure.test")
    equal(one(flow, "tls-hello")["alpn"], "http/1.1")
    equal(one(flow, "tls-answer")["tls_versions"], "1.3")
    assert one(flow, "flow-closed")["bytes_down"] > 1000
    assert "/path" not in json.dumps(flow)


def a_certificate_that_is_refused_is_seen(device):
    equal(device.curl("--tls-max", "1.2", "https://secure.test/").returncode, 60)
    flow, = yield
    alert = one(flow, "tls-alert")
    equal((alert["by"], alert["error"]), ("device", "unknown certificate authority"))


def plain_http_goes_through_a_tunnel(device):
    equal(line(device.curl("--proxytunnel", "http://plain.test/")), "GET / HTTP/1.1")
    flow, = yield
    equal(one(flow, "flow-opened")["how"], "connect")


def a_tunnel_is_asked_for_in_http_1_0(device):
    equal(line(device.run("--proxy1.0", f"127.0.0.1:{device.place.open.port}", "--insecure",
                          "https://secure.test/old")), "GET /old HTTP/1.1")
    flow, = yield
    equal(one(flow, "flow-opened")["how"], "connect")


def http_1_0_is_spoken(device):
    result = device.curl("--http1.0", "--include", "http://plain.test/")
    head, body = result.stdout.split(b"\r\n\r\n", 1)
    assert b"\r\nConnection: close" in head, head
    equal(json.loads(body)["line"], "GET / HTTP/1.0")
    flow, = yield
    equal(one(flow, "flow-closed")["why"], "finished")


def http_1_0_gets_chunks_taken_apart(device):
    equal(line(device.curl("--http1.0", "http://plain.test/chunked")), "GET /chunked HTTP/1.0")
    flow, = yield
    equal(one(flow, "flow-closed")["why"], "finished")


def uploads_arrive_whole(device):
    wanted = hashlib.sha256(BODY).hexdigest()
    for options in ([], ["--header", "Expect: 100-continue"], ["--header", "Expect:"],
                    ["--header", "Transfer-Encoding: chunked"], ["--proxytunnel"],
                    ["--http1.0"], ["--request", "PUT"]):
        equal(device.upload(*options, "http://plain.test/upload")["sha256"], wanted)
    flows = yield
    equal(len(flows), 7)
    for flow in flows:
        assert one(flow, "flow-closed")["bytes_up"] > len(BODY)


def downloads_arrive_whole(device):
    result = device.curl("http://plain.test/big")
    equal(hashlib.sha256(result.stdout).digest(), hashlib.sha256(BODY).digest())
    flow, = yield
    equal(one(flow, "http-response")["length"], len(BODY))
    assert one(flow, "flow-closed")["bytes_down"] > len(BODY)


def a_range_comes_as_it_is(device):
    result = device.curl("--include", "--range", "1000-1999", "http://plain.test/big")
    head, body = result.stdout.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 206 "), head
    assert b"\r\nContent-Range: bytes 1000-1999/3000000" in head, head
    equal(body, BODY[1000:2000])
    flow, = yield
    equal(one(flow, "http-response")["status"], 206)
    equal(one(flow, "http-response")["length"], 1000)


def chunks_come_through(device):
    equal(line(device.curl("http://plain.test/chunked")), "GET /chunked HTTP/1.1")
    yield


def chunks_and_trailers_come_as_they_are(device):
    equal(device.curl("--raw", "http://plain.test/trailers").stdout, TRAILED)
    result = device.curl("--include", "http://plain.test/trailers")
    assert b"\r\nTrailer: X-Sum\r\n" in result.stdout, result.stdout
    assert result.stdout.endswith(b"\r\n\r\nhelloX-Sum: 5\r\n"), result.stdout
    yield


def one_connection_serves_many(device):
    result = device.curl("--write-out", "%{num_connects}\\n", "http://plain.test/none", "--head",
                         "http://plain.test/", "http://plain.test/none")
    equal(result.returncode, 0)
    equal(result.stdout.count(b"HTTP/1.1 "), 3)
    flows = yield
    equal([one(flow, "flow-closed")["why"] for flow in flows], ["finished"] * 3)
    equal(len({one(flow, "flow-opened")["client"] for flow in flows}), 1)


def an_ipv6_literal_is_a_host(device):
    for options in ([], ["--proxytunnel"]):
        saw = json.loads(device.curl("--globoff", *options, "http://[2001:db8::7]/six").stdout)
        equal(saw["headers"]["host"], "[2001:db8::7]")
    flows = yield
    for flow, how in zip(flows, ("absolute-form", "connect"), strict=True):
        equal(one(flow, "flow-opened")["how"], how)
        equal(one(flow, "flow-opened")["host"], "2001:db8::7")
        equal(one(flow, "connected")["address"], "::1")


def a_name_in_other_letters_is_asked_for_in_punycode(device):
    saw = json.loads(device.curl("http://b%C3%BCcher.test/x").stdout)
    equal(saw["headers"]["host"], "xn--bcher-kva.test")
    flow, = yield
    equal(one(flow, "flow-opened")["host"], "xn--bcher-kva.test")


def a_name_in_its_own_letters_is_none(device):
    """A host is ASCII (RFC 3986, section 3.2.2); a path is taken as it comes."""
    target = ["--write-out", "%{http_code}", "--output", "/dev/null", "--request-target"]
    equal(device.curl(*target, "http://bücher.test/x", "http://plain.test/").stdout, b"400")
    equal(device.curl(*target, "http://plain.test/bücher", "http://plain.test/").stdout,
          b"200")
    flows = yield
    equal([one(flow, "flow-closed")["why"] for flow in flows], ["bad-request", "finished"])


def a_crowd_is_served(device):
    urls = [f"http://plain.test/{i}" for i in range(64)]
    outputs = [word for _ in urls for word in ("--output", "/dev/null")]
    result = device.curl("--parallel", "--parallel-max", "64", *outputs, *urls)
    equal(result.returncode, 0)
    flows = yield
    equal([one(flow, "flow-closed")["why"] for flow in flows], ["finished"] * 64)


# --- SOCKS ---


def socks_with_a_name(device):
    equal(line(device.socks("--socks5-hostname", "http://plain.test/")), "GET / HTTP/1.1")
    flow, = yield
    equal(kinds(flow), ["flow-opened", "connected", "flow-closed"])
    equal({name: one(flow, "flow-opened")[name] for name in ("host", "port", "how")},
          {"host": "plain.test", "port": 80, "how": "socks"})


def socks_with_an_address(device):
    equal(line(device.socks("--socks5", "--resolve", "name.test:80:192.0.2.7",
                            "http://name.test/")), "GET / HTTP/1.1")
    equal(line(device.socks("--socks5", "--globoff", "http://[2001:db8::7]/")), "GET / HTTP/1.1")
    flows = yield
    equal([one(flow, "flow-opened")["host"] for flow in flows], ["192.0.2.7", "2001:db8::7"])


def socks_shows_a_handshake_too(device):
    equal(line(device.socks("--socks5-hostname", "--insecure", "https://secure.test/")),
          "GET / HTTP/1.1")
    flow, = yield
    equal(one(flow, "tls-hello")["sni"], "secure.test")


def socks_4_is_refused(device):
    for how in ("--socks4", "--socks4a"):
        equal(device.socks(how, "http://192.0.2.7/").returncode, 97)
    flows = yield
    equal([one(flow, "flow-closed")["why"] for flow in flows], ["bad-request"] * 2)


def what_socks_may_not_reach_is_refused(device):
    result = device.socks("--socks5-hostname", "http://127.0.0.2/")
    equal(result.returncode, 97)
    assert b"(2)" in result.stderr, result.stderr  # not allowed, says RFC 1928
    flow, = yield
    equal(one(flow, "flow-closed")["why"], "refused")


# --- one proxy behind another ---


def a_proxy_is_reached_through_socks(device):
    place = device.place
    result = device.run("--preproxy", f"socks5h://127.0.0.1:{place.open.port}", "--proxy",
                        "http://inner.test:3128", "http://plain.test/inside")
    equal(line(result), "GET /inside HTTP/1.1")
    flow, = yield  # the other proxy's is a flow of the first one, not of this device
    equal(one(flow, "flow-opened")["how"], "socks")
    equal(one(flow, "flow-opened")["host"], "inner.test")


def everything_goes_through_an_upstream(device):
    outer = device.place.outer
    equal(line(device.curl("http://plain.test/up", proxy=outer)), "GET /up HTTP/1.1")
    equal(line(device.curl("--insecure", "https://secure.test/up", proxy=outer)),
          "GET /up HTTP/1.1")
    equal(line(device.socks("--socks5-hostname", "http://plain.test/up", proxy=outer)),
          "GET /up HTTP/1.1")
    equal(device.curl("https://127.0.0.2/", proxy=outer).returncode, 56)
    flows = yield
    for flow in flows:
        equal(one(flow, "rule-applied")["type"], "upstream")
    refused = flows.pop()
    equal([seen["by"] for seen in refused if seen["kind"] == "http-response"],
          ["upstream", "proxy"])
    equal(one(refused, "flow-closed")["why"], "upstream-failed")
    equal([one(flow, "flow-opened")["how"] for flow in flows],
          ["absolute-form", "connect", "socks"])


# --- who may, and what is said to the others ---


def who_logs_in_is_served(device):
    closed = device.place.closed
    user = ["--proxy-user", f"anna:{PASSWORD}"]
    equal(line(device.curl(*user, "http://plain.test/", proxy=closed)), "GET / HTTP/1.1")
    equal(line(device.curl(*user, "--insecure", "https://secure.test/", proxy=closed)),
          "GET / HTTP/1.1")
    equal(line(device.socks("--socks5-hostname", *user, "http://plain.test/", proxy=closed)),
          "GET / HTTP/1.1")
    flows = yield
    equal(len(flows), 3)
    assert PASSWORD not in json.dumps(flows)


def who_is_asked_to_log_in_can(device):
    equal(line(device.curl("--proxy-anyauth", "--proxy-user", f"anna:{PASSWORD}",
                           "http://plain.test/", proxy=device.place.closed)), "GET / HTTP/1.1")
    flows = yield
    equal([one(flow, "flow-closed")["why"] for flow in flows], ["authentication", "finished"])


def who_does_not_log_in_is_not_served(device):
    closed = device.place.closed
    status = ["--output", "/dev/null", "--write-out", "%{http_code} %{http_connect}"]
    equal(device.curl(*status, "http://plain.test/", proxy=closed).stdout, b"407 000")
    equal(device.curl(*status, "https://secure.test/", proxy=closed).stdout, b"000 407")
    equal(device.curl(*status, "--proxy-user", "anna:wrong", "http://plain.test/",
                      proxy=closed).stdout, b"407 000")
    equal(device.socks("--socks5-hostname", "http://plain.test/", proxy=closed).returncode, 97)
    flows = yield
    equal([one(flow, "flow-closed")["why"] for flow in flows], ["authentication"] * 4)


def refusals_say_why(device):
    result = device.curl("http://127.0.0.2/")
    assert b"does not relay to loopback addresses" in result.stdout, result.stdout
    equal(device.curl("https://127.0.0.2/").returncode, 56)
    flows = yield
    equal([one(flow, "flow-closed")["why"] for flow in flows], ["refused"] * 2)


def the_pac_file_says_where_the_proxy_is(device):
    port = device.place.open.port
    for path in ("proxy.pac", "wpad.dat"):
        result = device.run("--include", f"http://127.0.0.1:{port}/{path}")
        assert b"Content-Type: application/x-ns-proxy-autoconfig\r\n" in result.stdout
        assert b"return \"PROXY 127.0.0.1:%d\";" % port in result.stdout, result.stdout
    flows = yield
    equal([one(flow, "flow-opened")["how"] for flow in flows], ["own"] * 2)


PLAYS = [
    absolute_form_reaches_the_server_in_origin_form,
    a_tunnel_shows_its_handshake_and_nothing_else,
    a_certificate_that_is_refused_is_seen,
    plain_http_goes_through_a_tunnel,
    a_tunnel_is_asked_for_in_http_1_0,
    http_1_0_is_spoken,
    http_1_0_gets_chunks_taken_apart,
    uploads_arrive_whole,
    downloads_arrive_whole,
    a_range_comes_as_it_is,
    chunks_come_through,
    chunks_and_trailers_come_as_they_are,
    one_connection_serves_many,
    an_ipv6_literal_is_a_host,
    a_name_in_other_letters_is_asked_for_in_punycode,
    a_name_in_its_own_letters_is_none,
    a_crowd_is_served,
    socks_with_a_name,
    socks_with_an_address,
    socks_shows_a_handshake_too,
    socks_4_is_refused,
    what_socks_may_not_reach_is_refused,
    a_proxy_is_reached_through_socks,
    everything_goes_through_an_upstream,
    who_logs_in_is_served,
    who_is_asked_to_log_in_can,
    who_does_not_log_in_is_not_served,
    refusals_say_why,
    the_pac_file_says_where_the_proxy_is,
]


class Run:
    """One play, on its way."""

    def __init__(self, act, place, number):
        self.name = act.__name__
        self.device = Device(place, number)
        self.play = act(self.device)
        self.problem = None

    def act(self):
        try:
            next(self.play)
        except Exception as problem:  # the next play goes on, whatever this one met
            self.problem = problem

    def judge(self, flows):
        try:
            if not self.problem:
                self.play.send(flows)
        except StopIteration:
            pass
        except Exception as problem:
            self.problem = problem

    def tell(self, number):
        if self.problem:
            print(f"not ok {number} - {self.name}\n# {self.problem!r}", flush=True)
        else:
            print(f"ok {number} - {self.name}", flush=True)


def main():
    for tool in ("curl", "openssl"):
        if not shutil.which(tool):
            print(f"1..0 # SKIP {tool} is not here")
            return
    print(f"1..{len(PLAYS)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        place = Place(sys.argv[1], Path(folder))
        try:
            runs = [Run(act, place, number) for number, act in enumerate(PLAYS, 1)]
            for run in runs:
                run.act()
            of_device = place.close()
        finally:
            place.kill()
    for number, run in enumerate(runs, 1):
        run.judge(of_device[run.device.address])
        run.tell(number)


main()
