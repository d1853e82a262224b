#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""proxy_curl.py PROXY_HOST: curl through the proxy, compared with what the server saw.

The proxy and the servers stand on loopback, on ports that the kernel picks. What the proxy observed
is compared with both. Prints TAP.
"""

import hashlib
import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

BODY = bytes(i * 7919 >> 5 & 255 for i in range(3_000_000))


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with what it saw, as JSON; /big with BODY."""

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

    def answer(self):
        body = self.read_body()
        seen = {
            "line": self.requestline,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "sha256": hashlib.sha256(body).hexdigest(),
        }
        self.server.seen.append(seen)
        if self.path == "/none":
            self.send_response(204)
            self.end_headers()
            return
        text = BODY if self.path == "/big" else json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        chunked = self.path == "/chunked"
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if chunked:
            text = b"".join(b"1\r\n%c\r\n" % byte for byte in text) + b"0\r\n\r\n"
        self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PUT = do_OPTIONS = answer


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, family, address, certificate=None):
        self.address_family = family
        super().__init__((address, 0), Handler)
        self.seen = []
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            context.set_alpn_protocols(["http/1.1"])
            self.socket = context.wrap_socket(self.socket, server_side=True,
                                              do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a client that breaks a handshake off is part of the play


class Proxy:
    def __init__(self, program, rules):
        arguments = [word for rule in rules for word in ("--connect-to", rule)]
        self.process = subprocess.Popen([program, *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def flow(self):
        """The observations up to the end of the next flow that closes."""
        seen = []
        for line in self.process.stdout:
            seen.append(json.loads(line))
            if seen[-1]["kind"] == "flow-closed":
                break
        return seen

    def stop(self):
        self.process.stdin.close()
        rest = self.process.stdout.read()
        assert self.process.wait() == 0, "the proxy did not end well"
        return rest


class Play:
    def __init__(self, program, folder):
        self.folder = folder
        certificate = self.make_certificate()
        self.plain = Server(socket.AF_INET, "127.0.0.1")
        self.six = Server(socket.AF_INET6, "::1")
        self.secure = Server(socket.AF_INET, "127.0.0.1", certificate)
        self.proxy = Proxy(program, [
            f"plain.test::127.0.0.1:{self.plain.server_port}",
            f"secure.test::127.0.0.1:{self.secure.server_port}",
            f"[2001:db8::7]::[::1]:{self.six.server_port}",
        ])

    def make_certificate(self):
        path = os.path.join(self.folder, "certificate.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=secure.test",
                        "-keyout", path, "-out", path + ".crt"], check=True,
                       stderr=subprocess.DEVNULL)
        with open(path, "a") as whole, open(path + ".crt") as part:
            whole.write(part.read())
        return path

    def curl(self, *arguments):
        return subprocess.run(["curl", "-sS", "--max-time", "20", "--proxy",
                               f"http://127.0.0.1:{self.proxy.port}", *arguments],
                              capture_output=True)

    def upload(self, *arguments):
        path = os.path.join(self.folder, "body")
        with open(path, "wb") as body:
            body.write(BODY)
        return json.loads(self.curl("--data-binary", "@" + path, *arguments).stdout)


def kinds(flow):
    return [seen["kind"] for seen in flow]


def one(flow, kind):
    found = [seen for seen in flow if seen["kind"] == kind]
    assert len(found) == 1, f"{len(found)} of {kind} in {kinds(flow)}"
    return found[0]


def equal(got, wanted):
    assert got == wanted, f"{got!r} is not {wanted!r}"


def absolute_form_reaches_the_server_in_origin_form(play):
    saw = json.loads(play.curl("http://plain.test/a/b?key=secret").stdout)
    equal(saw["line"], "GET /a/b?key=secret HTTP/1.1")
    equal(saw["headers"]["host"], "plain.test")
    assert "via" not in saw["headers"] and "proxy-connection" not in saw["headers"]
    flow = play.proxy.flow()
    equal(kinds(flow), ["device-seen", "flow-opened", "http-request", "connected",
                        "http-response", "flow-closed"])
    equal(one(flow, "http-request")["url"], "http://plain.test/a/b?key=*")
    equal(one(flow, "http-response")["content_type"], "application/json")
    equal(one(flow, "flow-closed")["why"], "finished")


def a_tunnel_shows_its_handshake_and_nothing_else(play):
    result = play.curl("--insecure", "--http1.1", "https://secure.test/path")
    equal(json.loads(result.stdout)["line"], "GET /path HTTP/1.1")
    flow = play.proxy.flow()
    equal(one(flow, "flow-opened")["how"], "connect")
    equal(one(flow, "tls-hello")["sni"], "secure.test")
    equal(one(flow, "tls-hello")["alpn"], "http/1.1")
    equal(one(flow, "tls-answer")["tls_versions"], "1.3")
    assert one(flow, "flow-closed")["bytes_down"] > 1000
    assert "/path" not in json.dumps(flow)


def a_certificate_that_is_refused_is_seen(play):
    result = play.curl("--tls-max", "1.2", "https://secure.test/")
    equal(result.returncode, 60)
    flow = play.proxy.flow()
    alert = one(flow, "tls-alert")
    equal((alert["by"], alert["error"]), ("device", "unknown certificate authority"))


def plain_http_goes_through_a_tunnel(play):
    saw = json.loads(play.curl("--proxytunnel", "http://plain.test/").stdout)
    equal(saw["line"], "GET / HTTP/1.1")
    equal(one(play.proxy.flow(), "flow-opened")["how"], "connect")


def http_1_0_is_spoken(play):
    result = play.curl("--http1.0", "--include", "http://plain.test/")
    assert b"\r\nConnection: close\r\n" in result.stdout
    equal(play.plain.seen[-1]["line"], "GET / HTTP/1.0")
    play.proxy.flow()


def http_1_0_gets_chunks_taken_apart(play):
    result = play.curl("--http1.0", "http://plain.test/chunked")
    equal(json.loads(result.stdout)["line"], "GET /chunked HTTP/1.0")
    play.proxy.flow()


def uploads_arrive_whole(play):
    wanted = hashlib.sha256(BODY).hexdigest()
    for options in ([], ["--header", "Expect: 100-continue"], ["--header", "Expect:"],
                    ["--header", "Transfer-Encoding: chunked"]):
        equal(play.upload(*options, "http://plain.test/upload")["sha256"], wanted)
        assert one(play.proxy.flow(), "flow-closed")["bytes_up"] > len(BODY)


def downloads_arrive_whole(play):
    result = play.curl("http://plain.test/big")
    equal(hashlib.sha256(result.stdout).digest(), hashlib.sha256(BODY).digest())
    flow = play.proxy.flow()
    equal(one(flow, "http-response")["length"], len(BODY))
    assert one(flow, "flow-closed")["bytes_down"] > len(BODY)


def chunks_come_through(play):
    result = play.curl("http://plain.test/chunked")
    equal(json.loads(result.stdout)["line"], "GET /chunked HTTP/1.1")
    play.proxy.flow()


def one_connection_serves_many(play):
    result = play.curl("--write-out", "%{num_connects}", "http://plain.test/none",
                       "--head", "http://plain.test/", "http://plain.test/none")
    equal(result.returncode, 0)
    equal(result.stdout.count(b"HTTP/1.1 "), 3)
    for _ in range(3):
        equal(one(play.proxy.flow(), "flow-closed")["why"], "finished")


def an_ipv6_literal_is_a_host(play):
    saw = json.loads(play.curl("--globoff", "http://[2001:db8::7]/six").stdout)
    equal(saw["headers"]["host"], "[2001:db8::7]")
    flow = play.proxy.flow()
    equal(one(flow, "flow-opened")["host"], "2001:db8::7")
    equal(one(flow, "connected")["address"], "::1")


def refusals_say_why(play):
    result = play.curl(f"http://127.0.0.1:{play.plain.server_port}/")
    assert b"does not relay to loopback addresses" in result.stdout
    equal(one(play.proxy.flow(), "flow-closed")["why"], "refused")
    result = play.curl("https://127.0.0.1/")
    equal(result.returncode, 56)
    equal(one(play.proxy.flow(), "flow-closed")["why"], "refused")


def a_crowd_is_served(play):
    urls = [f"http://plain.test/{i}" for i in range(64)]
    outputs = [word for _ in urls for word in ("--output", "/dev/null")]
    result = play.curl("--parallel", "--parallel-max", "64", *outputs, *urls)
    equal(result.returncode, 0)
    closed = []
    while len(closed) < 64:
        closed += [seen["why"] for seen in play.proxy.flow() if seen["kind"] == "flow-closed"]
    equal(set(closed), {"finished"})


def the_proxy_ends_well(play):
    equal(play.proxy.stop(), "")


PLAYS = [
    absolute_form_reaches_the_server_in_origin_form,
    a_tunnel_shows_its_handshake_and_nothing_else,
    a_certificate_that_is_refused_is_seen,
    plain_http_goes_through_a_tunnel,
    http_1_0_is_spoken,
    http_1_0_gets_chunks_taken_apart,
    uploads_arrive_whole,
    downloads_arrive_whole,
    chunks_come_through,
    one_connection_serves_many,
    an_ipv6_literal_is_a_host,
    refusals_say_why,
    a_crowd_is_served,
    the_proxy_ends_well,
]


def main():
    for tool in ("curl", "openssl"):
        if not shutil.which(tool):
            print(f"1..0 # SKIP {tool} is not here")
            return
    print(f"1..{len(PLAYS)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        play = Play(sys.argv[1], folder)
        for number, act in enumerate(PLAYS, 1):
            try:
                act(play)
                print(f"ok {number} - {act.__name__}", flush=True)
            except Exception as problem:  # the next play goes on, whatever this one met
                print(f"not ok {number} - {act.__name__}\n# {problem!r}", flush=True)


main()
