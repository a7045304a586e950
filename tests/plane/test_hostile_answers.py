"""What a hostile upstream sends: no client reads more, or other, answers than it asked for.

Every case runs on cold and on warm head caches, and another client asks behind it.
"""

from __future__ import annotations

import pytest

from proxy.plane.cache import MOST_HEADS
from proxy.plane.outbound import MOST_INFORMATIONAL
from tests.support.plane import Served, round_trips, route_to, serving
from tests.support.wire import OK, Origin, Wire

GET = b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"
START = b"HTTP/1.1 200 OK\r\n"
COUNTED = START + b"Content-Length: 2\r\n"
CODED = START + b"Transfer-Encoding: chunked\r\n"
BOTH = COUNTED + b"Transfer-Encoding: chunked\r\n"
EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"

UNTRUSTED = {
    "a bare LF before a second head": START + b"A: b\n\n" + EVIL,
    "a bare CR before a second head": COUNTED + b"A: b\r\r" + EVIL,
    "a head that bare LFs end": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok\r\n\r\n",
    "an LF in a value": COUNTED + b"A: b\nSet-Cookie: evil=1\r\n\r\nok",
    "a CR in a value": COUNTED + b"A: b\rSet-Cookie: evil=1\r\n\r\nok",
    "a NUL in a value": COUNTED + b"A: \x00\r\n\r\nok",
    "an LF in the reason": b"HTTP/1.1 200 O\nK\r\nContent-Length: 2\r\n\r\nok",
    "obsolete folding": COUNTED + b"A: b\r\n c\r\n\r\nok",
    "folded framing": START + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": START + b"Content-Length : 2\r\n\r\nok",
    "both framings": CODED + b"Content-Length: 2\r\n\r\n0\r\n\r\n",
    "both framings, the other way round": COUNTED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": COUNTED + b"Content-Length: 4\r\n\r\nevil",
    "two equal lengths": COUNTED + b"Content-Length: 2\r\n\r\nok",
    "a list of lengths": START + b"Content-Length: 2, 4\r\n\r\nevil",
    "a length with a plus": START + b"Content-Length: +2\r\n\r\nok",
    "a negative length": START + b"Content-Length: -1\r\n\r\n",
    "a length beyond all numbers": START + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
    "two codings": CODED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a coding we do not know": START + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": CODED.replace(b"1.1", b"1.0") + b"\r\n0\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "a status that is none": b"HTTP/1.1 099 OK\r\n\r\n",
    "a switch that nobody asked for": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n" + EVIL,
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "no HTTP at all": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "an empty line before the head": b"\r\n\r\n" + OK,
    "a head that does not end": START + b"A: " + b"a" * 70_000,
    "fields that do not end": START + b"A: b\r\n" * 20_000,
    "more fields than the limit": START + b"A: b\r\n" * 101 + b"\r\n",
    "chunks that are none": CODED + b"\r\nnonsense\r\n",
    "a chunk size in 0x": CODED + b"\r\n0x4\r\nevil\r\n0\r\n\r\n",
    "a chunk size beyond 64 bits": CODED + b"\r\n1" + b"0" * 16 + b"\r\n",
    "a chunk longer than its size": CODED + b"\r\n2\r\nevil\r\n0\r\n\r\n",
    "a bare LF behind a chunk size": CODED + b"\r\n4\nevil\r\n0\r\n\r\n",
    "a chunk extension that does not end": CODED + b"\r\n4;" + b"a" * 5000,
    "a flood of 1xx": b"HTTP/1.1 100 Continue\r\n\r\n" * (MOST_INFORMATIONAL + 1) + OK,
    "1xx with both framings": BOTH.replace(b"200", b"100") + b"\r\n" + OK,
}  # fmt: skip


async def ask(upstream: Origin, client: Wire, answer: bytes) -> Wire:
    """One request to a connection of the upstream that is either known or new."""
    client.send(GET)
    wire, _ = await upstream.request()
    wire.send(answer)
    return wire


async def check_that_the_next_is_served(served: Served, upstream: Origin) -> None:
    """Another client asks, on another upstream connection, and gets its own answer."""
    before = upstream.accepted
    other = await served.connect()
    await ask(upstream, other, OK)
    assert (await other.response()).body == b"ok"
    assert upstream.accepted == before + 1


