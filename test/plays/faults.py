#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""faults.py FLIGHTSTRIP: clients, origins and name servers that misbehave, one case each.

While a case's connections are still open, a normal request goes through the same proxy and has to
be answered. What a case asserts is what any proxy has to do; what flightstrip's recording has to
say of it stands above the case, as "STATUS by WHOM, WHY" ("tunnel" or "nothing" where there was no
status) for each flow in turn. Prints TAP.

    faults.py --table [--peer NAME]… [NAME=PORT]… [FLIGHTSTRIP]

runs the same cases against others: peers that are started here (peers.py), proxies that run
already, and flightstrip; and prints which survived what. There the normal request has to be
answered within 100 ms, and what has to pass at once within 40 ms.
"""

import argparse
import os
import re
import ssl
import sys
import tempfile
import threading
import time
from pathlib import Path

import peers
import stage
from stage import (END_OF_HEAD, BlackHole, Flightstrip, NameServer, Origin, all_closed_once,
                   connect, flows_of, good, nobody, normal_request, read_answer)

TABLE_SECONDS = 5  # a table's limit for everything else
AFTER_MS = 100  # a table's limit for the normal request
TRIES = 3  # before a table says that it is slow
AT_ONCE_MS = 40  # less than the kernel holds back an ACK for
MIB = 1 << 20
CASES = []


def case(*flows, never=None, tunnel=False):
    """flows: what the recording says of each, in turn; `a|b` where both are right. never: what no
    log and no recording may hold. tunnel: it needs CONNECT."""

    def add(act):
        act.flows, act.never, act.tunnel = flows, never, tunnel
        CASES.append(act)
        return act

    return add


class Play:
    """One case on its stage. Its clients come from an address of their own, so that the recording
    tells its flows from others'."""

    def __init__(self, proxy, source):
        self.proxy = proxy
        self.source = source
        self.clients, self.origins = [], []
        self.at_once_ms = 0.0

    def client(self, receive_bytes=0):
        self.clients.append(connect(self.proxy.port, self.source, receive_bytes))
        return self.clients[-1]

    def origin(self, act=None):
        self.origins.append(Origin(act))
        return self.origins[-1]

    def client_after(self, answer, client):
        """For the next request: the same, where the proxy takes one."""
        head = answer.head.lower()
        ends = b"connection: close" in head or not head.startswith(b"http/1.1")
        return self.client() if ends else client

    def black_hole(self):
        self.origins.append(BlackHole())
        return self.origins[-1]

    def ask(self, act, method="GET"):
        """One request to an origin that acts so; its answer."""
        request = request_to(self.origin(act), method=method)
        return read_answer(self.client().send(request), method == "HEAD")

    def asked(self, origin, **parts):
        """A request that has reached the origin: both ends of it."""
        client = self.client().send(request_to(origin, **parts))
        server = origin.accept()
        server.head = server.read_head()
        return client, server

    def tunnel(self):
        """An open tunnel: both ends of it."""
        origin = self.origin()
        client = self.client().send(connect_to(origin.host))
        server = origin.accept()
        head = client.read_head()
        assert b" 200 " in head, head
        return client, server

    def passes_at_once(self, send, read):
        began = time.monotonic()
        send()
        got = read()
        self.at_once_ms = max(self.at_once_ms, ms_since(began))
        return got

    def leave(self):
        for wire in self.clients:
            wire.reset()
        for origin in self.origins:
            origin.close()


def ms_since(began):
    return (time.monotonic() - began) * 1000


# What clients say


def request_to(origin, path="/", method="GET", fields=b"", body=b""):
    return b"%b %b HTTP/1.1\r\nHost: %b\r\n%b\r\n%b" % (
        method.encode(), origin.url(path), origin.host, fields, body)


def connect_to(host, fields=b""):
    return b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (host, host, fields)


def get_name(name):
    return b"GET http://%b/ HTTP/1.1\r\nHost: %b\r\n\r\n" % (name, name)


# What origins do


def answers(response):
    """Reads a request, says this and ends."""

    def act(wire):
        wire.read_head()
        wire.send(response).end().read_until_gone()

    return act


def answers_then_next(response):
    """Says this to a first request; to /next what is right."""

    def act(wire):
        while True:
            path = wire.read_head().split()[1]
            wire.send(ok(b"next") if path == b"/next" else response)

    return act


def ok(body):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def chunked(body):
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body


# What has to come of it


def equal(got, wanted):
    assert got == wanted, f"{got!r:.200} is not {wanted!r:.200}"


def is_answered(answer, *statuses):
    assert answer.whole and answer.status in statuses, f"{answer!r:.300}"


def is_refusal(answer):
    assert 400 <= answer.status < 500 or answer.status == 501, f"{answer!r:.300}"


def is_bad_gateway(answer):
    assert answer.status >= 500 or not answer.status, f"{answer!r:.300}"


def is_broken(answer):
    """Nobody can take it for a whole answer."""
    assert not answer.whole or answer.status >= 500, f"{answer!r:.300}"


def is_not_passed_on(answer, pattern):
    """Refused, or mended."""
    assert answer.status >= 500 or not re.search(pattern, answer.head), f"{answer!r:.300}"


def is_refused_before_the_origin(play, fields, body=b"", method="POST"):
    heard = []

    def act(wire):
        heard.append(wire.read_head())
        wire.send(ok(b"")).end().read_until_gone()

    answer = read_answer(play.client().send(
        request_to(play.origin(act), method=method, fields=fields, body=body)))
    assert not heard, f"the origin got {heard[0]!r}"
    is_refusal(answer)


def next_is_right(play, response, method="GET"):
    """After a first answer with something wrong at its end, the second is the origin's second."""
    origin = play.origin(answers_then_next(response))
    client = play.client().send(request_to(origin, method=method))
    first = read_answer(client, method == "HEAD")
    try:
        client.send(request_to(origin, "/next"))
        second = read_answer(client)
    except ConnectionError:
        second = read_answer(play.client().send(request_to(origin, "/next")))
    if not second.status:  # it may end the connection; then the next one is right
        second = read_answer(play.client().send(request_to(origin, "/next")))
    equal(second.body, b"next")
    return first


