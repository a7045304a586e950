"""The client's connection: when it stays, what waits on it, and what its end means."""

from __future__ import annotations

import ssl

import pytest

from tests.support.plane import round_trips, route_to, serving, upstream_at
from tests.support.wire import OK, Origin, until

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

KEPT = [
    (b"HTTP/1.1", b"", True, None),
    (b"HTTP/1.1", b"Connection: close\r\n", False, b"close"),
    (b"HTTP/1.1", b"Connection: Keep-Alive, CLOSE\r\n", False, b"close"),
    (b"HTTP/1.0", b"", False, b"close"),
    (b"HTTP/1.0", b"Connection: Keep-Alive\r\n", True, b"keep-alive"),
    (b"HTTP/1.0", b"Connection: keep-alive, close\r\n", False, b"close"),
]


@pytest.mark.parametrize(("version", "field", "stays", "told"), KEPT)
async def test_a_connection_stays_as_the_client_wishes(
    upstream: Origin, version: bytes, field: bytes, stays: bool, told: bytes | None
) -> None:
    request = b"GET / " + version + b"\r\nHost: localhost\r\n" + field + b"\r\n"
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(request)
        wire, seen = await upstream.request()
        assert seen.head.one(b"connection") is None  # the upstream's connection is another matter
        wire.send(OK)
        answer = await client.response()
        assert answer.head.one(b"connection") == told
        if stays:
            client.send(request)
            await wire.request()
            wire.send(OK)
            assert (await client.response()).body == b"ok"
        else:
            assert await client.rest() == b""


