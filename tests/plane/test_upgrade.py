"""A websocket's tunnel: credential on the handshake, then bytes, each side's end by itself."""

from __future__ import annotations

import pytest

from tests.support.plane import Served, round_trips, route_to, serving
from tests.support.wire import OK, Origin, Wire, noise, until

ASK = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: y\r\n\r\n"
)


async def tunnel(served: Served, upstream: Origin) -> tuple[Wire, Wire]:
    client = await served.ask(ASK)
    wire, _ = await upstream.request()
    wire.send(SWITCH)
    assert (await client.head()).status == 101
    return client, wire


async def test_the_handshake_carries_the_credential_and_the_upgrade(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(ASK)
        wire, request = await upstream.request()
        assert request.head.lines == (
            b"Host: upstream.example",
            b"Sec-WebSocket-Key: x",
            b"Sec-WebSocket-Version: 13",
            b"Connection: Upgrade",
            b"Upgrade: websocket",
            b"Authorization: Bearer token-1",
        )
        wire.send(SWITCH)
        head = await client.head()
        assert head.start == b"HTTP/1.1 101 Switching Protocols"
        assert sorted(head.lines) == [
            b"Connection: Upgrade",
            b"Sec-WebSocket-Accept: y",
            b"Upgrade: websocket",
        ]


async def test_bytes_pass_both_ways_whatever_they_are(upstream: Origin) -> None:
    data = noise(500_000)
    async with serving(route_to(upstream.port)) as served:
        client, wire = await tunnel(served, upstream)
        client.send(data)
        assert await wire.exactly(len(data)) == data
        wire.send(data)
        assert await client.exactly(len(data)) == data


async def test_early_bytes_of_both_sides_are_not_lost(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(ASK, b"early-up")
        wire, _ = await upstream.request()
        wire.send(SWITCH, b"early-down")
        await client.head()
        assert await client.exactly(10) == b"early-down"
        assert await wire.exactly(8) == b"early-up"


async def test_the_clients_end_passes_and_the_upstream_may_still_speak(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client, wire = await tunnel(served, upstream)
        client.send(b"last")
        client.end()
        assert await wire.rest() == b"last"
        wire.send(b"answer")
        wire.close()
        assert await client.rest() == b"answer"
        record = await served.record()
        assert (record.status, record.bytes_in, record.bytes_out) == (101, 4, 6)


async def test_the_upstreams_end_passes_and_the_client_may_still_speak(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client, wire = await tunnel(served, upstream)
        wire.end()
        assert await client.rest() == b""
        client.send(b"more")
        assert await wire.exactly(4) == b"more"
        client.close()
        assert await wire.rest() == b""


@pytest.mark.parametrize("side", ["client", "upstream"])
async def test_a_reset_of_one_side_ends_the_other(upstream: Origin, side: str) -> None:
    async with serving(route_to(upstream.port)) as served:
        client, wire = await tunnel(served, upstream)
        one, other = (client, wire) if side == "client" else (wire, client)
        one.reset()
        assert await other.gone() == b""
        await until(lambda: not served.plane.in_flight)


async def test_a_slow_side_holds_back_the_other(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client, wire = await tunnel(served, upstream)
        block = noise(40 << 20)
        wire.send(block)
        await until(lambda: stuck(served))
        await round_trips(served)
        held = sum(i.transport.get_write_buffer_size() for i in served.plane.inbounds)
        assert held < 2 << 20
        assert wire.unsent > 8 << 20
        assert await client.exactly(len(block)) == block


def stuck(served: Served) -> bool:
    return any(i.transport.get_write_buffer_size() for i in served.plane.inbounds)


async def test_an_upgrade_that_the_upstream_does_not_take_is_an_ordinary_answer(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(ASK)
        wire, _ = await upstream.request()
        wire.send(OK)
        assert (await client.response()).body == b"ok"
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await wire.request()
        wire.send(OK)
        assert (await client.response()).body == b"ok"


async def test_a_switch_that_nobody_asked_for_is_a_bad_answer(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wire, _ = await upstream.request()
        wire.send(SWITCH, b"smuggled")
        assert (await client.response()).status == 502
        await wire.gone()


async def test_an_upgrade_to_something_else_is_not_passed_on(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        await served.ask(ASK.replace(b"Upgrade: websocket", b"Upgrade: h2c"))
        _, request = await upstream.request()
        assert request.head.one(b"upgrade") is None
        assert request.head.one(b"connection") is None


async def test_http_1_0_can_not_upgrade(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        await served.ask(ASK.replace(b"HTTP/1.1", b"HTTP/1.0"))
        _, request = await upstream.request()
        assert request.head.one(b"upgrade") is None


async def test_a_slow_upstream_holds_back_the_client_of_a_tunnel(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client, wire = await tunnel(served, upstream)
        block = noise(40 << 20)
        client.send(block)
        await round_trips(served)
        assert client.unsent > 8 << 20
        assert await wire.exactly(len(block)) == block
