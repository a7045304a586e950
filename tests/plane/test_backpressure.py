"""Memory stays bounded whatever the size: a slow side holds back the other."""

from __future__ import annotations

import asyncio

from proxy.plane.settings import Limits
from tests.support.plane import Served, round_trips, route_to, serving
from tests.support.wire import OK, Origin, noise, until

HUGE = 40 << 20
BODY = noise(HUGE)
MUCH = 4 << 20
"""More than one connection's buffers may ever hold, far less than what waits to be sent."""
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


def held(served: Served) -> int:
    """Bytes that the plane has taken in and not got rid of."""
    pools = served.plane._pools.values()
    ups = [outbound for pool in pools for outbound in pool.connections]
    return sum(each.transport.get_write_buffer_size() for each in [*served.plane.inbounds, *ups])


async def test_a_slow_reader_stalls_the_upstream_of_a_counted_body(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % HUGE, BODY)
        await until(lambda: held(served))
        await round_trips(served)
        assert held(served) < MUCH
        assert wire.unsent > HUGE // 4
        assert (await client.response()).body == BODY


async def test_what_a_slow_reader_has_not_taken_is_not_overwritten_by_others(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        slow = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % HUGE, BODY)
        await until(lambda: held(served))
        quick, other = await served.ask(b""), None
        for _ in range(5):
            quick.send(GET)
            other = other or await upstream.accept()
            await other.request()
            other.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"!" * 1_000_000)
            assert (await quick.response()).body == b"!" * 1_000_000
        assert (await slow.response()).body == BODY


async def test_a_slow_reader_stalls_the_upstream_of_a_chunked_body(upstream: Origin) -> None:
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk * 600, b"0\r\n\r\n"
        )
        await until(lambda: held(served))
        await round_trips(served)
        assert held(served) < MUCH
        assert wire.unsent > HUGE // 4
        assert len((await client.response()).body) == 65536 * 600


async def test_a_slow_upstream_stalls_the_client_of_a_counted_body(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, b"Content-Length: %d\r\n\r\n" % HUGE, BODY)
        wire = await upstream.accept()
        await wire.head()
        await until(lambda: held(served))
        await round_trips(served)
        assert held(served) < MUCH
        assert client.unsent > HUGE // 4
        assert await wire.exactly(HUGE) == BODY
        wire.send(OK)
        assert (await client.response()).status == 200


async def test_a_slow_upstream_stalls_the_client_of_a_chunked_body(upstream: Origin) -> None:
    chunk = b"10000\r\n" + b"y" * 65536 + b"\r\n"
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(
            POST, b"Transfer-Encoding: chunked\r\n\r\n", chunk * 600, b"0\r\n\r\n"
        )
        wire = await upstream.accept()
        await until(lambda: held(served))
        await round_trips(served)
        assert held(served) < MUCH
        assert client.unsent > HUGE // 4
        assert len((await wire.request()).body) == 65536 * 600


async def test_a_body_that_waits_for_a_token_is_not_read_further(upstream: Origin) -> None:
    async with serving(route_to(upstream.port), filled=False) as served:
        served.source.gate.clear()
        client = await served.ask(POST, b"Content-Length: %d\r\n\r\n" % HUGE, BODY)
        await until(lambda: served.source.asked)
        await round_trips(served)
        assert client.unsent > HUGE // 4
        served.source.gate.set()
        _, request = await upstream.request()
        assert request.body == BODY


async def test_bodies_kept_for_a_replay_stay_within_the_budget(upstream: Origin) -> None:
    budget = Limits(replay_budget=100_000)
    async with serving(route_to(upstream.port), limits=budget) as served:
        body = b"z" * 60_000
        wires = []
        for _ in range(3):
            await served.ask(POST, b"Content-Length: 60000\r\n\r\n", body)
            wires.append((await upstream.request())[0])
            assert served.plane.budget._left >= 0
        assert served.plane.budget._left == 40_000
        for wire in wires:
            wire.send(OK)
        await until(lambda: not served.plane.in_flight)
        assert served.plane.budget._left == 100_000


async def test_a_client_that_pipelines_and_does_not_read_is_answered_as_fast_as_it_reads(
    upstream: Origin,
) -> None:
    body = b"z" * 200_000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    many = 400
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET * many)

        async def answer_all() -> int:
            wire, answered = await upstream.accept(), 0
            while answered < many:
                await wire.head()
                wire.send(answer)
                answered += 1
            return answered

        answering = asyncio.ensure_future(answer_all())
        await until(lambda: held(served))
        await round_trips(served, 200)
        assert held(served) < MUCH
        for _ in range(many):
            assert (await client.response()).body == body
        assert await answering == many


async def test_a_client_that_leaves_while_its_upload_is_held_back_is_seen_to_leave(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(POST, b"Content-Length: %d\r\n\r\n" % HUGE, b"y" * HUGE)
        wire = await upstream.accept()
        await wire.head()
        await until(lambda: held(served))
        client.reset()
        await until(lambda: served.clock.move(1.1) or not served.plane.in_flight)
        assert (await served.record()).error == "client_gone"
        await wire.gone()
