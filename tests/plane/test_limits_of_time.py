"""Nobody may be slow for ever: heads, bodies, connecting, answering."""

from __future__ import annotations

import socket

import pytest

from tests.support.plane import round_trips, route_to, serving, upstream_at
from tests.support.wire import OK, Origin, until

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


async def test_a_head_that_is_not_complete_in_time_is_a_408(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(b"GET / HT")
        await round_trips(served, 3)
        for piece in (b"TP/1.1\r\n", b"Host: localhost\r\n"):  # bytes that drip buy no time
            served.clock.move(4)
            client.send(piece)
            await round_trips(served, 3)
        served.clock.move(4)
        answer = await client.response()
        assert answer.status == 408
        assert answer.head.one(b"connection") == b"close"
        await client.gone()


async def test_an_idle_connection_may_wait_longer_than_a_head_may_take(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(b"")
        await until(lambda: served.plane.inbounds)
        served.clock.move(200)
        client.send(GET)
        wire, _ = await upstream.request()
        wire.send(OK)
        assert (await client.response()).status == 200


@pytest.mark.parametrize("framing", [b"Content-Length: 9", b"Transfer-Encoding: chunked"])
async def test_a_body_that_stops_arriving_is_a_408_and_cuts_the_upstream(
    upstream: Origin, framing: bytes
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, framing, b"\r\n\r\n3\r\na")
        wire = await upstream.accept()
        await wire.head()
        served.clock.move(29)
        client.send(b"b")
        await round_trips(served, 3)
        served.clock.move(29)  # the clock of idleness began anew with each byte
        await round_trips(served, 3)
        assert served.records.empty()
        served.clock.move(3)
        answer = await client.response()
        assert answer.status == 408
        assert answer.head.one(b"connection") == b"close"
        await wire.gone()


async def test_an_upstream_that_does_not_answer_in_time_is_a_504(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, head_timeout=20)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        served.clock.move(19)
        await round_trips(served, 3)
        assert served.records.empty()
        served.clock.move(3)
        answer = await client.response()
        assert answer.status == 504
        assert answer.head.one(b"proxy-status") == b"token-sidecar; error=http_response_timeout"
        await wire.gone()
        client.send(GET)  # the client's connection is still good
        wire, _ = await upstream.request()
        wire.send(OK)
        assert (await client.response()).status == 200


async def test_an_upstream_that_neither_says_100_nor_anything_else_is_a_504(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port, head_timeout=20)) as served:
        client = await served.ask(POST, b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        wire = await upstream.accept()
        await wire.head()
        served.clock.move(22)
        assert (await client.response()).status == 504
        await wire.gone()


async def test_a_client_may_wait_for_its_100_as_long_as_the_upstream_takes(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        wire = await upstream.accept()
        await wire.head()
        served.clock.move(120)
        wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert (await client.head()).status == 100
        client.send(b"abc")
        assert await wire.exactly(3) == b"abc"
        wire.send(OK)
        assert (await client.response()).status == 200


async def test_after_a_100_a_body_that_does_not_come_is_a_408(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, head_timeout=20)) as served:
        client = await served.ask(POST, b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        wire = await upstream.accept()
        await wire.head()
        wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        await client.head()
        served.clock.move(60)
        assert (await client.response()).status in {408, 504}
        await wire.gone()


async def test_the_time_for_an_answer_begins_when_the_request_is_whole(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, head_timeout=20)) as served:
        client = await served.ask(POST, b"Content-Length: 3\r\n\r\n")
        wire = await upstream.accept()
        await wire.head()
        for piece in (b"a", b"b", b"c"):
            served.clock.move(15)
            client.send(piece)
            assert await wire.exactly(1) == piece
        served.clock.move(15)
        wire.send(OK)
        assert (await client.response()).status == 200


async def test_a_response_body_that_stalls_is_cut(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, idle_timeout=20)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await client.head()
        assert await client.chunk() == b"abc"
        served.clock.move(19)
        wire.send(b"3\r\ndef\r\n")
        assert await client.chunk() == b"def"
        served.clock.move(19)
        await round_trips(served, 3)
        assert served.records.empty()
        served.clock.move(3)
        with pytest.raises(ConnectionResetError):
            await client.rest()
        await wire.gone()
        assert (await served.record()).error == "http_response_timeout"


async def test_an_upstream_that_takes_no_more_of_the_body_is_a_504(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, idle_timeout=20)) as served:
        size = 40 << 20
        client = await served.ask(POST, b"Content-Length: %d\r\n\r\n" % size, b"x" * size)
        wire = await upstream.accept()
        await wire.head()
        await round_trips(served)
        assert client.unsent
        served.clock.move(22)
        assert (await client.response()).status == 504
        await wire.gone()


async def test_a_slow_reader_is_given_up_when_nothing_moves(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, idle_timeout=20)) as served:
        size = 40 << 20
        await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size, b"x" * size)
        await round_trips(served)
        assert wire.unsent
        served.clock.move(22)
        await wire.gone()
        assert (await served.record()).status == 200


async def test_a_connection_that_is_not_made_in_time_is_a_504() -> None:
    silent = socket.socket()  # a backlog that is full: the kernel drops what comes
    silent.bind(("127.0.0.1", 0))
    silent.listen(0)
    port = silent.getsockname()[1]
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
    route = route_to(port, upstream=upstream_at(port, connect_timeout=0.1))
    async with serving(route) as served:
        client = await served.ask(GET)
        answer = await client.response()
        assert answer.status == 504
        assert answer.head.one(b"proxy-status") == b"token-sidecar; error=connection_timeout"
    for sock in (silent, *fillers):
        sock.close()
