# SPDX-License-Identifier: GPL-3.0-or-later
"""peers: other proxies, as Debian ships them, started for a table beside flightstrip.

Each gets a configuration that lets loopback through and writes its access log, and stays otherwise
at its defaults. A row names what differs. As root, a peer asks the name server on NAME_SERVER: it
has a mount namespace in which /etc/resolv.conf says so.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass

SECONDS = 20
NAME_SERVER = "127.0.0.77"

SQUID = """
http_port 127.0.0.1:{port}
http_access allow all
cache deny all
access_log stdio:{folder}/access.log
cache_log {folder}/cache.log
pid_filename none
coredump_dir {folder}
shutdown_lifetime 1 seconds
pinger_enable off
"""

HAPROXY = """
global
    log {folder}/log.sock local0
    maxconn 4000
defaults
    mode http
    log global
    option httplog
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout http-request 10s
resolvers names
    nameserver here 127.0.0.77:53
frontend proxy
    bind 127.0.0.1:{port}
    option http-use-proxy-header
    http-request set-var(txn.literal) url_ip
    acl is_literal url_ip -m found
    http-request do-resolve(txn.found,names,ipv4) req.hdr(host),host_only unless is_literal
    default_backend anywhere
backend anywhere
    acl is_literal var(txn.literal) -m found
    acl is_found var(txn.found) -m found
    http-request set-dst var(txn.literal) if is_literal
    http-request set-dst var(txn.found) if is_found
    http-request return status 503 unless is_literal or is_found
    http-request set-dst-port url_port
    http-request set-uri %[path]
    server origin 0.0.0.0:0
"""

TINYPROXY = """
User nobody
Group nogroup
Port {port}
Listen 127.0.0.1
Allow 127.0.0.0/8
MaxClients 2000
LogFile "{folder}/log"
LogLevel Connect
"""

PRIVOXY = """
listen-address 127.0.0.1:{port}
logdir {folder}
logfile log
debug 1
debug 512
debug 4096
debug 8192
max-client-connections 2000
"""


@dataclass
class Kind:
    program: str
    configuration: str
    arguments: tuple  # {file} is the configuration
    tunnels: bool = True


PEERS = {
    "squid": Kind("squid", SQUID, ("-N", "-f", "{file}")),
    "haproxy": Kind("haproxy", HAPROXY, ("-db", "-f", "{file}"), tunnels=False),
    "tinyproxy": Kind("tinyproxy", TINYPROXY, ("-d", "-c", "{file}")),
    "privoxy": Kind("privoxy", PRIVOXY, ("--no-daemon", "{file}")),
}


def can_lead_names():
    return os.geteuid() == 0 and shutil.which("unshare") is not None


def with_own_names(folder, command):
    """The command, in a mount namespace in which NAME_SERVER is the only name server."""
    if not can_lead_names():
        return command
    (folder / "resolv.conf").write_text(f"nameserver {NAME_SERVER}\n")
    mount = f"mount --bind {folder}/resolv.conf /etc/resolv.conf && exec \"$@\""
    return ["unshare", "--mount", "sh", "-c", mount, "sh", *command]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Peer:
    def __init__(self, name, folder):
        kind = PEERS[name]
        self.name = name
        self.tunnels = kind.tunnels
        self.folder = folder / name
        self.folder.mkdir()
        os.chmod(self.folder, 0o777)  # most give up root before they open their logs
        self.port = free_port()
        self.log = self.take_log()
        file = self.folder / "configuration"
        file.write_text(kind.configuration.format(port=self.port, folder=self.folder))
        program = shutil.which(kind.program, path=os.environ["PATH"] + ":/usr/sbin")
        assert program, f"{name} is not installed"
        command = [program, *(word.format(file=file) for word in kind.arguments)]
        with open(self.folder / "output", "wb") as output:
            self.process = subprocess.Popen(with_own_names(self.folder, command), stdout=output,
                                            stderr=output, start_new_session=True)
        self.wait_until_it_listens()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.log.close()

    def take_log(self):
        """A place for those who log to a socket only; it holds what has not been read yet."""
        log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        log.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        log.bind(str(self.folder / "log.sock"))
        log.setblocking(False)
        return log

    def wait_until_it_listens(self):
        deadline = time.monotonic() + SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), \
                    socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.05)
        said = (self.folder / "output").read_text(errors="replace")
        raise RuntimeError(f"{self.name} did not start: {said[-1000:]}")

    def written(self):
        files = [path.read_bytes() for path in self.folder.iterdir()
                 if path.is_file() and "log" in path.name or path.name == "output"]
        lines = []
        with contextlib.suppress(BlockingIOError):
            while True:
                lines.append(self.log.recv(65536))
        return b"\n".join(files + lines)

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
