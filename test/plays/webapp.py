# SPDX-License-Identifier: GPL-3.0-or-later
"""webapp: the web application of the folder webapp/ under several names, and all that it saw.

Node serves it, because it has HTTP/2 and HTTP/1.1 for one and the same handler. Before it stand
relays, one for each name, that count what really was on the wire.
"""

import base64
import collections
import contextlib
import hashlib
import json
import socket
import subprocess
import threading
from pathlib import Path

SECONDS = 100  # a download of a gigabyte under a sanitizer takes its time
SERVER = Path(__file__).with_name("webapp") / "server.mjs"
PLAIN = ("site.test", "api.test", "socket.test", "large.test")
SECURE = tuple(f"secure-{name}" for name in PLAIN)

Request = collections.namedtuple("Request", "method url version received status type length ended")


class Count:
    """The bytes of one connection. What the server sends when the client has ended, such as a last
    TLS alert, may or may not get through: up to `down_before_end` has to."""

    def __init__(self):
        self.up = self.down = 0
        self.down_before_end = None


class Front:
    """Passes connections on to a port and counts their bytes."""

    def __init__(self, name, port):
        self.name = name
        self.to = port
        self.counts = []
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):  # closed: the play is over
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.to))
                self.counts.append(Count())
                for way in (self.pass_up, self.pass_down):
                    self.threads.append(threading.Thread(
                        target=way, args=(client, server, self.counts[-1]), daemon=True))
                    self.threads[-1].start()

    def pass_up(self, client, server, count):
        for n in pass_on(client, server):
            count.up += n
        count.down_before_end = count.down

    def pass_down(self, client, server, count):
        for n in pass_on(server, client):
            count.down += n

    def wait(self):
        for thread in self.threads:
            thread.join(SECONDS)
            assert not thread.is_alive(), f"a connection to {self.name} is still open"
        self.listener.close()


def pass_on(source, sink):
    """Yields how many bytes came, and passes them and the end on."""
    piece = memoryview(bytearray(1 << 18))
    with contextlib.suppress(ConnectionError):
        while n := source.recv_into(piece):
            yield n
            sink.sendall(piece[:n])
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class WebApp:
    def __init__(self, node, folder):
        key, certificate = make_certificate(folder)
        self.key_digest = digest_of(key)
        self.requests, self.handshakes, self.reports = [], [], {}
        self.reported = threading.Condition()
        self.server = subprocess.Popen([node, SERVER, key, certificate], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
        ports = json.loads(self.server.stdout.readline())["ports"]
        self.fronts = {name: Front(name, ports["http"]) for name in PLAIN} | \
            {name: Front(name, ports["https"]) for name in SECURE}
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.kill()  # which does nothing to one that has ended
        self.server.wait()
        self.server.stdin.close()
        self.server.stdout.close()

    def read(self):
        for line in self.server.stdout:
            seen = json.loads(line)
            if "request" in seen:
                self.requests.append(Request(**seen["request"]))
            elif "tls" in seen:
                self.handshakes.append((seen["tls"]["name"], seen["tls"]["alpn"]))
            else:
                with self.reported:
                    self.reports[seen["report"]["page"]] = seen["report"]["found"]
                    self.reported.notify()

    def rules(self):
        return [f"{name}::127.0.0.1:{front.port}" for name, front in self.fronts.items()]

    def have_reported(self, n):
        """Waits for the reports of so many pages, but not for ever."""
        with self.reported:
            return self.reported.wait_for(lambda: len(self.reports) == n, SECONDS)

    def end(self):
        """When all clients have gone: what was seen is complete from then on."""
        for front in self.fronts.values():
            front.wait()
        self.server.stdin.close()
        assert self.server.wait(SECONDS) == 0
        self.reader.join()


def make_certificate(folder):
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=secure-site.test",
                    "-keyout", key, "-out", certificate], check=True, stderr=subprocess.DEVNULL)
    return key, certificate


def digest_of(key):
    """Of the public key, as Chromium wants it in order to trust its certificates."""
    public = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"],
                            check=True, capture_output=True).stdout
    return base64.b64encode(hashlib.sha256(public).digest()).decode()
