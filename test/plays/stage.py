# SPDX-License-Identifier: GPL-3.0-or-later
"""stage: clients, origins, a name server and the recorder, for plays that act out every byte.

A play reads like its script: the client sends, the origin accepts, reads and answers, the client
reads. Every wait ends after SECONDS; a play that waits so long has failed. Ports are the kernel's.
"""

import collections
import contextlib
import json
import re
import signal
import socket
import struct
import subprocess
import threading
from dataclasses import dataclass

SECONDS = 10  # whoever says nothing for so long hangs
FULL_SECONDS = 0.5  # a socket that takes nothing for so long is full
HERE = "127.0.0.1"
IP_BIND_ADDRESS_NO_PORT = 24  # the port is chosen by connect, which knows more that are free
END_OF_HEAD = re.compile(rb"\r?\n\r?\n")


class Ended(ConnectionError):
    """The other side ended before it had said all."""


class Wire:
    """One connection, seen from a client or from an origin."""

    def __init__(self, sock):
        self.sock = sock
        self.rest = bytearray()  # read and not yet taken
        sock.settimeout(SECONDS)

    def send(self, *parts):
        for part in parts:
            self.sock.sendall(part)
        return self

    def offer(self, data):
        """Sends until the other side is full or gone; says how many bytes it took."""
        sent = 0
        self.sock.settimeout(FULL_SECONDS)
        with contextlib.suppress(OSError):
            while sent < len(data):
                sent += self.sock.send(data[sent:sent + 65536])
        self.sock.settimeout(SECONDS)
        return sent

    def gather(self):
        got = self.sock.recv(65536)
        self.rest += got
        return bool(got)

    def take(self, n):
        taken = bytes(self.rest[:n])
        del self.rest[:n]
        return taken

    def read(self, n):
        while len(self.rest) < n:
            if not self.gather():
                raise Ended
        return self.take(n)

    def read_to(self, pattern):
        while not (found := pattern.search(self.rest)):
            if not self.gather():
                raise Ended
        return self.take(found.end())

    def read_line(self):
        return self.read_to(re.compile(rb"\n"))

    def read_head(self):
        return self.read_to(END_OF_HEAD)

    def read_chunks(self):
        """A chunked body, taken apart; its trailers are passed over."""
        body = b""
        while size := int(self.read_line().split(b";")[0], 16):
            body += self.read(size)
            self.read(2)
        while self.read_line() not in (b"\r\n", b"\n"):
            pass
        return body

    def read_all(self):
        """Everything up to the end, which has to be an orderly one."""
        while self.gather():
            pass
        return self.take(len(self.rest))

    def read_until_gone(self):
        """Everything up to the end, whichever it is."""
        with contextlib.suppress(ConnectionError):
            while self.gather():
                pass
        return self.take(len(self.rest))

    def end(self):
        """Nothing more will be sent."""
        self.sock.shutdown(socket.SHUT_WR)
        return self

    def reset(self):
        if self.sock.fileno() >= 0:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()


def connect(port, source=HERE, receive_bytes=0):
    sock = socket.socket()
    if receive_bytes:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    sock.settimeout(SECONDS)
    sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
    sock.bind((source, 0))
    sock.connect((HERE, port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Wire(sock)


@dataclass
class Answer:
    """The final answer to a request. Without a status there was none; one that is not whole broke
    off before its end."""

    status: int = 0
    head: bytes = b""
    body: bytes = b""
    whole: bool = False


def field_of(head, name):
    found = re.search(rb"(?im)^" + name + rb":[ \t]*(.*?)\r?$", head)
    return found[1] if found else None


def read_body(wire, head, status, head_only):
    length = field_of(head, b"Content-Length")
    if head_only or status in (101, 204, 304):
        return b""
    if b"chunked" in (field_of(head, b"Transfer-Encoding") or b""):
        return wire.read_chunks()
    if length is not None:
        return wire.read(int(length))
    return wire.read_all()


def read_answer(wire, head_only=False):
    answer = Answer()
    try:
        while answer.status < 200 and answer.status != 101:
            answer.head = wire.read_head()
            answer.status = int(answer.head.split(None, 2)[1])
        answer.body = read_body(wire, answer.head, answer.status, head_only)
        answer.whole = True
    except (ConnectionError, ValueError):  # a chunk's size that is none is no end either
        answer.body = answer.body or wire.take(len(wire.rest))
    return answer


class Origin:
    """A listening socket. With `act`, every connection is acted by act(wire) in a thread; without,
    the play accepts them itself."""

    def __init__(self, act=None, backlog=1024):
        self.listener = socket.create_server((HERE, 0), backlog=backlog)
        self.port = self.listener.getsockname()[1]
        self.host = b"127.0.0.1:%d" % self.port
        self.wires = []
        self.listener.settimeout(None if act else SECONDS)
        if act:
            threading.Thread(target=self.serve, args=(act,), daemon=True).start()

    def url(self, path="/"):
        return b"http://" + self.host + path.encode()

    def accept(self):
        sock, _ = self.listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.wires.append(Wire(sock))
        return self.wires[-1]

    def serve(self, act):
        with contextlib.suppress(OSError):  # the play is over
            while True:
                threading.Thread(target=self.act, args=(act, self.accept()), daemon=True).start()

    def act(self, act, wire):
        with contextlib.suppress(OSError):  # a proxy that leaves is for the client to judge
            act(wire)
        wire.close()

    def heard_nothing(self):
        """No byte has come. A connection alone says nothing."""
        self.listener.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            return not self.accept().read_until_gone()
        return True

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self.listener.close()
        for wire in self.wires:
            wire.close()


class BlackHole(Origin):
    """Its queue is full: a SYN to it is not answered."""

    def __init__(self):
        super().__init__(backlog=0)
        for _ in range(3):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex((HERE, self.port))
            self.wires.append(Wire(sock))


def nobody():
    """A port on which nothing listens."""
    with socket.create_server((HERE, 0)) as listener:
        return b"127.0.0.1:%d" % listener.getsockname()[1]


class NameServer:
    """Knows no name. It says so of none*, says something else of lie*, garbage of garbage*, and
    nothing at all of hang*."""

    def __init__(self, address=HERE, port=0):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, port))
        self.address = "%s:%d" % self.sock.getsockname()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                query, asker = self.sock.recvfrom(4096)
                with contextlib.suppress(ValueError, IndexError):  # that is no query
                    for reply in self.replies(query):
                        self.sock.sendto(reply, asker)

    def replies(self, query):
        no_such_name = struct.pack(">HHHHHH", int.from_bytes(query[:2], "big"), 0x8183, 1, 0, 0, 0)
        question = query[12:query.index(b"\0", 12) + 5]
        label = question[1:1 + question[0]]
        if label.startswith(b"garbage"):
            return [query[:2] + b"\x81\x80" + b"\xc0\x0c" * 200]  # pointers to themselves
        if label.startswith(b"lie"):
            return [bytes([query[0] ^ 0x55]) + no_such_name[1:] + question]
        if label.startswith(b"hang"):
            return []
        return [no_such_name + question]

    def close(self):
        self.sock.close()


