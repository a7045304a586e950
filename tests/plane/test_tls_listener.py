"""Clients that come over TLS: the same rules, and an end that can't be passed on by halves."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.plane import route_to, serving
from tests.support.wire import OK, Origin, noise, until

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
Ends = tuple[ssl.SSLContext, ssl.SSLContext]


@pytest.fixture
def tls(tmp_path: Path) -> Ends:
    """The listener's side and the client's."""
    authority = Authority(tmp_path)
    return authority.server_context(authority.issue()), authority.client_context()


async def test_requests_over_tls_are_served_alike(upstream: Origin, tls: Ends) -> None:
    async with serving(route_to(upstream.port), tls=tls[0]) as served:
        client = await served.connect(tls=tls[1])
        wire = None
        for _ in range(3):
            client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
            wire = wire or await upstream.accept()
            assert (await wire.request()).body == b"abc"
            wire.send(OK)
            assert (await client.response()).body == b"ok"


@pytest.mark.parametrize("framing", [b"Content-Length: %d" % (20 << 20), b"X: y"])
async def test_a_slow_reader_over_tls_stalls_the_upstream_and_gets_it_all(
    upstream: Origin, tls: Ends, framing: bytes
) -> None:
    body = noise(20 << 20)
    async with serving(route_to(upstream.port), tls=tls[0]) as served:
        client = await served.connect(tls=tls[1], receive_buffer=65536)
        client.send(GET)
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 200 OK\r\n", framing, b"\r\n\r\n", body)
        await until(lambda: any(i.transport.get_write_buffer_size() for i in served.plane.inbounds))
        assert wire.unsent > 1 << 20
        wire.end()
        assert (await client.response()).body == body


async def test_a_large_upload_over_tls_arrives_whole(upstream: Origin, tls: Ends) -> None:
    body = noise(5 << 20)
    async with serving(route_to(upstream.port), tls=tls[0]) as served:
        client = await served.connect(tls=tls[1])
        client.send(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body), body
        )
        wire, request = await upstream.request()
        assert request.body == body
        wire.send(OK)
        assert (await client.response()).body == b"ok"


async def test_a_client_that_leaves_over_tls_is_gone_at_the_upstream_too(
    upstream: Origin, tls: Ends
) -> None:
    async with serving(route_to(upstream.port), tls=tls[0]) as served:
        client = await served.connect(tls=tls[1])
        client.send(GET)
        wire, _ = await upstream.request()
        client.close()
        await wire.gone()
        assert (await served.record()).error == "client_gone"


async def test_a_tunnel_over_tls_ends_as_a_whole(upstream: Origin, tls: Ends) -> None:
    ask = GET.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    async with serving(route_to(upstream.port), tls=tls[0]) as served:
        client = await served.connect(tls=tls[1])
        client.send(ask)
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        await client.head()
        client.send(b"up")
        assert await wire.exactly(2) == b"up"
        wire.send(b"down")
        wire.end()
        assert await client.gone() == b"down"
        await wire.gone()
        await until(lambda: not served.plane.in_flight)


async def test_a_refused_request_over_tls_reads_its_answer(upstream: Origin, tls: Ends) -> None:
    async with serving(route_to(upstream.port), tls=tls[0]) as served:
        client = await served.connect(tls=tls[1])
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: x\r\n\r\n")
        assert (await client.response()).status == 400
        client.close()
        await until(lambda: not served.plane.inbounds)


async def test_a_body_that_breaks_off_is_no_orderly_end_over_tls(
    upstream: Origin, tls: Ends
) -> None:
    async with serving(route_to(upstream.port), tls=tls[0]) as served:
        client = await served.connect(tls=tls[1])
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        wire, _ = await upstream.request()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        await client.head()
        wire.close()
        with pytest.raises(OSError):  # noqa: PT011 - a reset or a missing close_notify, by loop
            await client.rest()
