"""An upstream that fails or lies: the client gets a problem or a cut, never a well-formed lie."""

from __future__ import annotations

import pytest

from tests.support.plane import bound, round_trips, route_to, serving
from tests.support.wire import OK, Origin

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def test_an_upstream_that_refuses_is_a_502() -> None:
    sock, address = bound()  # nobody listens, and nobody else gets it
    async with serving(route_to(address.port)) as served:
        client = await served.ask(GET)
        answer = await client.response()
        assert answer.status == 502
        assert answer.head.one(b"proxy-status") == b"token-sidecar; error=connection_refused"
        client.send(GET)
        assert (await client.response()).status == 502
    sock.close()


@pytest.mark.parametrize(
    "sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 100 Continue\r\n\r\n"]
)
@pytest.mark.parametrize("way", ["close", "reset"])
async def test_an_upstream_that_breaks_off_before_its_answer_is_a_502(
    upstream: Origin, sent: bytes, way: str
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(sent)
        if sent.endswith(b"\r\n\r\n"):
            await client.head()
        getattr(wire, way)()
        answer = await client.response()
        assert answer.status == 502
        assert answer.head.one(b"proxy-status") == b"token-sidecar; error=connection_terminated"
        client.send(GET)
        wire, _ = await upstream.request()
        wire.send(OK)
        assert (await client.response()).body == b"ok"


BROKEN_BODIES = [
    b"Content-Length: 9\r\n\r\nabc",
    b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n3\r\nab",
    b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
]


@pytest.mark.parametrize("sent", BROKEN_BODIES)
@pytest.mark.parametrize("way", ["close", "reset"])
@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
async def test_a_body_that_breaks_off_cuts_the_client(
    upstream: Origin, sent: bytes, way: str, version: bytes
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(b"GET / ", version, b"\r\nHost: localhost\r\n\r\n")
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 200 OK\r\n", sent)
        assert (await client.head()).status == 200
        getattr(wire, way)()
        with pytest.raises(ConnectionResetError):
            await client.rest()
        record = await served.record()
        assert (record.status, record.error is not None) == (200, True)


async def test_a_body_without_length_that_is_reset_cuts_the_client(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
        await client.head()
        assert await client.chunk() == b"abc"
        wire.reset()
        with pytest.raises(ConnectionResetError):
            await client.rest()


async def test_chunks_that_turn_into_nonsense_cut_the_client(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await client.head()
        assert await client.chunk() == b"abc"
        wire.send(b"oops\r\n")
        with pytest.raises(ConnectionResetError):
            await client.rest()
        await wire.gone()


BAD_ANSWERS = [
    b"nonsense\r\n\r\n",
    b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: 1\r\n folded\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n",
    b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1 2000 OK\r\n\r\n",
    b"HTTP/2 200 OK\r\n\r\n",
    b"HTTP/1.1  200 OK\r\n\r\n",
    b"ICY 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: " + b"a" * 70_000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"A: 1\r\n" * 101 + b"\r\n",
    b"HTTP/1.1 103 Early Hints\r\n\r\n" * 40,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
    b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
]


@pytest.mark.parametrize("answer", BAD_ANSWERS)
async def test_an_answer_that_can_not_be_trusted_is_a_502_and_its_connection_is_cut(
    upstream: Origin, answer: bytes
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(answer)
        got = await client.response()
        while got.status == 103:
            got = await client.response()
        assert got.status == 502
        assert got.head.one(b"proxy-status") == b"token-sidecar; error=http_protocol_error"
        await wire.gone()


SECOND = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"


@pytest.mark.parametrize(
    "first",
    [
        OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 38\r\n\r\n",
    ],
)
@pytest.mark.parametrize("together", [True, False])
async def test_a_second_answer_that_nobody_asked_for_reaches_nobody(
    upstream: Origin, first: bytes, together: bool
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(first, SECOND if together else b"")
        await client.response()
        if not together:
            wire.send(SECOND)
            await round_trips(served, 3)
        other = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(OK)
        assert (await other.response()).body == b"ok"
        assert upstream.accepted == 2


async def test_a_body_behind_the_answer_to_a_head_request_reaches_nobody(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wire, _ = await upstream.request()
        wire.send(SECOND)
        await client.response(to_head=True)
        client.send(GET)
        wire, _ = await upstream.request()
        wire.send(OK)
        assert (await client.response()).body == b"ok"


async def test_bytes_on_an_idle_connection_end_it(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(OK)
        await client.response()
        wire.send(b"HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n")
        await wire.gone()
        client.send(GET)
        wire, _ = await upstream.request()
        wire.send(OK)
        assert (await client.response()).body == b"ok"


async def test_a_post_whose_pooled_connection_dies_is_not_sent_twice(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(OK)
        await client.response()
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\na")
        await wire.request()
        wire.reset()
        assert (await client.response()).status == 502
        await round_trips(served)
        assert upstream.accepted == 1