# Slow ones


@case(*["nothing, device-reset"] * 300)
def three_hundred_heads_that_never_end(play):
    for _ in range(300):
        play.client().send(b"GET http://127.0.0.1/ HTTP/1.1\r\nX-Slow: ")


@case("200 by server, finished")
def a_head_that_comes_byte_by_byte(play):
    origin = play.origin(good)
    client = play.client()
    for byte in request_to(origin, "/slow"):
        client.send(bytes([byte]))
    equal(read_answer(client).body, b"/slow")


@case(*["nothing, device-reset"] * 50)
def fifty_request_bodies_that_stop(play):
    origin = play.origin()
    for _ in range(50):
        play.client().send(request_to(origin, method="POST", fields=b"Content-Length: 1000\r\n",
                                      body=b"x"))


@case("200 by server, device-reset")
def a_reader_that_takes_nothing(play):
    body = b"x" * (64 * MIB)
    origin = play.origin()
    client = play.client(receive_bytes=4096).send(request_to(origin))
    server = origin.accept()
    server.read_head()
    took = server.offer(ok(body))
    assert took < len(body) / 2, f"the proxy keeps {took} bytes for a client that takes none"
    client.read_head()


@case("tunnel, device-reset", tunnel=True)
def a_tunnel_that_nobody_reads_from(play):
    client, _ = play.tunnel()
    took = client.offer(b"x" * (64 * MIB))
    assert took < 32 * MIB, f"the proxy keeps {took} bytes for a server that takes none"


# Long heads


@case("200 by server, finished")
def a_cookie_of_12_kib_passes(play):
    client, server = play.asked(play.origin(), fields=b"Cookie: " + b"c" * 12288 + b"\r\n")
    assert b"c" * 12288 in server.head
    server.send(ok(b"fine"))
    is_answered(read_answer(client), 200)


@case("200 by server, finished")
def a_head_just_under_64_kib(play):
    origin = play.origin(good)
    short = len(request_to(origin, fields=b"X-Long: \r\n"))
    filler = b"X-Long: " + b"l" * (65535 - short) + b"\r\n"
    is_answered(read_answer(play.client().send(request_to(origin, fields=filler))), 200, 400, 431)


@case("431 by proxy, too-many")
def a_line_of_64_kib(play):
    origin = play.origin()
    client = play.client()
    client.offer(request_to(origin, fields=b"X-Long: " + b"l" * 65536 + b"\r\n"))
    is_refusal(read_answer(client))
    assert origin.heard_nothing()


