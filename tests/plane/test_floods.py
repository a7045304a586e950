"""Many who are slow, or simply many: they are bounded, given up in time, and others are served."""

from __future__ import annotations

import asyncio

from proxy.plane.buffer import SIZE
from proxy.plane.settings import Limits
from tests.support.plane import Served, round_trips, route_to, serving
from tests.support.wire import OK, Origin, Wire, until

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
MANY = 100


async def crowd(served: Served, count: int = MANY) -> list[Wire]:
    """So many clients that have said nothing yet."""
    clients = [await served.connect() for _ in range(count)]
    await until(lambda: len(served.plane.inbounds) >= count)
    return clients


async def check_that_others_are_served(served: Served, upstream: Origin) -> None:
    """One more client gets its answer."""
    client = await served.ask(GET)
    wire, _ = await upstream.request()
    wire.send(OK)
    assert (await client.response()).body == b"ok"


async def test_heads_that_drip_are_answered_408_in_time_and_hold_nobody_up(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        clients = await crowd(served)
        for byte in range(9):
            for client in clients:
                client.send(GET[byte : byte + 1])
            await round_trips(served, 3)
            served.clock.move(1)
        assert len(served.plane.inbounds) >= MANY
        await check_that_others_are_served(served, upstream)
        served.clock.move(3)
        for client in clients:
            assert (await client.response()).status == 408
            client.close()
        await until(lambda: len(served.plane.inbounds) < MANY / 2)
        assert upstream.accepted == 1


async def test_bodies_that_stop_are_given_up_in_time_and_hold_nobody_up(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        clients = await crowd(served)
        for client in clients:
            client.send(POST, b"a")
        wires = [await upstream.accept() for _ in clients]
        await check_that_others_are_served(served, upstream)
        served.clock.move(32)
        for client in clients:
            assert (await client.response()).status == 408
            client.close()
        for wire in wires:
            await wire.gone()
        await until(lambda: not served.plane.in_flight and len(served.plane.inbounds) <= 2)
        assert served.plane.budget._left == served.settings.limits.replay_budget


async def test_readers_that_do_not_read_hold_one_buffer_each_and_hold_nobody_up(
    upstream: Origin,
) -> None:
    body = b"x" * (4 << 20)
    async with serving(route_to(upstream.port)) as served:
        clients = [await served.connect(receive_buffer=4096) for _ in range(20)]
        for client in clients:
            client.send(GET)
            wire = await upstream.accept()
            await wire.head()
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)
        await round_trips(served, 100)
        inbounds = list(served.plane.inbounds)
        kept = [inbound.transport.get_write_buffer_size() for inbound in inbounds]
        assert max(kept) <= SIZE + 1024
        assert sum(size > 0 for size in kept) == len(clients)
        await check_that_others_are_served(served, upstream)
        served.clock.move(310)
        for client in clients:
            assert len(await client.gone()) < len(body)
        await until(lambda: not served.plane.in_flight)


async def test_a_thousand_idle_connections_cost_the_live_ones_nothing(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        idle = await crowd(served, 1000)
        busy, wire = await served.connect(), None
        for _ in range(100):
            busy.send(GET)
            wire = wire or await upstream.accept()
            await wire.head()
            wire.send(OK)
            assert (await busy.response()).body == b"ok"
        assert upstream.accepted == 1
        served.clock.move(302)
        for client in idle:
            assert await client.rest() == b""
        await until(lambda: len(served.plane.inbounds) <= 1)


async def test_who_comes_over_the_limit_is_told_and_those_inside_are_served(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port), limits=Limits(connections=20)) as served:
        inside = await crowd(served, 20)
        outside = [await served.ask(GET) for _ in range(MANY)]
        for client in outside:
            answer = await client.response()
            assert (answer.status, answer.head.one(b"retry-after")) == (503, b"1")
            client.close()
        await until(lambda: len(served.plane.inbounds) == 20)
        inside[0].send(GET)
        wire, _ = await upstream.request()
        wire.send(OK)
        assert (await inside[0].response()).body == b"ok"
        inside.pop().close()
        await until(lambda: len(served.plane.inbounds) == 19)
        late = await served.ask(GET)
        await wire.head()
        wire.send(OK)
        assert (await late.response()).body == b"ok"
        assert upstream.accepted == 1


async def test_clients_that_come_and_go_leave_nothing_behind(upstream: Origin) -> None:
    ways = ("close", "reset", "end")
    requests = (b"", b"GET /", GET, POST, POST + b"a" * 50, b"\x16\x03\x01\r\n\r\n")
    async with serving(route_to(upstream.port)) as served:
        for number in range(300):
            client = await served.ask(requests[number % len(requests)])
            getattr(client, ways[number % len(ways)])()
        await until(lambda: not served.plane.inbounds and not served.plane.in_flight)
        pool = served.plane.pool(served.settings.routes[0].upstream)
        await until(lambda: not pool.connections)
        assert served.plane.budget._left == served.settings.limits.replay_budget
        assert not served.plane._tasks
        assert len(asyncio.all_tasks()) < 20
