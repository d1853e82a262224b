# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxies that are measured: how each is set up, and asked for the origin.

To add one: a class that says for which modes it serves, by which way of proxy_load, and writes its
configuration; and its name in PROXIES. It gets the settings that suit it best, with two limits: its
access log is on, and it has two workers where it can have them.
"""

import json
import os
import resource
import shutil
import subprocess
from pathlib import Path

ADMIN_PATHS = ":/usr/local/sbin:/usr/sbin:/sbin"
NAME = "origin.test"


def file_limit():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


class Proxy:
    """One proxy. `ways` says for each mode how its clients ask it for the origin."""

    name = ""
    program = ""
    ways = {}
    is_peer = True
    writes_late_seconds = 0  # how much later than the others it writes its log
    target = property(lambda self: self.origin)  # what its clients call the origin

    def __init__(self, build):
        self.build = build
        self.dir = self.port = self.host = self.origin = self.mode = None

    def installed(self):
        return shutil.which(self.program, path=os.environ["PATH"] + ADMIN_PATHS)

    def command(self):
        """Writes its configuration; what to run. Standard output goes to the file `out`."""
        raise NotImplementedError

    def records(self):
        """How many requests or tunnels its log tells of, when it has stopped."""
        return self.count_lines("access.log")

    def write(self, name, text):
        path = self.dir / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def count_lines(self, name, containing=""):
        try:
            with open(self.dir / name, encoding="utf-8", errors="replace") as log:
                return sum(containing in line for line in log)
        except FileNotFoundError:
            return 0


CONNECTING = {"get": "http", "connect": "http", "down": "http", "up": "http", "idle": "http"}
ROUTING = {"connect": "sni", "down": "sni", "up": "sni", "idle": "sni"}


class Flightstrip(Proxy):
    name = "flightstrip"
    ways = CONNECTING
    is_peer = False
    target = property(lambda self: NAME + (":80" if self.mode == "get" else ":443"))

    def installed(self):
        path = self.build / "flightstrip"
        return str(path) if path.exists() else None

    def command(self):
        return [self.installed(), "record", "-o", self.dir / "run.flight", "--proxy",
                f"127.0.0.1:{self.port}", "--connect-to", f"{NAME}::{self.origin}"]

    def records(self):
        """A flow counts when it was recorded both opening and closing."""
        export = [self.installed(), "export", self.dir / "run.flight", "--as", "ndjson"]
        counts = {"flow-opened": 0, "flow-closed": 0}
        with subprocess.Popen(export, stdout=subprocess.PIPE) as exported:
            for line in exported.stdout:
                kind = json.loads(line).get("kind")
                if kind in counts:
                    counts[kind] += 1
        return min(counts.values())


class Bare(Proxy):
    """No proxy, though it stands where one would: it reads, checks and records next to nothing."""

    is_peer = False

    def installed(self):
        path = self.build / "bench" / self.program
        return str(path) if path.exists() else None

    def command(self):
        host, port = self.origin.split(":")
        return [self.installed(), str(self.port), host, port]

    def records(self):
        return None


class Relay(Bare):
    """What the kernel takes for the bytes alone."""

    name = "bare relay"
    program = "proxy_relay"
    ways = {"down": "plain", "up": "plain"}


class Floor(Bare):
    """What the kernel takes for requests and connections, with as few calls as can be."""

    name = "bare floor"
    program = "proxy_floor"
    ways = {"get": "http", "connect": "http"}


class Direct(Proxy):
    """No proxy at all: what latency is without one."""

    name = "direct"
    ways = {"get": "plain"}
    is_peer = False

    def installed(self):
        return "nothing"

    def command(self):
        return None

    def records(self):
        return None


class Squid(Proxy):
    name = program = "squid"
    ways = CONNECTING

    def command(self):
        conf = self.write("squid.conf", f"""
http_port 127.0.0.1:{self.port}
http_access allow all
cache deny all
access_log stdio:{self.dir}/access.log squid
buffered_logs on
cache_log {self.dir}/cache.log
pid_filename {self.dir}/squid.pid
coredump_dir {self.dir}
max_filedescriptors {file_limit()}
pinger_enable off
shutdown_lifetime 1 seconds
logfile_rotate 0
""")
        return [self.installed(), "-N", "-f", conf]


class Haproxy(Proxy):
    """It forwards requests to servers it knows, and tunnels by their SNI: it has no CONNECT."""

    name = program = "haproxy"
    ways = {"get": "http", **ROUTING}
    target = property(lambda self: self.origin if self.mode == "get" else NAME)

    def command(self):
        http = "    mode http\n    option httplog\n    http-reuse always\n"
        splice = "    option splice-request\n    option splice-response\n"
        tcp = f"    mode tcp\n    option tcplog\n{splice}"
        route = f"""
    tcp-request inspect-delay 5s
    tcp-request content accept if {{ req.ssl_hello_type 1 }}
    use_backend origin if {{ req.ssl_sni -i {NAME} }}
