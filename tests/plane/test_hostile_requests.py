"""Requests that must be refused: each with its status, the connection's end, nothing forwarded.

All of them run twice: alone, and behind a sound request that has warmed the head caches.
"""

from __future__ import annotations

import pytest

from proxy.plane.cache import MOST_HEADS
from tests.support.plane import round_trips, route_to, serving
from tests.support.wire import OK, Message, Origin, Wire

LOCAL = b"Host: localhost\r\n"
GET = b"GET /x HTTP/1.1\r\n" + LOCAL
POST = b"POST /x HTTP/1.1\r\n" + LOCAL
CODED = b"Transfer-Encoding: chunked\r\n"
CHUNKED = POST + CODED
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


def to(target: bytes) -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\n" + LOCAL + b"\r\n"


def at(host: bytes) -> bytes:
    return b"GET /x HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"


TWO_FRAMINGS = {
    "length, then chunks": POST + b"Content-Length: 4\r\n" + CODED + b"\r\n0\r\n\r\n",
    "chunks, then length": CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n",
    "a length of 0 beside chunks": CHUNKED + b"Content-Length: 0\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "two lengths": POST + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
    "two equal lengths": POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "two lengths, one spelled small": POST + b"content-length: 3\r\nContent-Length: 5\r\n\r\nabcde",
    "a list of lengths": POST + b"Content-Length: 5, 5\r\n\r\nabcde",
    "a length with a plus": POST + b"Content-Length: +5\r\n\r\nabcde",
    "a length with a minus": POST + b"Content-Length: -5\r\n\r\nabcde",
    "a length in hex": POST + b"Content-Length: 0x5\r\n\r\nabcde",
    "a length with an underscore": POST + b"Content-Length: 1_0\r\n\r\n0123456789",
    "a length in other digits": POST + "Content-Length: ５\r\n\r\nabcde".encode(),
    "a length with a unit": POST + b"Content-Length: 5 bytes\r\n\r\nabcde",
    "an empty length": POST + b"Content-Length:\r\n\r\n" + SMUGGLED,
    "a length beyond all numbers": POST + b"Content-Length: 99999999999999999999\r\n\r\n",
    "a length behind a vertical tab": POST + b"Content-Length: \x0b5\r\n\r\nabcde",
    "two codings": CHUNKED + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "chunked twice": CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked behind a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked before another": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "identity": POST + b"Transfer-Encoding: identity\r\n\r\n",
    "a coding in quotes": POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "an empty coding": POST + b"Transfer-Encoding:\r\n\r\n" + SMUGGLED,
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a tab before the colon": POST + b"Content-Length\t: 5\r\n\r\nabcde",
    "a folded coding": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a folded length": POST + b"Content-Length: 3\r\n 8\r\n\r\n" + SMUGGLED,
    "chunks in HTTP/1.0": b"POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}  # fmt: skip
CHUNKS = {
    "a size in 0x": b"0x5\r\nabcde\r\n",
    "a size with a plus": b"+5\r\nabcde\r\n",
    "a size with a minus": b"-1\r\n",
    "a size with a space before it": b" 5\r\nabcde\r\n",
    "a size with a space behind it": b"5 \r\nabcde\r\n",
    "a size with an underscore": b"1_0\r\n0123456789abcdef\r\n",
    "no size": b"\r\nabcde\r\n",
    "a size beyond 64 bits": b"10000000000000005\r\nabcde\r\n",
    "a size of many zeros": b"0" * 30 + b"5\r\nabcde\r\n",
    "a bare LF behind the size": b"5\nabcde\r\n",
    "a bare CR behind the size": b"5\rabcde\r\n",
    "a bare LF behind the chunk": b"5\r\nabcde\n0\r\n\r\n",
    "a chunk longer than its size": b"3\r\nabcde\r\n0\r\n\r\n",
    "a chunk shorter than its size": b"7\r\nabcde\r\n0\r\n\r\n",
    "a bare LF in an extension": b"5;a\nb\r\nabcde\r\n0\r\n\r\n",
    "a NUL in an extension": b"5;\x00\r\nabcde\r\n0\r\n\r\n",
    "an endless extension": b"5;" + b"a" * 5000,
    "a bare LF at the end": b"0\n\n",
    "a bare LF in the trailers": b"0\r\nA: 1\nB: 2\r\n\r\n",
    "a folded trailer": b"0\r\nA: 1\r\n B\r\n\r\n",
    "a trailer without a colon": b"0\r\nnonsense\r\n\r\n",
}
BYTES = {
    "bare LF": b"GET /x HTTP/1.1\nHost: localhost\n\n",
    "bare LF but for the empty line": b"GET /x HTTP/1.1\nHost: localhost\n\r\n",
    "a bare LF between fields": GET + b"A: 1\nB: 2\r\n\r\n",
    "a bare LF before a second request": GET + b"A: 1\n\n" + SMUGGLED,
    "a bare CR between fields": GET + b"A: 1\rB: 2\r\n\r\n",
    "a bare CR at the end of a line": GET + b"A: 1\r\r\n\r\n",
    "obsolete folding": GET + b"A: 1\r\n B: 2\r\n\r\n",
    "obsolete folding with a tab": GET + b"A: 1\r\n\tB: 2\r\n\r\n",
    "a folded first field": b"GET /x HTTP/1.1\r\n " + LOCAL + b"\r\n",
    "a space before a colon": GET + b"A : 1\r\n\r\n",
    "a NUL in a value": GET + b"A: a\x00b\r\n\r\n",
    "a NUL in a name": GET + b"A\x00: 1\r\n\r\n",
    "DEL in a value": GET + b"A: \x7f\r\n\r\n",
    "a form feed in a value": GET + b"A: \x0c\r\n\r\n",
    "an escape in a value": GET + b"A: \x1b[2J\r\n\r\n",
    "a name with a space": GET + b"A B: 1\r\n\r\n",
    "a name with a slash": GET + b"A/B: 1\r\n\r\n",
    "a name with obs-text": GET + b"\xc3\xa4: 1\r\n\r\n",
    "no name": GET + b": 1\r\n\r\n",
    "no colon": GET + b"nonsense\r\n\r\n",
    "a method that is no token": b"G(T /x HTTP/1.1\r\n" + LOCAL + b"\r\n",
    "no method": b" /x HTTP/1.1\r\n" + LOCAL + b"\r\n",
    "two spaces": b"GET  /x HTTP/1.1\r\n" + LOCAL + b"\r\n",
    "a tab for a space": b"GET\t/x HTTP/1.1\r\n" + LOCAL + b"\r\n",
    "a space in the target": to(b"/x y"),
    "HTTP/0.9": b"GET /x\r\n\r\n",
    "a version in small letters": b"GET /x http/1.1\r\n" + LOCAL + b"\r\n",
    "a version of two digits": b"GET /x HTTP/1.10\r\n" + LOCAL + b"\r\n",
    "a version without a point": b"GET /x HTTP/11\r\n" + LOCAL + b"\r\n",
    "a TLS handshake": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n",
}
TARGETS = [
    b"/..", b"/.", b"/x/..", b"/x/../y", b"/x/./y", b"/%2e%2e/y", b"/%2E./y", b"/.%2e/y",
    b"/x/..%2fy", b"/x%2f..%2fy", b"/x%5c..%5cy", b"/%252e%252e/y", b"/%25252e%25252e/y",
    b"/..;/y", b"/x/..;a=b/y", b"/%c0%ae%c0%ae/y", b"/%e0%80%ae./y", b"/x\\y", b"/\\evil.example",
    b"\\x", b"/x#y", b"/#", b"/?#", b"/x%00", b"/x%0d%0aSet-Cookie:a", b"/x%0a", b"//evil.example",
    b"//", b"http://localhost//evil.example/", b"/\xc3\xa4", b"/\x7f", b"x", b"*", b"?x",
    b"localhost:80", b"ftp://localhost/x", b"file:///etc/passwd", b"http:/x", b"http:localhost/x",
    b"http://localhost@evil.example/x", b"http://evil.example@localhost/x", b"http://u:p@localhost/",
    b"http://localhost#@evil.example/", b"http://localhost\\@evil.example/", b"http:///x",
    b"http://localhost:80:80/", b"http://localhost:port/", b"http://[::1/", b"http://localhost%2f/",
]  # fmt: skip
HOSTS = {
    "missing": b"GET /x HTTP/1.1\r\n\r\n",
    "double": b"GET /x HTTP/1.1\r\n" + LOCAL + LOCAL + b"\r\n",
    "double, one spelled otherwise": b"GET /x HTTP/1.1\r\n" + LOCAL + b"hOST: evil\r\n\r\n",
    "double beside CONNECT": b"CONNECT localhost:443 HTTP/1.1\r\n" + LOCAL + LOCAL + b"\r\n",
    "missing beside TRACE": b"TRACE /x HTTP/1.1\r\n\r\n",
    "empty": at(b""),
    "a list": at(b"localhost, evil.example"),
    "with userinfo": at(b"evil.example@localhost"),
    "with a password": at(b"u:p@localhost"),
    "with a path": at(b"localhost/x"),
    "with a fragment": at(b"localhost#"),
    "with a space": at(b"localhost evil.example"),
    "with obs-text": at(b"l\xf6calhost"),
    "with a broken port": at(b"localhost:80x"),
    "with a broken literal": at(b"[::1"),
}
BAD_REQUEST = {
    **TWO_FRAMINGS,
    **{name: CHUNKED + b"\r\n" + chunks for name, chunks in CHUNKS.items()},
    **BYTES,
    **{f"the target {target!r}": to(target) for target in TARGETS},
    **{f"Host {name}": request for name, request in HOSTS.items()},
}
OTHERS = {
    "a coding besides chunked": (501, POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "HTTP/2.0": (505, b"GET /x HTTP/2.0\r\n" + LOCAL + b"\r\n"),
    "HTTP/1.2": (505, b"GET /x HTTP/1.2\r\n" + LOCAL + b"\r\n"),
    "HTTP/0.9 with its name": (505, b"GET /x HTTP/0.9\r\n" + LOCAL + b"\r\n"),
    "the preface of HTTP/2": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "a target of 9 KiB": (414, to(b"/" + b"x" * 9000)),
    "a head of 65 KiB": (431, GET + b"A: " + b"a" * 65_600 + b"\r\n\r\n"),
    "a head of 65 KiB that does not end": (431, GET + b"A: " + b"a" * 65_600),
    "101 fields": (431, GET + b"A: 1\r\n" * 100 + b"\r\n"),
    "a body over the bound": (413, POST + b"Content-Length: 11\r\n\r\n"),
    "chunks over the bound": (413, CHUNKED + b"\r\nb\r\n01234567890\r\n0\r\n\r\n"),
}
CLOSING = {**{name: (400, request) for name, request in BAD_REQUEST.items()}, **OTHERS}
FOREIGN = [
    b"evil.example", b"localhost.evil.example", b"127.0.0.1.evil.example", b"evillocalhost",
    b"127.0.0.1.nip.io", b"localtest.me", b"1.0.0.127.in-addr.arpa", b"0.0.0.0", b"[::]",
    b"127.0.0.2", b"127.1", b"2130706433", b"0x7f.1", b"0177.0.0.1", b"[::ffff:127.0.0.1]",
    b"localhost.", b"upstream.example", b"169.254.169.254", b"metadata.google.internal",
]  # fmt: skip
PAGES = {
    "another site's Origin": b"Origin: https://evil.example\r\n",
    "an opaque Origin": b"Origin: null\r\n",
    "an empty Origin": b"Origin:\r\n",
    "an Origin of a port beside ours": b"Origin: http://localhost:3000\r\n",
    "a cross-site fetch": b"Sec-Fetch-Site: cross-site\r\n",
    "a same-site fetch": b"Sec-Fetch-Site: same-site\r\n",
    "two answers about the site": b"Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n",
    "a form of another site": b"Origin: https://evil.example\r\nSec-Fetch-Mode: navigate\r\n",
}
STAYING = {
    **{f"the Host {host!r}": (421, at(host)) for host in FOREIGN},
    **{f"a URL for {host!r}": (421, to(b"http://" + host + b"/x")) for host in FOREIGN},
    "a port that is not ours": (421, at(b"localhost:1")),
    **{name: (403, GET + page + b"\r\n") for name, page in PAGES.items()},
    "CONNECT": (405, b"CONNECT localhost:443 HTTP/1.1\r\n" + LOCAL + b"\r\n"),
    "TRACE": (405, b"TRACE /x HTTP/1.1\r\n" + LOCAL + b"\r\n"),
}


async def answered(upstream: Origin, client: Wire) -> Wire:
    """One sound request after which the upstream's connection is known."""
    client.send(GET, b"\r\n")
    wire, _ = await upstream.request()
    wire.send(OK)
    assert (await client.response()).body == b"ok"
    return wire


def is_ours(answer: Message, status: int) -> bool:
    """Whether it is the sidecar's own word, with this status."""
    told = answer.head.one(b"proxy-status") or b""
    return answer.status == status and told.startswith(b"token-sidecar; error=")


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
@pytest.mark.parametrize(("status", "request_"), CLOSING.values(), ids=CLOSING)
async def test_what_can_not_be_read_safely_is_refused_and_the_connection_closed(
    upstream: Origin, status: int, request_: bytes, warm: bool
) -> None:
    async with serving(route_to(upstream.port, max_body=10)) as served:
        client = await served.connect()
        wire = await answered(upstream, client) if warm else None
        client.send(request_, SMUGGLED)
        answer = await client.response()
        assert is_ours(answer, status), answer
        assert answer.head.one(b"connection") == b"close"
        client.send(SMUGGLED)
        client.end()
        assert await client.gone() == b""  # what came behind it was not answered
        await round_trips(served, 2)
        assert upstream.accepted == int(warm)
        if wire:
            await served.plane.close()
            assert b"smuggled" not in await wire.gone()


@pytest.mark.parametrize(("status", "request_"), STAYING.values(), ids=STAYING)
async def test_what_is_sound_but_not_allowed_is_refused_and_the_next_request_served(
    upstream: Origin, status: int, request_: bytes
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(request_, request_)
        for _ in range(2):  # the second one out of the cache
            answer = await client.response()
            assert is_ours(answer, status), answer
        assert upstream.accepted == 0
        await answered(upstream, client)


@pytest.mark.parametrize("behind", [b"", b"a", b"\r\n", b"GET /"])
@pytest.mark.parametrize("end", [b"\n\n", b"\n\r\n", b"\n\r\n\r"])
async def test_a_head_with_another_end_is_not_taken_for_a_remembered_one(
    upstream: Origin, end: bytes, behind: bytes
) -> None:
    head = b"POST /x HTTP/1.1\r\nContent-Length: 3\r\nHost: localhost"
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(head, b"\r\n\r\nabc")
        wire, _ = await upstream.request()
        wire.send(OK)
        await client.response()
        client.send(head, end, behind)
        assert is_ours(await client.response(), 400)


async def test_an_answer_that_closes_arrives_though_more_is_sent_behind_its_request(
    upstream: Origin,
) -> None:
    closing = GET + b"Connection: close\r\n\r\n"
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(closing, SMUGGLED)
        wire, _ = await upstream.request()
        wire.send(OK)
        await served.record()
        client.send(SMUGGLED * 1000)
        await round_trips(served)
        assert (await client.response()).body == b"ok"
        client.end()
        assert await client.rest() == b""
        assert upstream.accepted == 1


async def test_any_number_of_empty_lines_before_a_request_is_forgiven(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(b"\r\n" * 5)
        await round_trips(served, 2)
        client.send(b"\r\n\r\n\r")
        await round_trips(served, 2)
        client.send(b"\n")
        await answered(upstream, client)


async def test_a_client_that_sends_an_empty_line_behind_its_body_may_stay_idle(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.connect()
        await answered(upstream, client)
        client.send(b"\r\n")
        await round_trips(served, 2)
        served.clock.move(60)
        assert not client.reader.at_eof()
        client.send(GET, b"\r\n")
        await upstream.accept()


async def test_a_refused_head_is_refused_again_however_many_came_between(upstream: Origin) -> None:
    near = [GET + b"A: %d\r\n\r\n" % number for number in range(2 * MOST_HEADS + 1)]
    async with serving(route_to(upstream.port)) as served:
        client = await served.connect()
        wire = await answered(upstream, client)
        for request in near:
            client.send(request)
            assert request.endswith((await wire.head()).lines[-2] + b"\r\n\r\n")
            wire.send(OK)
            await client.response()
        for request in (near[0], near[-1]):  # one that was forgotten, one that is remembered
            bad = await served.ask(request[:-2], b"Transfer-Encoding : chunked\r\n\r\n")
            assert is_ours(await bad.response(), 400)
            bad = await served.ask(request.replace(b"A: ", b"A:\x00"))
            assert is_ours(await bad.response(), 400)
        assert upstream.accepted == 1