@pytest.mark.parametrize("answer", UNTRUSTED.values(), ids=UNTRUSTED)
async def test_an_answer_that_two_readers_could_count_differently_is_never_passed_on(
    upstream: Origin, answer: bytes
) -> None:
    async with serving(route_to(upstream.port)) as served:
        for _ in range(2):  # the second time on warm caches
            client = await served.connect()
            wire = await ask(upstream, client, answer)
            got = await client.response()
            while got.status == 100:
                got = await client.response()
            assert got.status == 502
            assert got.head.one(b"proxy-status") == b"token-sidecar; error=http_protocol_error"
            client.end()
            assert await client.gone() == b""
            await wire.gone()
        await check_that_the_next_is_served(served, upstream)


BEHIND = {
    "a counted body": OK,
    "chunks": CODED + b"\r\n2\r\nok\r\n0\r\n\r\n",
    "chunks with trailers": CODED + b"\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n",
    "no body at all": START + b"Content-Length: 0\r\n\r\n",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "204 with a length": b"HTTP/1.1 204 No Content\r\nContent-Length: 38\r\n\r\n",
    "304 with a length": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 38\r\n\r\n",
}


@pytest.mark.parametrize("extra", [EVIL, b"\r\n", b"x", b"HTTP/1.1 100 Continue\r\n\r\n"])
@pytest.mark.parametrize("answer", BEHIND.values(), ids=BEHIND)
@pytest.mark.parametrize("late", [False, True], ids=["together", "afterwards"])
async def test_what_comes_behind_an_answer_reaches_nobody(
    upstream: Origin, answer: bytes, extra: bytes, late: bool
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.connect()
        wire = await ask(upstream, client, answer + (b"" if late else extra))
        got = await client.response()
        assert b"evil" not in got.body
        if late:
            wire.send(extra)
            await wire.gone()
        await check_that_the_next_is_served(served, upstream)
        client.send(GET)  # on the connection that the check has left in the pool
        await round_trips(served, 2)
        client.end()
        assert b"evil" not in await client.gone()


async def test_a_body_behind_the_answer_to_head_reaches_nobody(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET.replace(b"GET", b"HEAD"))
        wire, _ = await upstream.request()
        wire.send(EVIL, EVIL)
        assert (await client.response(to_head=True)).status == 200
        await check_that_the_next_is_served(served, upstream)
        client.end()
        assert await client.gone() == b""


LIES = {
    "a length that is too large": COUNTED.replace(b"2", b"9") + b"\r\nok",
    "a chunk that is too short": CODED + b"\r\n9\r\nok",
    "chunks without an end": CODED + b"\r\n2\r\nok\r\n",
    "chunks without a last line": CODED + b"\r\n2\r\nok\r\n0\r\n",
    "a chunk that turns into nonsense": CODED + b"\r\n2\r\nok\r\n\r\n",
}


@pytest.mark.parametrize("answer", LIES.values(), ids=LIES)
@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
async def test_a_lying_length_cuts_the_client_and_never_passes_for_whole(
    upstream: Origin, answer: bytes, version: bytes
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET.replace(b"1.1", version))
        wire, _ = await upstream.request()
        head, _, body = answer.partition(b"\r\n\r\n")
        wire.send(head, b"\r\n\r\n")
        await client.head()
        wire.send(body)
        await round_trips(served, 2)
        wire.close()
        with pytest.raises(ConnectionResetError):
            await client.rest()
        await check_that_the_next_is_served(served, upstream)


async def test_answers_that_differ_by_one_byte_are_not_taken_for_each_other(
    upstream: Origin,
) -> None:
    near = [COUNTED + b"A: %d\r\n\r\nok" % n for n in range(MOST_HEADS + 10)]
    near += [head.replace(b": 2", b": 02") for head in near[:5]]
    async with serving(route_to(upstream.port)) as served:
        client, wire = await served.connect(), None
        for answer in [*near, *near[:5]]:
            client.send(GET)
            wire = wire or await upstream.accept()
            await wire.head()
            wire.send(answer)
            assert await client.exactly(len(answer)) == answer
        client.send(GET)
        await wire.head()
        wire.send(near[-1].replace(b"A:", b"A :"))
        assert (await client.response()).status == 502


async def test_heads_that_share_a_key_with_a_sound_one_are_still_judged(upstream: Origin) -> None:
    """A key has the length's digits cut out: what is left of a broken one must not equal it."""
    broken = [b"", b" ", b" +2", b" 2 2", b" 2,2", b"\t2\x0b", b" 2\n", b" 2\r\n ", b" 2\r\r\n A:"]
    async with serving(route_to(upstream.port)) as served:
        for length in broken:
            client = await served.connect()
            wire = await ask(upstream, client, OK)
            await client.response()
            client.send(GET)
            await wire.head()
            wire.send(OK.replace(b" 2", length))
            assert (await client.response()).status == 502
            await wire.gone()