class Flightstrip:
    """`flightstrip record`, whose rule leads 127.0.0.1 to itself, which policy would refuse."""

    name = "flightstrip"
    tunnels = True

    def __init__(self, program, folder, *options, prepare=None):
        self.program = program
        self.path = folder / "faults.flight"
        self.output = open(folder / "output", "a+b")
        self.process = subprocess.Popen(
            [program, "record", "-o", self.path, "--proxy", f"{HERE}:0",
             "--connect-to", f"{HERE}::{HERE}:", *options],
            stdout=self.output, stderr=subprocess.PIPE, preexec_fn=prepare,
            restore_signals=False)
        said = b""
        while not (found := re.search(rb"proxy is to be http://127\.0\.0\.1:(\d+)", said)):
            line = self.process.stderr.readline()
            assert line, f"it did not start: {said.decode()}"
            said += line
        self.port = int(found[1])
        self.keeper = threading.Thread(target=self.keep_errors, daemon=True)
        self.keeper.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()  # which does nothing to one that has ended
        self.process.wait()
        self.keeper.join()
        self.output.close()

    def keep_errors(self):
        for line in self.process.stderr:
            self.output.write(line)
            self.output.flush()

    def said(self):
        """All that it has said until now, on both its outputs."""
        with open(self.output.name, "rb") as output:
            return output.read().decode()

    def rss_bytes(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) * 1024

    def stop(self, how=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(6 * SECONDS)
        assert status == 0, f"it ended with {status}: {self.said()[-2000:]}"

    def run(self, *words):
        return subprocess.run([self.program, *words, self.path], capture_output=True, check=True,
                              timeout=60 * SECONDS).stdout

    def written(self):
        """Whatever a person or a program gets to read of it, once it has ended."""
        return self.run("export", "--as", "ndjson") + self.run("export", "--as", "squid") + \
            self.run("explain")

    def observations(self):
        return [json.loads(line) for line in self.run("export", "--as", "ndjson").splitlines()[1:]]


class Flow:
    """What a recording says of one flow."""

    def __init__(self):
        self.client = ""
        self.opened = self.closed = 0
        self.came_to = "nothing"  # "tunnel", or the answer: "502 by proxy"
        self.why = ""

    def add(self, seen):
        kind = seen["kind"]
        if kind == "flow-opened":
            self.opened += 1
            self.client = seen["client"].rpartition(":")[0]
            self.is_tunnel = seen.get("how") in ("connect", "socks")
        elif kind == "connected" and self.is_tunnel:
            self.came_to = "tunnel"
        elif kind == "http-response":
            self.came_to = f"{seen['status']} by {seen['by']}"
        elif kind == "flow-closed":
            self.closed += 1
            self.why = seen["why"]

    def __str__(self):
        return f"{self.came_to}, {self.why}"


def flows_of(observations):
    flows = collections.defaultdict(Flow)
    for seen in observations:
        if seen.get("flow"):
            flows[seen["flow"]].add(seen)
    return list(flows.values())


def all_closed_once(flows):
    odd = [str(flow) for flow in flows if (flow.opened, flow.closed) != (1, 1)]
    assert not odd, f"not opened and closed once: {odd[:10]}"


def good(wire):
    """Acts an origin without faults."""
    while True:
        path = wire.read_head().split()[1]
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(path), path))


def normal_request(proxy_port, origin):
    """What has to work after every fault."""
    wire = connect(proxy_port)
    try:
        wire.send(b"GET %b HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" %
                  (origin.url("/good"), origin.host))
        answer = read_answer(wire)
    finally:
        wire.close()
    assert answer.status == 200 and answer.body == b"/good", answer