"""
        is_get = self.mode == "get"
        conf = self.write("haproxy.cfg", f"""
global
    nbthread 2
    maxconn {file_limit() // 2 - 200}
    maxpipes 64
    log stdout format raw local0 info
defaults
{http if is_get else tcp}
    log global
    timeout connect 5s
    timeout client 1h
    timeout server 1h
frontend clients
    bind 127.0.0.1:{self.port} backlog 4096
{"    default_backend origin" if is_get else route}
backend origin
    server origin {self.origin}
""")
        return [self.installed(), "-f", conf, "-db"]

    def records(self):
        return self.count_lines("out", "clients origin/origin")


class Tinyproxy(Proxy):
    name = program = "tinyproxy"
    ways = CONNECTING

    def command(self):
        conf = self.write("tinyproxy.conf", f"""
Port {self.port}
Listen 127.0.0.1
Timeout 600
LogFile "{self.dir}/access.log"
LogLevel Connect
PidFile "{self.dir}/tinyproxy.pid"
MaxClients 20000
Allow 127.0.0.0/8
DisableViaHeader Yes
""")
        return [self.installed(), "-d", "-c", conf]

    def records(self):
        return self.count_lines("access.log", "Request (file descriptor")


class Privoxy(Proxy):
    name = program = "privoxy"
    ways = CONNECTING

    def command(self):
        conf = self.write("config", f"""
confdir /etc/privoxy
debug 512
listen-address 127.0.0.1:{self.port}
toggle 1
keep-alive-timeout 300
default-server-timeout 60
connection-sharing 1
socket-timeout 600
max-client-connections {file_limit() // 2}
listen-backlog 4096
""")
        return [self.installed(), "--no-daemon", conf]

    def records(self):
        return self.count_lines("out", "HTTP/1.1\" 200")


class Mitmproxy(Proxy):
    """Tunnels are passed on unopened and noted (tcp_hosts), not left out (ignore_hosts)."""

    name = "mitmproxy"
    program = "mitmdump"
    ways = CONNECTING

    def command(self):
        return [self.installed(), "--listen-host", "127.0.0.1", "-p", str(self.port),
                "--set", f"confdir={self.dir}", "--set", "connection_strategy=lazy",
                *([] if self.mode == "get" else ["--tcp-hosts", ".*"])]

    def records(self):
        if self.mode == "get":
            return self.count_lines("out", " << 200")
        return self.count_lines("out", ": server connect ")


class Apache(Proxy):
    name = "apache"
    program = "apache2"
    ways = CONNECTING

    def command(self):
        modules = Path("/usr/lib/apache2/modules")
        names = ("mpm_event", "authz_core", "proxy", "proxy_http", "proxy_connect")
        load = "\n".join(f"LoadModule {name}_module {modules}/mod_{name}.so" for name in names)
        threads, processes = (500, 20) if self.mode == "idle" else (64, 2)
        conf = self.write("apache.conf", f"""
{load}
ServerRoot {self.dir}
ServerName localhost
Listen 127.0.0.1:{self.port}
ListenBacklog 4096
PidFile {self.dir}/apache.pid
Mutex file:{self.dir} default
ErrorLog {self.dir}/error.log
LogFormat "%h %l %u %t \\"%r\\" %>s %b" common
CustomLog {self.dir}/access.log common
BufferedLogs On
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 600
Timeout 600
ServerLimit {processes}
StartServers 2
ThreadLimit {threads}
ThreadsPerChild {threads}
MaxRequestWorkers {threads * processes}
AsyncRequestWorkerFactor 4
ProxyRequests On
ProxyVia Off
AllowCONNECT 1-65535
<Proxy "*">
    Require all granted
</Proxy>
<Proxy "http://{self.origin}/">
    ProxySet enablereuse=on keepalive=on
</Proxy>
{"User nobody" if os.getuid() == 0 else ""}
{"Group nogroup" if os.getuid() == 0 else ""}
""")
        return [self.installed(), "-f", conf, "-DFOREGROUND"]


class TrafficServer(Proxy):
    name = "trafficserver"
    program = "traffic_server"
    ways = CONNECTING
    writes_late_seconds = 2

    def command(self):
        settings = {
            "http.server_ports STRING": f"{self.port}:ip-in=127.0.0.1",
            "exec_thread.autoconfig INT": 0,
            "exec_thread.limit INT": 2,
            "task_threads INT": 1,
            "http.cache.http INT": 0,
            "url_remap.remap_required INT": 0,
            "reverse_proxy.enabled INT": 0,
            "http.connect_ports STRING": "1-65535",
            "http.insert_request_via_str INT": 0,
            "http.server_session_sharing.pool STRING": "thread",
            "http.transaction_no_activity_timeout_in INT": 600,
            "http.transaction_no_activity_timeout_out INT": 600,
            "net.connections_throttle INT": file_limit() - 200,
            "log.logging_enabled INT": 3,
            "log.max_secs_per_buffer INT": 1,
            "log.periodic_tasks_interval INT": 1,
            "admin.user_id STRING": "#-1",
            "crash_log_helper STRING": "NULL",
        }
        self.write("records.config", "".join(
            f"CONFIG proxy.config.{key} {value}\n" for key, value in settings.items()))
        self.write("ip_allow.yaml", """ip_allow:
  - {apply: in, ip_addrs: 127.0.0.0/8, action: allow, methods: ALL}
""")
        self.write("storage.config", "")
        self.write("logging.yaml", """logging:
  formats:
    - name: line
      format: '%<cqtq> %<ttms> %<chi> %<crc>/%<pssc> %<psql> %<cqhm> %<cquc>'
  logs:
    - {mode: ascii, filename: access, format: line}
""")
        # One folder for everything that it reads and writes; its own files stay where they are.
        self.write("runroot.yaml", f"prefix: {self.dir}\n" + "".join(
            f"{kind}dir: {self.dir}\n"
            for kind in ("sysconf", "data", "localstate", "runtime", "log", "cache")) + """
exec_prefix: /usr
bindir: /usr/bin
sbindir: /usr/sbin
includedir: /usr/include
libdir: /usr/lib/trafficserver
libexecdir: /usr/lib/trafficserver/modules
""")
        return [self.installed(), f"--run-root={self.dir}"]


class Nginx(Proxy):
    """A router by SNI: it has no CONNECT, and the clients spare it the exchange."""

    name = "nginx (SNI)"
    program = "nginx"
    ways = ROUTING
    target = NAME

    def command(self):
        module = "/usr/lib/nginx/modules/ngx_stream_module.so"
        conf = self.write("nginx.conf", f"""
{f"load_module {module};" if Path(module).exists() else ""}
daemon off;
worker_processes 2;
worker_rlimit_nofile {file_limit()};
error_log {self.dir}/error.log;
pid {self.dir}/nginx.pid;
events {{ worker_connections {file_limit()}; }}
stream {{
    log_format line '$remote_addr [$time_local] $ssl_preread_server_name $status $bytes_sent '
                    '$bytes_received $session_time';
    access_log {self.dir}/access.log line buffer=64k flush=1s;
    map $ssl_preread_server_name $origin {{ {NAME} {self.origin}; default 127.0.0.1:1; }}
    server {{
        listen 127.0.0.1:{self.port} backlog=4096;
        ssl_preread on;
        proxy_pass $origin;
        proxy_timeout 2h;
    }}
}}
""")
        return [self.installed(), "-p", self.dir, "-e", self.dir / "error.log", "-c", conf]


class Dante(Proxy):
    name = "dante (SOCKS5)"
    program = "danted"
    ways = {"connect": "socks5", "down": "socks5", "up": "socks5", "idle": "socks5"}

    def command(self):
        conf = self.write("danted.conf", f"""
logoutput: {self.dir}/access.log
internal: 127.0.0.1 port = {self.port}
external: 127.0.0.1
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: nobody
client pass {{
    from: 127.0.0.0/8 to: 0.0.0.0/0
}}
socks pass {{
    from: 127.0.0.0/8 to: 0.0.0.0/0
    command: connect
    log: connect disconnect
}}
""")
        return [self.installed(), "-N", "2", "-f", conf, "-p", self.dir / "danted.pid"]

    def records(self):
        return self.count_lines("access.log", "tcp/connect [")


PROXIES = (Flightstrip, Squid, Haproxy, Tinyproxy, Privoxy, Mitmproxy, Apache, TrafficServer, Nginx,
           Dante, Relay, Floor, Direct)