async def test_one_upstream_connection_serves_one_client_after_another(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(OK)
        await client.response()
        for _ in range(3):
            client = await served.ask(GET)
            await wire.request()
            wire.send(OK)
            assert (await client.response()).body == b"ok"
        assert upstream.accepted == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
async def test_an_upstream_that_closes_is_not_asked_again_on_that_connection(
    upstream: Origin, answer: bytes
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(answer)
        assert (await client.response()).body == b"ok"
        await wire.gone()
        client.send(GET)
        wire, _ = await upstream.request()
        wire.send(OK)
        assert (await client.response()).body == b"ok"


async def test_an_idle_connection_that_the_upstream_closed_is_not_used(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(OK)
        await client.response()
        wire.close()
        await wire.gone()
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\na")
        wire, request = await upstream.request()
        assert request.body == b"a"
        wire.send(OK)
        assert (await client.response()).status == 200


async def test_a_rested_connection_that_ends_at_this_very_moment_is_not_used(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(OK)
        await client.response()
        await served.record()
        served.clock.move(5)
        client.send(GET)
        wire.end_now()  # the request comes first, but the end is there before it is sent on
        wire, _ = await upstream.request()
        wire.send(OK)
        assert (await client.response()).body == b"ok"


@pytest.mark.parametrize(
    ("told", "moved"),
    [(b"timeout=5", 4.5), (b"timeout=2, max=9", 1.5), (b"timeout=0", 0.0), (b"", 61)],
)
async def test_a_pooled_connection_is_let_go_before_the_upstream_would(
    upstream: Origin, told: bytes, moved: float
) -> None:
    field = b"Keep-Alive: " + told + b"\r\n" if told else b""
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 200 OK\r\n" + field + b"Content-Length: 2\r\n\r\nok")
        await client.response()
        served.clock.move(moved)
        client.send(GET)
        second, _ = await upstream.request()
        second.send(OK)
        assert (await client.response()).status == 200
        assert await wire.gone() == b""


async def test_pipelined_requests_are_answered_in_order_one_at_a_time(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        requests = [b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % n for n in range(5)]
        client = await served.ask(*requests)
        wire = await upstream.accept()
        for number in range(5):
            assert (await wire.head()).target == b"/%d" % number
            assert upstream.accepted == 1
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number)
            assert (await client.response()).body == b"%d" % number


async def test_a_request_behind_a_body_is_read_from_the_right_byte(upstream: Origin) -> None:
    post = b"POST /p HTTP/1.1\r\nHost: localhost\r\n"
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(
            post, b"Content-Length: 3\r\n\r\nabc",
            post, b"Transfer-Encoding: chunked\r\n\r\n3\r\ndef\r\n0\r\n\r\n",
            b"\r\n", GET,
        )  # fmt: skip
        wire = await upstream.accept()
        for body in (b"abc", b"def", b""):
            assert (await wire.request()).body == body
            wire.send(OK)
            assert (await client.response()).body == b"ok"


async def test_many_pipelined_refusals_and_answers_keep_their_order(upstream: Origin) -> None:
    bad = b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(*([bad, GET] * 50))
        wire = None
        for _ in range(50):
            assert (await client.response()).status == 421
            wire = wire or await upstream.accept()
            await wire.request()
            wire.send(OK)
            assert (await client.response()).status == 200


async def test_pipelined_bytes_are_bounded(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        client.send(GET * 400_000)
        await round_trips(served)
        assert client.unsent > len(GET) * 400_000 - (8 << 20)
        wire.send(OK)
        assert (await client.response()).status == 200


@pytest.mark.parametrize("way", ["end", "close", "reset"])
@pytest.mark.parametrize("answered", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"])
async def test_a_client_that_leaves_is_gone_at_the_upstream_too(
    upstream: Origin, way: str, answered: bytes
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(GET)
        wire, _ = await upstream.request()
        if answered:
            wire.send(answered)
            await client.head()
        getattr(client, way)()
        await wire.gone()
        record = await served.record()
        assert record.error == "client_gone"
        assert record.status == (200 if answered else 0)
        await until(lambda: not served.plane.inbounds and not served.plane.in_flight)


async def test_a_client_that_leaves_inside_its_body_is_gone_at_the_upstream_too(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
        )
        wire = await upstream.accept()
        await wire.head()
        client.end()
        assert await wire.gone() == b"3\r\nabc\r\n"  # no last chunk: nobody takes it for whole


async def test_a_client_that_leaves_while_its_token_is_awaited_asks_nothing(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port), filled=False) as served:
        served.source.gate.clear()
        client = await served.ask(GET)
        await until(lambda: served.source.asked)
        client.close()
        assert (await served.record()).error == "client_gone"
        served.source.gate.set()
        client = await served.ask(GET)
        await upstream.request()
        assert upstream.accepted == 1


async def test_a_client_whose_large_body_waited_for_a_token_is_still_seen_leaving(
    upstream: Origin,
) -> None:
    size = 200_000
    async with serving(route_to(upstream.port), filled=False) as served:
        served.source.gate.clear()
        client = await served.ask(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size, b"x" * size
        )
        await until(lambda: served.source.asked)
        await round_trips(served)
        served.source.gate.set()
        wire, request = await upstream.request()
        assert len(request.body) == size
        client.close()
        await wire.gone()
        assert (await served.record()).error == "client_gone"


async def test_a_client_that_leaves_while_its_upstream_is_connected_leaves_nothing_behind(
    upstream: Origin,
) -> None:
    silent = upstream_at(upstream.port, tls=ssl.create_default_context())
    async with serving(route_to(upstream.port, upstream=silent)) as served:
        client = await served.ask(GET)
        wire = await upstream.accept()  # and the handshake goes no further
        client.close()
        await wire.gone()
        assert (await served.record()).error == "client_gone"
        assert not served.plane.in_flight


async def test_an_idle_client_is_let_go(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(b"")
        await until(lambda: served.plane.inbounds)
        served.clock.move(301)
        assert await client.rest() == b""


async def test_several_clients_are_served_side_by_side(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        clients = [await served.ask(GET.replace(b"/", b"/%d" % n, 1)) for n in range(20)]
        wires = [await upstream.request() for _ in clients]
        assert served.plane.in_flight == 20
        for wire, request in reversed(wires):
            body = request.head.target
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        for number, client in enumerate(clients):
            assert (await client.response()).body == b"/%d" % number
