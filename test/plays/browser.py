#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""browser.py FLIGHTSTRIP: Chromium uses a web application while it is recorded.

It does so once for each way to lead it through the proxy: as an HTTP proxy, by the PAC file that
the proxy serves, and by SOCKS. The application (webapp.py) logs what it saw, in HTTP/1.1, HTTP/2,
WebSockets, and in bytes on the wire; the recording has to say the same, and nothing else. The names
end in .test, for which Chromium passes no proxy by. What it asks of its maker's hosts on its own is
blocked, so that nothing leaves the machine, and has to be recorded as that. Prints TAP.
"""

import collections
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from stage import Flightstrip, all_closed_once, flows_of
from webapp import SECURE, WebApp

LARGE_BYTES = 1 << 30
SMALL_BYTES = 1 << 16
MAKER = (".google.com", ".googleapis.com", ".gstatic.com", ".gvt1.com")

# What Chromium says to a proxy and the proxy does not pass on, for each request.
PROXY_CONNECTION_BYTES = len("Proxy-Connection: keep-alive\r\n")

# What either page has to report of its steps, apart from the large download.
FOUND = {
    "style": "rgb(1, 2, 3)",
    "picture": 120,
    "sound": 1,
    "rows": 500,
    "zipped": 500,
    "xhr": "500 text/plain",
    "tiles": 5 * sum(range(40)),
    "redirected": "moved here, kept",
    "without_body": [204, 200],
    "range": "206 RIFF",
    "uploaded": True,
    "form": "Thanks",
    "pieces": 100014,
    "events": ["event 1", "event 2", "event 3"],
    "cached": ["kept by the browser", "kept by the browser"],
    "other_origin": "PUT from elsewhere",
    "socket": [5, 300, 100000, 1000],
}

# option: how Chromium is told; tunnel: how its tunnels come, and others: how else flows do; large:
# bytes of the large download.
Way = collections.namedtuple("Way", "name option tunnel others large")
WAYS = [
    Way("http", "--proxy-server=http://127.0.0.1:{port}", "connect", ("absolute-form",),
        LARGE_BYTES),
    Way("pac", "--proxy-pac-url=http://127.0.0.1:{port}/proxy.pac", "connect",
        ("absolute-form", "own"), SMALL_BYTES),
    Way("socks", "--proxy-server=socks5://127.0.0.1:{port}", "socks", (), SMALL_BYTES),
]
# A browser that closes while the server still speaks answers that with a reset; which of the two
# comes first is chance.
LEFT = {"device-closed", "device-reset"}
CASES = []


def case(*ways):
    """For these ways, or for all."""

    def add(check):
        check.ways = ways or [way.name for way in WAYS]
        CASES.append(check)
        return check

    return add


class Chromium:
    """Headless, and as quiet as it can be told to be. It trusts the application's key, and so keeps
    what it gets over TLS for later as it would of any other site."""

    def __init__(self, program, folder, app, proxy_option, url):
        self.output = open(folder / "chromium", "wb")
        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
             "--mute-audio", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-default-apps", "--disable-extensions",
             "--disable-sync", "--disable-features=AutofillServerCommunication,MediaRouter,"
             "NetworkTimeServiceQuerying,OptimizationHints",
             f"--ignore-certificate-errors-spki-list={app.key_digest}",
             f"--user-data-dir={folder}/profile", "--remote-debugging-port=0", proxy_option, url],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output,
            start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.output.close()

    def said(self):
        return Path(self.output.name).read_text(errors="replace")


class Recording:
    """The observations of each flow by kind: flow-opened, for one, is there once."""

    def __init__(self, observations):
        self.observations = observations
        self.flows = collections.defaultdict(dict)
        for seen in observations:
            if seen.get("flow"):
                self.flows[seen["flow"]][seen["kind"]] = seen

    def all(self, *hows):
        return [flow for flow in self.flows.values() if flow["flow-opened"]["how"] in hows]

    def site(self, *hows):
        """The flows to the application, whose names nobody else has."""
        return [flow for flow in self.all(*hows) if host_of(flow).endswith(".test")]


Play = collections.namedtuple("Play", "way app recording")


def host_of(flow):
    return flow["flow-opened"]["host"]


def moved(flow):
    """Bytes up and down; what is none is not said, as of a connection opened in advance."""
    closed = flow["flow-closed"]
    return closed.get("bytes_up", 0), closed.get("bytes_down", 0)


def equal(got, wanted):
    assert got == wanted, f"{got!r} is not {wanted!r}"


def same_counts(got, wanted):
    got, wanted = collections.Counter(got), collections.Counter(wanted)
    assert got == wanted, f"only recorded: {got - wanted}, only seen: {wanted - got}"


def by_host(rows):
    hosts = collections.defaultdict(list)
    for host, row in rows:
        hosts[host].append(row)
    return hosts


@case()
def both_pages_work(play):
    found = {**FOUND, "large": play.way.large}
    equal(play.app.reports, {"http://site.test": found, "https://secure-site.test": found})


@case()
def the_secure_page_comes_by_http_2(play):
    """And the recorder did not stand in the way: Chromium offers it, the server chooses it."""
    versions = {(urlsplit(r.url).scheme, r.version) for r in play.app.requests}
    equal(versions, {("http", "1.1"), ("https", "2.0")})


@case()
def either_page_sees_every_sort_of_answer(play):
    for scheme in ("http", "https"):
        seen = [r for r in play.app.requests if urlsplit(r.url).scheme == scheme]
        equal({r.status for r in seen}, {200, 204, 206, 302, 303, 304, 307, 404, 500})
        equal({r.method for r in seen}, {"GET", "HEAD", "OPTIONS", "POST", "PUT"})
        equal([urlsplit(r.url).path for r in seen if not r.ended], ["/events"])


@case()
def every_flow_opens_and_closes_once(play):
    all_closed_once(flows_of(play.recording.observations))


@case("http", "pac")
def every_request_is_recorded_as_the_application_saw_it(play):
    seen = [(r.method, re.sub("=.*", "=*", r.url), r.received, r.status, r.type,
             0 if r.method == "HEAD" else r.length or 0)
            for r in play.app.requests if r.url.startswith("http:")]
    assert len(seen) > 50, f"the page asked for no more than {seen}"
    recorded = []
    for flow in play.recording.site("absolute-form"):
        request, response = flow["http-request"], flow["http-response"]
        equal(response["by"], "server")
        recorded.append((request["method"], request["url"], request.get("length", 0),
                         response["status"], response.get("content_type"),
                         response.get("length", 0)))
    same_counts(recorded, seen)


@case("http", "pac")
def the_bytes_of_requests_and_answers_add_up(play):
    hosts = by_host((host_of(flow), moved(flow))
                    for flow in play.recording.site("absolute-form"))
    equal(set(hosts), {"site.test", "api.test", "large.test"})
    for host, flows in hosts.items():
        counts = play.app.fronts[host].counts
        own = len(f"http://{host}") + PROXY_CONNECTION_BYTES
        equal(sum(up for up, _ in flows), sum(c.up for c in counts) + own * len(flows))
        down = sum(down for _, down in flows)
        assert sum(c.down_before_end for c in counts) <= down <= sum(c.down for c in counts), \
            (host, down, [vars(c) for c in counts])


@case()
def every_tunnel_is_counted_to_the_byte(play):
    hosts = by_host((host_of(flow), moved(flow))
                    for flow in play.recording.site(play.way.tunnel))
    wanted = {*SECURE, "socket.test"} if play.way.tunnel == "connect" else set(play.app.fronts)
    equal(set(hosts), wanted)
    for host, flows in hosts.items():
        counts = sorted(play.app.fronts[host].counts, key=lambda c: (c.up, c.down))
        equal(sorted(up for up, _ in flows), [c.up for c in counts])
        for (_, down), count in zip(sorted(flows), counts):
            assert count.down_before_end <= down <= count.down, (host, down, vars(count))


@case()
def the_large_download_is_in_the_bytes(play):
    for host in ("large.test", "secure-large.test"):
        down = sum(moved(flow)[1] for flow in play.recording.flows.values()
                   if host_of(flow) == host)
        assert play.way.large < down < play.way.large * 1.01 + 4096, (host, down)


@case()
def tls_is_seen_and_not_opened(play):
    """A page offers HTTP/2 and a WebSocket does not; each server was shown the name recorded."""
    recorded = []
    for flow in play.recording.site(play.way.tunnel):
        if hello := flow.get("tls-hello"):
            equal(hello["sni"], host_of(flow))
            equal(hello["alpn"],
                  "http/1.1" if host_of(flow) == "secure-socket.test" else "h2,http/1.1")
            recorded.append((hello["sni"], hello["alpn"].split(",")[0]))
    same_counts(recorded, play.app.handshakes)


@case("http", "pac")
def exchanges_end_well(play):
    """But for that of the events, which the page leaves: the pulse of the server meets nobody."""
    for flow in play.recording.site("absolute-form"):
        is_left = flow["http-request"]["url"].endswith("/events")
        assert flow["flow-closed"]["why"] in (LEFT if is_left else {"finished"}), flow


@case()
def tunnels_end_as_the_sides_ended_them(play):
    """The server ends a WebSocket, and the browser everything else."""
    for flow in play.recording.site(play.way.tunnel):
        is_socket = "socket" in host_of(flow)
        assert flow["flow-closed"]["why"] in ({"server-closed"} if is_socket else LEFT), flow


@case("pac")
def the_pac_file_comes_from_the_proxy(play):
    fetched = play.recording.all("own")
    assert fetched, "it was not fetched"
    for flow in fetched:
        equal(urlsplit(flow["http-request"]["url"]).path, "/proxy.pac")
        equal((flow["http-response"]["status"], flow["http-response"]["by"]), (200, "proxy"))
        equal(flow["flow-closed"]["why"], "finished")


@case()
def nothing_else_is_recorded(play):
    """Every other flow is one that Chromium began by itself, and was blocked."""
    for flow in play.recording.flows.values():
        how = flow["flow-opened"]["how"]
        assert how in {play.way.tunnel, *play.way.others}, flow
        if host_of(flow) not in play.app.fronts and how != "own":
            assert host_of(flow).endswith(MAKER), f"who asked for {flow}?"
            equal(flow["flow-closed"]["why"], "blocked")


@case()
def what_is_secret_is_not_recorded(play):
    text = json.dumps(play.recording.observations)
    assert "a-secret-word" not in text
    assert play.way.tunnel == "socks" or "/old?token=*" in text


def act(way, program, chromium, node, folder):
    with WebApp(node, folder) as app:
        words = [word for rule in app.rules() for word in ("--connect-to", rule)]
        words += [word for host in MAKER for word in ("--block", host)]
        with Flightstrip(program, folder, *words) as recorder:
            with Chromium(chromium, folder, app, way.option.format(port=recorder.port),
                          f"http://site.test/?large={way.large}") as browser:
                assert app.have_reported(2), \
                    f"no page came to its end but {app.reports}: {browser.said()[-2000:]}"
            recorder.stop()
            app.end()
            return Play(way, app, Recording(recorder.observations()))


def judge(way, check, play):
    """Why the play has failed the check; None when it has not."""
    try:
        assert isinstance(play, Play), play
        check(play)
    except Exception as problem:  # the next case goes on, whatever this one met
        return f"{type(problem).__name__}: {problem}"
    return None


def try_to_act(*how):
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            return act(*how, Path(folder))
    except Exception as problem:  # all cases of this way have failed, and those of others not
        return f"{type(problem).__name__}: {problem}"


def main():
    chromium, node = shutil.which("chromium"), shutil.which("node")
    if not chromium or not node:
        print("1..0 # SKIP chromium or node is not here; tools/need.sh browser installs both")
        return 0
    cases = [(way, check) for way in WAYS for check in CASES if way.name in check.ways]
    print(f"1..{len(cases)}", flush=True)
    failed = 0
    plays = {}
    for number, (way, check) in enumerate(cases, 1):
        if way not in plays:
            plays[way] = try_to_act(way, sys.argv[1], chromium, node)
        why = judge(way, check, plays[way])
        failed += why is not None
        print(f"{'not ok' if why else 'ok'} {number} - {way.name}: "
              f"{check.__name__.replace('_', ' ')}", flush=True)
        for line in (why or "").splitlines():
            print(f"#   {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