@case("431 by proxy, too-many")
def eight_mib_of_header(play):
    client = play.client()
    client.send(b"GET http://127.0.0.1/ HTTP/1.1\r\n")
    took = client.offer(b"X-Field: some value or other\r\n" * (8 * MIB // 30))
    answer = read_answer(client)
    assert answer.status in (0, 400, 413, 431, 502), answer
    assert took < 8 * MIB - 30 or answer.status, "it was swallowed and not answered"


@case("200 by server, finished")
def a_thousand_fields(play):
    origin = play.origin(good)
    fields = b"".join(b"X-Field-%d: v\r\n" % i for i in range(1000))
    is_answered(read_answer(play.client().send(request_to(origin, fields=fields))), 200, 400, 431)


@case("200 by server, finished")
def a_method_of_10_000_bytes(play):
    origin = play.origin(good)
    answer = read_answer(play.client().send(request_to(origin, method="M" * 10000)))
    is_answered(answer, 200, 400, 403, 405, 414, 501)


@case("200 by server, finished")
def a_url_of_60_000_bytes(play):
    origin = play.origin(good)
    client = play.client().send(request_to(origin, "/" + "u" * 60000))
    is_answered(read_answer(client), 200, 400, 414, 431)


# Clients that leave


@case()
def a_client_resets_before_its_head(play):
    for _ in range(50):
        play.client().reset()


@case("nothing, device-reset")
def a_client_resets_within_its_head(play):
    play.client().send(b"GET http://127.0.0.1/ HT").reset()


@case("nothing, device-aborted")
def a_client_ends_within_its_head(play):
    play.client().send(b"GET http://127.0.0.1/ HT").end().read_until_gone()


@case("nothing, device-reset")
def a_client_resets_while_its_name_is_resolved(play):
    play.client().send(get_name(b"hang.test")).reset()


@case("nothing, device-reset", tunnel=True)
def a_client_resets_while_its_tunnel_s_name_is_resolved(play):
    play.client().send(connect_to(b"hang.test:443")).reset()


@case("nothing, device-reset")
def a_client_resets_while_its_server_is_connected(play):
    play.client().send(request_to(play.black_hole())).reset()


@case("nothing, device-reset", tunnel=True)
def a_client_resets_while_its_tunnel_is_connected(play):
    play.client().send(connect_to(play.black_hole().host)).reset()


@case("nothing, device-reset")
def a_client_resets_within_its_body(play):
    client, server = play.asked(play.origin(), method="POST", fields=b"Content-Length: 9\r\n",
                                body=b"some")
    client.reset()
    equal(server.read_until_gone(), b"some")


@case("nothing, device-aborted")
def a_client_ends_within_its_body(play):
    client, server = play.asked(play.origin(), method="POST", fields=b"Content-Length: 9\r\n",
                                body=b"some")
    client.end()
    equal(server.read_until_gone(), b"some")


@case("nothing, device-aborted")
def a_client_leaves_within_a_chunked_upload(play):
    client, server = play.asked(play.origin(), method="POST",
                                fields=b"Transfer-Encoding: chunked\r\n", body=b"4\r\nsome\r\n")
    client.end()
    assert b"0\r\n\r\n" not in server.read_until_gone(), "the origin takes it for whole"


@case("nothing, device-reset")
def a_client_resets_after_its_request(play):
    client, _ = play.asked(play.origin())
    client.reset()


@case("200 by server, device-reset")
def a_client_resets_within_its_response(play):
    client, server = play.asked(play.origin())
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome")
    client.read_head()
    client.reset()


@case("200 by server, finished")
def a_client_that_has_ended_is_still_answered(play):
    client, server = play.asked(play.origin())
    client.end()
    server.send(ok(b"late"))
    equal(read_answer(client).body, b"late")


@case("tunnel, device-reset", tunnel=True)
def a_client_resets_a_tunnel_that_goes_up(play):
    client, server = play.tunnel()
    client.send(b"up")
    equal(server.read(2), b"up")
    client.reset()
    server.read_until_gone()


@case("tunnel, device-reset", tunnel=True)
def a_client_resets_a_tunnel_that_goes_down(play):
    client, server = play.tunnel()
    server.send(b"x" * 100000)
    equal(client.read(4), b"xxxx")
    client.reset()
    server.read_until_gone()


@case("tunnel, device-closed", tunnel=True)
def a_client_resets_a_tunnel_that_it_has_half_closed(play):
    client, server = play.tunnel()
    client.end()
    equal(server.read_all(), b"")
    client.reset()
    server.offer(b"still here")
    server.read_until_gone()


@case("tunnel, server-closed", tunnel=True)
def a_client_resets_a_tunnel_that_its_server_has_half_closed(play):
    client, server = play.tunnel()
    server.end()
    equal(client.read_all(), b"")
    client.reset()
    server.read_until_gone()


# Origins that leave


@case("502 by proxy, connect-failed")
def an_origin_that_refuses(play):
    host = nobody()
    answer = read_answer(play.client().send(b"GET http://%b/ HTTP/1.1\r\nHost: %b\r\n\r\n" %
                                            (host, host)))
    is_answered(answer, 500, 502, 503, 504)


@case("502 by proxy, connect-failed", tunnel=True)
def an_origin_that_refuses_a_tunnel(play):
    is_answered(read_answer(play.client().send(connect_to(nobody()))), 500, 502, 503, 504)


@case("nothing, device-reset")
def an_origin_that_is_a_black_hole(play):
    play.client().send(request_to(play.black_hole()))


@case("nothing, device-reset")
def an_origin_that_never_answers(play):
    play.asked(play.origin())


@case("502 by proxy, server-closed|server-reset")
def an_origin_that_closes_at_once(play):
    is_bad_gateway(play.ask(lambda wire: wire.close()))


@case("502 by proxy, server-reset|connect-failed")
def an_origin_that_resets_at_once(play):
    is_bad_gateway(play.ask(lambda wire: wire.reset()))


@case("502 by proxy, server-closed")
def an_origin_that_closes_after_the_request(play):
    is_bad_gateway(play.ask(answers(b"")))


@case("502 by proxy, server-reset")
def an_origin_that_resets_after_the_request(play):
    def act(wire):
        wire.read_head()
        wire.reset()

    is_bad_gateway(play.ask(act))


@case("502 by proxy, server-closed")
def an_origin_that_ends_within_its_head(play):
    is_bad_gateway(play.ask(answers(b"HTTP/1.1 200 OK\r\nContent-Le")))


@case("200 by server, server-closed")
def a_length_that_is_cut_short(play):
    is_broken(play.ask(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome")))


@case("200 by server, server-closed")
def chunks_that_are_cut_short(play):
    is_broken(play.ask(answers(chunked(b"4\r\nsome\r\n"))))


@case("200 by server, server-reset")
def a_length_that_is_reset(play):
    client, server = play.asked(play.origin())
    server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome")
    client.read_to(re.compile(b"some"))
    server.reset()
    client.read_until_gone()


@case("200 by server, server-reset")
def a_response_until_close_that_is_reset(play):
    client, server = play.asked(play.origin())
    server.send(b"HTTP/1.1 200 OK\r\n\r\nsome")
    head = client.read_head()
    client.read_to(re.compile(b"some"))
    server.reset()
    try:
        rest = client.read_all()
    except ConnectionError:
        return
    assert b"chunked" in head and b"0\r\n\r\n" not in rest, "nobody can tell that it was cut"


@case("502 by proxy, server-reset")
def an_origin_that_resets_within_the_request_s_body(play):
    client, server = play.asked(play.origin(), method="POST",
                                fields=b"Content-Length: 1000000\r\n", body=b"some")
    server.reset()
    client.offer(b"x" * 900000)
    is_bad_gateway(read_answer(client))


@case("tunnel, server-reset", tunnel=True)
def an_origin_that_resets_a_tunnel(play):
    client, server = play.tunnel()
    server.reset()
    client.read_until_gone()


@case("tunnel, server-closed", tunnel=True)
def an_origin_that_resets_a_tunnel_that_it_has_half_closed(play):
    client, server = play.tunnel()
    server.end()
    equal(client.read_all(), b"")
    server.reset()
    client.offer(b"x" * 100000)
    client.read_until_gone()


# Origins that say odd things


@case("502 by proxy, bad-response")
def an_origin_that_says_garbage(play):
    is_not_passed_on(play.ask(answers(bytes(range(256)) + b"\r\n\r\n")), rb"\x7f")


@case("502 by proxy, bad-response")
def an_origin_that_speaks_http_0_9(play):
    is_not_passed_on(play.ask(answers(b"<html>old</html>\r\n\r\n")), rb"^<html>")


@case("502 by proxy, bad-response")
def an_origin_with_8_mib_of_header(play):
    def act(wire):
        wire.read_head()
        wire.offer(b"HTTP/1.1 200 OK\r\n" + b"X-Field: some value or other\r\n" * (8 * MIB // 30))
        wire.end().read_until_gone()

    is_broken(play.ask(act))


@case("200 by server, finished")
def a_response_header_of_16_000_bytes_passes(play):
    long = b"X-Long: " + b"l" * 16000 + b"\r\n"
    answer = play.ask(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n%b\r\nfine" % long))
    is_answered(answer, 200)
    assert long in answer.head


@case("200 by server, finished")
def a_response_head_that_comes_byte_by_byte(play):
    def act(wire):
        wire.read_head()
        for byte in ok(b"slow"):
            wire.send(bytes([byte]))

    equal(play.ask(act).body, b"slow")


@case("502 by proxy, bad-response")
def a_response_with_two_lengths(play):
    answer = play.ask(answers(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"))
    is_not_passed_on(answer, rb"(?is)Content-Length:.*Content-Length:")


@case("502 by proxy, bad-response")
def a_response_with_length_and_chunks(play):
    answer = play.ask(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                              b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
    is_not_passed_on(answer, rb"(?is)(Content-Length:.*chunked|chunked.*Content-Length:)")


@case("502 by proxy, bad-response")
def a_response_with_a_negative_length(play):
    answer = play.ask(answers(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello"))
    is_not_passed_on(answer, rb"-5")


@case("502 by proxy, bad-response")
def a_response_with_a_bare_cr(play):
    answer = play.ask(answers(b"HTTP/1.1 200 OK\r\nX-A: a\rX-B: b\r\nContent-Length: 0\r\n\r\n"))
    is_not_passed_on(answer, rb"\r(?!\n)")


@case("502 by proxy, bad-response")
def a_response_with_bare_lfs(play):
    answer = play.ask(answers(b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"))
    is_not_passed_on(answer, rb"(?<!\r)\n")


@case("502 by proxy, bad-response")
def a_response_with_a_folded_field(play):
    answer = play.ask(answers(b"HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 0\r\n\r\n"))
    is_not_passed_on(answer, rb"\r\n[ \t]")


@case("502 by proxy, bad-response")
def a_response_with_a_space_before_the_colon(play):
    answer = play.ask(answers(b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello"))
    is_not_passed_on(answer, rb"Length +:")


@case("502 by proxy, bad-response")
def a_response_with_a_nul(play):
    answer = play.ask(answers(b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 0\r\n\r\n"))
    is_not_passed_on(answer, rb"\0")


@case("502 by proxy|200 by server, bad-response")
def a_response_chunk_that_overflows(play):
    is_broken(play.ask(answers(chunked(b"1" + b"0" * 20 + b"5\r\nhello\r\n0\r\n\r\n"))))


@case("502 by proxy|200 by server, bad-response")
def a_response_chunk_with_a_negative_size(play):
    is_broken(play.ask(answers(chunked(b"-5\r\nhello\r\n0\r\n\r\n"))))


@case("502 by proxy|200 by server, bad-response")
def a_response_chunk_with_a_bare_cr_in_its_extension(play):
    answer = play.ask(answers(chunked(b"5;a\rb\r\nhello\r\n0\r\n\r\n")))
    assert not answer.whole or answer.status >= 500 or answer.body == b"hello", answer


@case("502 by proxy|200 by server, bad-response")
def a_response_chunk_longer_than_its_size(play):
    is_broken(play.ask(answers(chunked(b"5\r\nhello, world\r\n0\r\n\r\n"))))


@case(*["200 by server, finished"] * 2)
def bytes_after_the_response(play):
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    equal(next_is_right(play, ok(b"first") + evil).body, b"first")


@case("204 by server, finished", "200 by server, finished")
def a_204_with_a_body(play):
    first = next_is_right(play, b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil")
    equal(first.status, 204)


@case(*["200 by server, finished"] * 2)
def an_answer_to_head_with_a_body(play):
    equal(next_is_right(play, ok(b"evil"), method="HEAD").status, 200)


@case("200 by server, finished")
def ten_thousand_interim_responses(play):
    def act(wire):
        wire.read_head()
        wire.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 10000)
        wire.send(ok(b"at last"))

    answer = play.ask(act)
    assert answer.body == b"at last" or answer.status >= 500 or not answer.status, answer


@case("502 by proxy, bad-response")
def a_101_that_nobody_asked_for(play):
    is_bad_gateway(play.ask(answers(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nevil")))


@case("200 by server, finished")
def a_response_until_close(play):
    answer = play.ask(answers(b"HTTP/1.1 200 OK\r\n\r\nall of it"))
    is_answered(answer, 200)
    equal(answer.body, b"all of it")


# Requests that two readers could read differently. RFC 9112 lets a proxy mend some of them; here
# each has to be refused, and the origin hears nothing


@case("400 by proxy, bad-request")
def a_request_with_two_lengths(play):
    is_refused_before_the_origin(play, b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello!")


@case("400 by proxy, bad-request")
def a_request_with_a_list_of_lengths(play):
    is_refused_before_the_origin(play, b"Content-Length: 5, 6\r\n", b"hello!")


@case("400 by proxy, bad-request")
def a_request_with_length_and_chunks(play):
    is_refused_before_the_origin(
        play, b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n")


@case("400 by proxy, bad-request")
def a_request_with_chunks_and_length(play):
    is_refused_before_the_origin(
        play, b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n")


@case("400 by proxy, bad-request")
def a_request_with_a_signed_length(play):
    is_refused_before_the_origin(play, b"Content-Length: +5\r\n", b"hello")


@case("400 by proxy, bad-request")
def a_request_with_a_negative_length(play):
    is_refused_before_the_origin(play, b"Content-Length: -5\r\n", b"hello")


@case("400 by proxy, bad-request")
def a_request_with_a_length_beyond_64_bits(play):
    is_refused_before_the_origin(play, b"Content-Length: 18446744073709551621\r\n", b"hello")


@case("400 by proxy, bad-request")
def a_request_with_an_unknown_coding(play):
    is_refused_before_the_origin(play, b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n")


@case("400 by proxy, bad-request")
def a_request_with_chunked_before_another_coding(play):
    is_refused_before_the_origin(play, b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n")


@case("400 by proxy, bad-request")
def a_request_that_is_chunked_twice(play):
    is_refused_before_the_origin(
        play, b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n")


@case("400 by proxy, bad-request")
def a_request_with_a_space_before_the_colon(play):
    is_refused_before_the_origin(play, b"Content-Length : 5\r\n", b"hello")


@case("400 by proxy, bad-request")
def a_request_with_a_folded_field(play):
    is_refused_before_the_origin(play, b"X-A: a\r\n Content-Length: 5\r\n", method="GET")


@case("400 by proxy, bad-request")
def a_request_with_a_bare_cr(play):
    is_refused_before_the_origin(play, b"X-A: a\rContent-Length: 5\r\n", method="GET")


@case("400 by proxy, bad-request")
def a_request_with_a_bare_lf(play):
    is_refused_before_the_origin(play, b"X-A: a\nX-B: b\r\n", method="GET")


@case("400 by proxy, bad-request")
def a_request_with_a_nul_in_a_field(play):
    is_refused_before_the_origin(play, b"X-A: a\0b\r\n", method="GET")


@case("400 by proxy, bad-request")
def a_request_with_two_hosts(play):
    is_refused_before_the_origin(play, b"Host: other.test\r\n", method="GET")


@case("400 by proxy, bad-request")
def a_request_whose_connection_field_names_its_length(play):
    origin = play.origin(lambda wire: wire.send(ok(wire.read_head())))
    answer = read_answer(play.client().send(request_to(
        origin, method="POST", fields=b"Connection: Content-Length\r\nContent-Length: 5\r\n",
        body=b"hello")))
    assert 400 <= answer.status < 600 or b"Content-Length: 5" in answer.body, answer


def is_cut_off_within_its_chunks(play, chunks):
    begun = threading.Event()

    def act(wire):
        wire.read_head()
        wire.read_to(re.compile(b"some"))
        begun.set()
        wire.read_to(re.compile(b"0\r\n\r\n$"))
        wire.send(ok(b"it is whole")).end().read_until_gone()

    client = play.client().send(request_to(
        play.origin(act), method="POST", fields=b"Transfer-Encoding: chunked\r\n",
        body=b"4\r\nsome\r\n"))
    assert begun.wait(stage.SECONDS), "nothing of it reached the origin"
    client.send(chunks)
    is_refusal_or_gone(read_answer(client))


def is_refusal_or_gone(answer):
    assert not answer.status or 400 <= answer.status < 600, answer


@case("400 by proxy, bad-request")
def an_upload_whose_chunk_overflows(play):
    is_cut_off_within_its_chunks(play, b"1" + b"0" * 16 + b"5\r\nhello\r\n0\r\n\r\n")


@case("400 by proxy, bad-request")
def an_upload_whose_chunk_has_a_negative_size(play):
    is_cut_off_within_its_chunks(play, b"-5\r\nhello\r\n0\r\n\r\n")


@case("400 by proxy, bad-request")
def an_upload_whose_chunk_line_ends_in_a_bare_lf(play):
    is_cut_off_within_its_chunks(play, b"5\nhello\r\n0\r\n\r\n")


@case("400 by proxy, bad-request")
def an_upload_whose_chunk_has_a_bare_lf_in_its_extension(play):
    is_cut_off_within_its_chunks(play, b"5;a\nb\r\nhello\r\n0\r\n\r\n")


@case("400 by proxy, bad-request")
def an_upload_whose_chunk_is_longer_than_its_size(play):
    is_cut_off_within_its_chunks(play, b"5\r\nhello, world\r\n0\r\n\r\n")


# Bodies, interim answers and other protocols, as they should be


@case("200 by server, finished")
def a_chunked_upload_with_trailers(play):
    client, server = play.asked(play.origin(), method="POST",
                                fields=b"Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n",
                                body=b"4\r\nsome\r\n0\r\nX-Sum: 1\r\n\r\n")
    length = re.search(rb"(?i)Content-Length: (\d+)", server.head)
    equal(server.read(int(length[1])) if length else server.read_chunks(), b"some")
    server.send(ok(b"fine"))
    is_answered(read_answer(client), 200)


@case("200 by server, finished")
def a_body_that_waits_for_100(play):
    client = play.client()
    origin = play.origin()
    client.send(request_to(origin, method="POST",
                           fields=b"Expect: 100-continue\r\nContent-Length: 4\r\n"))
    server = origin.accept()
    server.read_head()
    server.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert b" 100 " in client.read_head()
    client.send(b"some")
    equal(server.read(4), b"some")
    server.send(ok(b"fine"))
    is_answered(read_answer(client), 200)


@case("417 by server, finished")
def a_body_that_waits_for_100_and_gets_417(play):
    client, server = play.asked(play.origin(), method="POST",
                                fields=b"Expect: 100-continue\r\nContent-Length: 4\r\n")
    server.send(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n")
    is_answered(read_answer(client), 417)


@case("413 by server, finished")
def an_answer_that_comes_before_the_body_has_ended(play):
    client, server = play.asked(play.origin(), method="POST",
                                fields=b"Content-Length: 1000000\r\n", body=b"some")
    server.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n"
                b"Connection: close\r\n\r\n")
    is_answered(read_answer(client), 413)


UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" \
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" \
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"


@case("101 by server, device-reset")
def a_websocket_passes_bytes_both_ways(play):
    client, server = play.asked(play.origin(), fields=UPGRADE)
    assert b"websocket" in server.head, server.head
    server.send(SWITCH + b"first")
    is_answered(read_answer(client), 101)
    equal(client.read(5), b"first")
    client.send(b"\x81\x80up")
    equal(server.read(4), b"\x81\x80up")
    server.send(b"\x81\x04down")
    equal(client.read(6), b"\x81\x04down")


@case("426 by server, finished")
def a_websocket_that_is_refused(play):
    client, server = play.asked(play.origin(), fields=UPGRADE)
    server.send(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno")
    answer = read_answer(client)
    is_answered(answer, 426)
    equal(answer.body, b"no")


@case("200 by server, device-reset")
def events_pass_as_they_come(play):
    client, server = play.asked(play.origin())
    server.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n")
    client.read_head()
    for i in range(20):
        event = b"data: %02d\n\n" % i
        play.passes_at_once(lambda: server.send(b"a\r\n%b\r\n" % event),
                            lambda: client.read_to(re.compile(re.escape(event))))


@case(*["200 by server, finished"] * 20)
def a_head_and_a_body_in_two_small_writes_are_not_delayed(play):
    def act(wire):
        while True:
            wire.read_head()
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", b"body")

    origin = play.origin(act)
    client = play.client()
    for _ in range(20):
        answer = play.passes_at_once(lambda: client.send(request_to(origin)),
                                     lambda: read_answer(client))
        client = play.client_after(answer, client)


# Pipelines


def read_in_order(client, paths):
    """How many of the answers came, which may be less than all where the connection then ends."""
    for n, path in enumerate(paths):
        answer = read_answer(client)
        if not answer.status:
            return n
        equal(answer.body, path.encode())
    return len(paths)


@case(*["200 by server, finished"] * 10)
def ten_requests_at_once_are_answered_in_order(play):
    origin = play.origin(good)
    paths = [f"/{i}" for i in range(10)]
    client = play.client().send(b"".join(request_to(origin, path) for path in paths))
    assert read_in_order(client, paths) > 0


@case(*["200 by server, finished"] * 3, "400 by proxy, bad-request")
def a_pipeline_with_a_bad_request_in_the_middle(play):
    heard = []

    def act(wire):
        while True:
            heard.append(wire.read_head())
            wire.send(ok(heard[-1].split()[1]))

    origin = play.origin(act)
    paths = ["/0", "/1", "/2"]
    bad = request_to(origin, "/bad", fields=b"Content-Length: 1\r\nContent-Length: 2\r\n")
    client = play.client().send(b"".join(request_to(origin, path) for path in paths), bad,
                                request_to(origin, "/after"))
    if read_in_order(client, paths) == len(paths):
        is_refusal_or_gone(read_answer(client))
    assert not any(b"/bad" in head or b"/after" in head for head in heard), heard


@case("200 by server, finished", "tunnel, device-reset", tunnel=True)
def a_tunnel_after_a_request_on_the_same_connection(play):
    first, second = play.origin(good), play.origin()
    client = play.client().send(request_to(first, "/first"))
    answer = read_answer(client)
    equal(answer.body, b"/first")
    client = play.client_after(answer, client).send(connect_to(second.host))
    assert b" 200 " in client.read_head()
    second.accept().send(b"hello")
    equal(client.read(5), b"hello")


# Tunnels


@case("tunnel, device-reset", tunnel=True)
def bytes_sent_along_with_connect_arrive(play):
    origin = play.origin()
    client = play.client().send(connect_to(origin.host) + b"early")
    equal(origin.accept().read(5), b"early")
    assert b" 200 " in client.read_head()


@case("tunnel, device-reset", tunnel=True)
def a_first_message_of_one_byte_passes_at_once(play):
    client, server = play.tunnel()
    play.passes_at_once(lambda: client.send(b"1"), lambda: equal(server.read(1), b"1"))
    play.passes_at_once(lambda: server.send(b"2"), lambda: equal(client.read(1), b"2"))


@case("tunnel, device-closed", tunnel=True)
def a_tunnel_that_the_client_has_ended_still_goes_down(play):
    client, server = play.tunnel()
    client.send(b"up").end()
    equal(server.read_all(), b"up")
    server.send(b"down").end()
    equal(client.read_all(), b"down")


@case("tunnel, server-closed", tunnel=True)
def a_tunnel_that_the_server_has_ended_still_goes_up(play):
    client, server = play.tunnel()
    server.send(b"down").end()
    equal(client.read_all(), b"down")
    client.send(b"up").end()
    equal(server.read_all(), b"up")


@case(*["tunnel, device-closed"] * 100, tunnel=True)
def a_hundred_short_tunnels(play):
    for _ in range(100):
        client, server = play.tunnel()
        client.send(b"ping")
        equal(server.read(4), b"ping")
        server.send(b"pong")
        equal(client.read(4), b"pong")
        client.close()
        equal(server.read_all(), b"")


@case("400 by proxy, bad-request", tunnel=True)
def connect_without_a_port(play):
    is_refusal_or_gone(read_answer(play.client().send(connect_to(b"127.0.0.1"))))


@case("400 by proxy, bad-request", tunnel=True)
def connect_to_port_0(play):
    is_refusal_or_gone(read_answer(play.client().send(connect_to(b"127.0.0.1:0"))))


@case("400 by proxy, bad-request", tunnel=True)
def connect_to_port_99999(play):
    is_refusal_or_gone(read_answer(play.client().send(connect_to(b"127.0.0.1:99999"))))


@case("400 by proxy, bad-request", tunnel=True)
def connect_with_a_body_is_refused_or_its_bytes_arrive(play):
    origin = play.origin(lambda wire: wire.send(wire.read(5)))
    client = play.client().send(connect_to(origin.host, b"Content-Length: 5\r\n") + b"hello")
    answer = client.read_head()
    assert b" 200 " not in answer or client.read(5) == b"hello"


@case("400 by proxy, bad-request", tunnel=True)
def connect_with_chunks_is_refused_or_its_bytes_arrive(play):
    origin = play.origin(lambda wire: wire.send(wire.read(5)))
    client = play.client().send(
        connect_to(origin.host, b"Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n")
    answer = client.read_head()
    assert b" 200 " not in answer or client.read(5) == b"0\r\n\r\n"


# Names


@case("502 by proxy, name-failed")
def a_name_that_does_not_resolve(play):
    is_answered(read_answer(play.client().send(get_name(b"none.test"))), 404, 500, 502, 503, 504)


@case(*["502 by proxy, name-failed"] * 64)
def sixty_four_names_that_do_not_resolve(play):
    clients = [play.client().send(get_name(b"none-%d.test" % i)) for i in range(64)]
    for client in clients:
        is_answered(read_answer(client), 404, 500, 502, 503, 504)


@case(*["nothing, device-reset"] * 64)
def sixty_four_names_whose_server_hangs(play):
    for i in range(64):
        play.client().send(get_name(b"hang-%d.test" % i))


@case("nothing, device-reset")
def a_name_server_that_answers_another_question(play):
    play.client().send(get_name(b"lie.test"))


@case("nothing, device-reset")
def a_name_server_that_says_garbage(play):
    play.client().send(get_name(b"garbage.test"))


@case("502 by proxy, name-failed|bad-request")
def a_name_of_almost_255_bytes(play):
    answer = read_answer(play.client().send(get_name((b"a" * 60 + b".") * 4 + b"test")))
    is_answered(answer, 400, 404, 500, 502, 503, 504)


@case("502 by proxy, name-failed|bad-request")
def a_label_longer_than_the_format_of_dns_allows(play):
    answer = read_answer(play.client().send(get_name(b"a" * 200 + b".test")))
    is_answered(answer, 400, 404, 500, 502, 503, 504)


# What gets into logs


@case("400 by proxy, bad-request", never=b"\x1b")
def an_escape_byte_in_a_url(play):
    origin = play.origin(good)
    client = play.client().send(request_to(origin, "/\x1b[31mred"))
    is_answered(read_answer(client), 200, 400)


@case("400 by proxy, bad-request", never=b"\x07")
def control_characters_in_a_user_agent(play):
    origin = play.origin(good)
    client = play.client().send(request_to(origin, fields=b"User-Agent: a\x07\x08b\r\n"))
    is_answered(read_answer(client), 200, 400)


@case("200 by server, finished", never=b"\nforged")
def a_line_break_that_is_escaped_in_a_url(play):
    origin = play.origin(good)
    equal(read_answer(play.client().send(request_to(origin, "/%0d%0aforged"))).status, 200)


@case("200 by server, finished", never=b"hunter2")
def a_password_in_a_url(play):
    origin = play.origin(good)
    client = play.client().send(b"GET http://user:hunter2@%b/ HTTP/1.1\r\nHost: %b\r\n\r\n" %
                                (origin.host, origin.host))
    assert read_answer(client).whole


@case("200 by server, finished", never=b"aHVudGVyMg")
def credentials_for_the_proxy_reach_no_origin(play):
    client, server = play.asked(play.origin(),
                                fields=b"Proxy-Authorization: Basic aHVudGVyMg==\r\n")
    assert b"aHVudGVyMg" not in server.head, server.head
    server.send(ok(b"fine"))
    is_answered(read_answer(client), 200)


# What is not meant for a proxy


@case("400 by proxy, bad-request")
def garbage_comes_first(play):
    client = play.client().send(bytes(range(128, 256)) + b"\r\n\r\n").end()
    client.read_until_gone()


@case("400 by proxy, bad-request")
def a_client_hello_comes_first(play):
    hello = ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="a.test")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    play.client().send(hello.read()).end().read_until_gone()


@case("nothing, bad-request")
def socks4_comes_first(play):
    play.client().send(b"\x04\x01\x00\x50\x7f\x00\x00\x01user\x00").end().read_until_gone()


@case("400 by proxy, bad-request")
def the_preface_of_http_2_comes_first(play):
    client = play.client().send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)).end()
    client.read_until_gone()


@case("nothing, device-aborted")
def a_request_of_http_0_9(play):
    client = play.client().send(b"GET http://127.0.0.1/\r\n").end()
    assert b" 200 " not in client.read_until_gone()


@case("400 by proxy, bad-request")
def a_request_without_an_absolute_url(play):
    answer = read_answer(play.client().send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"))
    is_answered(answer, 200, 400, 403, 404, 421, 500, 502, 503, 504)


@case("403 by proxy, refused")
def a_request_to_the_proxy_itself(play):
    host = b"127.0.0.1:%d" % play.proxy.port
    client = play.client().send(b"GET http://%b/ HTTP/1.1\r\nHost: %b\r\n\r\n" % (host, host))
    assert read_answer(client).status != 0


@case("403 by proxy, refused", tunnel=True)
def a_tunnel_to_the_proxy_itself(play):
    client = play.client().send(connect_to(b"127.0.0.1:%d" % play.proxy.port))
    assert END_OF_HEAD.search(client.read_head())


# Running


class Outcome:
    """How one case ended with one proxy."""

    def __init__(self):
        self.wrong = ""  # empty: as it should be
        self.served = True
        self.after_ms = self.at_once_ms = 0.0

    def survived(self):
        return self.served and not self.wrong


def source_of(number):
    return f"127.0.1.{number}"


def act_case(proxy, source, act, origin):
    outcome = Outcome()
    if act.tunnel and not proxy.tunnels:
        outcome.served = False
        return outcome
    play = Play(proxy, source)
    try:
        act(play)
        outcome.at_once_ms = play.at_once_ms
    except Exception as problem:  # the next case goes on, whatever this one met
        outcome.wrong = f"{type(problem).__name__}: {problem}"
    began = time.monotonic()
    try:
        normal_request(proxy.port, origin)
    except Exception as problem:
        outcome.wrong = outcome.wrong or f"afterwards: {type(problem).__name__}: {problem}"
    outcome.after_ms = ms_since(began)
    play.leave()
    return outcome


def act_all(proxy, cases):
    origin = Origin(good)
    outcomes = [act_case(proxy, source_of(number), act, origin)
                for number, act in enumerate(cases, 1)]
    origin.close()
    return outcomes


def look_for_what_never_is(proxy, cases, outcomes):
    written = proxy.written()
    for act, outcome in zip(cases, outcomes):
        if act.never and outcome.served and act.never in written:
            outcome.wrong = outcome.wrong or f"{act.never!r} is in its log"


def fits(flow, wanted):
    """Both halves of "STATUS by WHOM, WHY"; each may have alternatives."""
    came_to, why = wanted.split(", ")
    return flow.came_to in came_to.split("|") and flow.why in why.split("|")


def it_ends_well_and_every_flow_was_closed_once(proxy):
    proxy.stop()
    all_closed_once(flows_of(proxy.observations()))


def judge_end(proxy):
    outcome = Outcome()
    try:
        it_ends_well_and_every_flow_was_closed_once(proxy)
    except Exception as problem:
        outcome.wrong = f"{type(problem).__name__}: {problem}"
    return outcome


def look_at_record(proxy, cases, outcomes):
    flows = flows_of(proxy.observations())
    for number, (act, outcome) in enumerate(zip(cases, outcomes), 1):
        of_case = [flow for flow in flows if flow.client == source_of(number)]
        if len(of_case) != len(act.flows) or not all(map(fits, of_case, act.flows)):
            said = sorted({str(flow) for flow in of_case})
            outcome.wrong = outcome.wrong or (
                f"the recording has {len(of_case)} flows: {said}, and not {len(act.flows)}: "
                f"{sorted(set(act.flows))}")


def print_tap(cases, outcomes):
    print(f"1..{len(cases)}")
    for number, (act, outcome) in enumerate(zip(cases, outcomes), 1):
        print(f"{'not ok' if outcome.wrong else 'ok'} {number} - {act.__name__.replace('_', ' ')}")
        for line in outcome.wrong.splitlines():
            print(f"#   {line}")
    return 1 if any(outcome.wrong for outcome in outcomes) else 0


def test(program, cases):
    names = NameServer()
    with tempfile.TemporaryDirectory() as folder, \
            Flightstrip(program, Path(folder), "--name-server", names.address) as proxy:
        outcomes = act_all(proxy, cases)
        end = judge_end(proxy)
        look_for_what_never_is(proxy, cases, outcomes)
        look_at_record(proxy, cases, outcomes)
    return print_tap([*cases, it_ends_well_and_every_flow_was_closed_once], [*outcomes, end])


# The table


class Running:
    """A proxy that somebody else has started, on loopback."""

    tunnels = True

    def __init__(self, name, port):
        self.name = name
        self.port = int(port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def stop(self):
        pass

    def written(self):
        return b""


def too_slow(outcome):
    if outcome.at_once_ms > AT_ONCE_MS:
        return f"held back {outcome.at_once_ms:.0f} ms"
    if outcome.after_ms > AFTER_MS:
        return f"afterwards slow: {outcome.after_ms:.0f} ms"
    return ""


def act_in_time(proxy, cases):
    """A busy machine is slow as well: a case that took too long is tried again."""
    outcomes = act_all(proxy, cases)
    origin = Origin(good)
    for again in range(2, TRIES + 1):
        for i, act in enumerate(cases):
            if not outcomes[i].wrong and too_slow(outcomes[i]):
                outcomes[i] = act_case(proxy, f"127.0.{again}.{i + 1}", act, origin)
    origin.close()
    for outcome in outcomes:
        outcome.wrong = outcome.wrong or too_slow(outcome)
    return outcomes


def short(wrong):
    for word, mark in (("TimeoutError", "HANGS"), ("afterwards", "AFTER"), ("held back", "LATE"),
                       ("in its log", "LOG"), ("the recording", "RECORD")):
        if word in wrong:
            return mark
    return "WRONG" if wrong else "ok"


def cell(outcome):
    return f"{short(outcome.wrong)} {outcome.after_ms:.1f}" if outcome.served else "-"


LEGEND = """\
Each case, and the milliseconds that a normal request took while its connections were still open.
WRONG: not as it has to be. HANGS: no answer in time. LATE: held back. AFTER: the normal request
failed or was slow. LOG: it is in the log. RECORD: the recording says something else. -: it needs
CONNECT, which is not served here.
"""


def print_table(cases, columns):
    width = max(len(act.__name__) for act in cases)
    print(LEGEND)
    print(" " * width + "".join(f"{name:>14}" for name, _ in columns))
    for number, act in enumerate(cases):
        cells = "".join(f"{cell(outcomes[number]):>14}" for _, outcomes in columns)
        print(f"{act.__name__.replace('_', ' '):{width}}{cells}")
    print()
    for name, outcomes in columns:
        served = [outcome for outcome in outcomes if outcome.served]
        survived = sum(outcome.survived() for outcome in served)
        print(f"{name}: survived {survived} of {len(served)}"
              + (f" ({len(outcomes) - len(served)} need CONNECT, which it has not)"
                 if len(served) < len(outcomes) else ""))


def print_reasons(cases, columns):
    for name, outcomes in columns:
        print(f"\n{name}")
        for act, outcome in zip(cases, outcomes):
            if outcome.wrong:
                print(f"  {act.__name__.replace('_', ' ')}: {outcome.wrong:.240}")


def column(proxy, cases):
    began = time.monotonic()
    with proxy:
        outcomes = act_in_time(proxy, cases)
        proxy.stop()
        look_for_what_never_is(proxy, cases, outcomes)
        if isinstance(proxy, Flightstrip):
            look_at_record(proxy, cases, outcomes)
    print(f"{proxy.name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return proxy.name, outcomes


def table(arguments, cases):
    columns = []
    stage.SECONDS = TABLE_SECONDS
    names = NameServer(peers.NAME_SERVER, 53) if peers.can_lead_names() else NameServer()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        os.chmod(folder, 0o755)  # peers give up root
        if arguments.program:
            columns.append(column(Flightstrip(arguments.program, folder, "--name-server",
                                              names.address), cases))
        for name in arguments.peer:
            columns.append(column(peers.Peer(name, folder), cases))
        for word in arguments.running:
            columns.append(column(Running(*word.split("=")), cases))
        print_table(cases, columns)
        print_reasons(cases, columns)
    return 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("words", nargs="*", metavar="FLIGHTSTRIP|NAME=PORT")
    parser.add_argument("--table", action="store_true", help="compare instead of test")
    parser.add_argument("--peer", action="append", default=[], choices=sorted(peers.PEERS),
                        help="start this one and put it into the table")
    parser.add_argument("--only", default="", help="the cases with this in their names")
    arguments = parser.parse_args()
    arguments.running = [word for word in arguments.words if "=" in word]
    programs = [word for word in arguments.words if "=" not in word]
    arguments.program = os.path.abspath(programs[0]) if programs else None
    return arguments


def main():
    arguments = parse()
    cases = [act for act in CASES if arguments.only.replace(" ", "_") in act.__name__]
    if arguments.table or arguments.peer:
        return table(arguments, cases)
    return test(arguments.program, cases)


if __name__ == "__main__":
    sys.exit(main())
