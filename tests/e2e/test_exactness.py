"""The matrix and the hostile table in short, byte by byte, on the real process and its workers.

Each exchange comes on two new connections, so that with two workers both of them serve it; all
of it once more with an upstream behind TLS, and with clients on a Unix socket.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest

from tests.e2e.conftest import Scene
from tests.plane.test_hostile_requests import CLOSING, SMUGGLED, STAYING, is_ours
from tests.support.certificates import Authority
from tests.support.wire import DEADLINE, Origin, Wire, origin

PLAIN, TLS, UNIX = "plain", "TLS upstream", "Unix socket"
pytestmark = [
    pytest.mark.parametrize("workers", [1, 2]),
    pytest.mark.parametrize("way", [PLAIN, TLS, UNIX]),
]

TOKEN = b"Authorization: Bearer token-1\r\n"
ANSWERS = [
    b"HTTP/1.1 299 Odd  reason\r\nX-A:  1 \r\nx-a: \xff\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
]
PASSES = [
    (
        b"GET /a%2Fb//c;d?q=%2A&& HTTP/1.1\r\nhOsT: localhost\r\nX-Odd:   \xe9\r\nx-odd:\r\n",
        b"GET /a%2Fb//c;d?q=%2A&& HTTP/1.1\r\nHost: %b\r\nX-Odd:   \xe9\r\nx-odd:\r\n",
        b"",
    ),
    (
        b"BREW /?? HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic eDp5\r\nX: 1\r\n"
        b"Connection: x\r\nContent-Length: 5\r\n",
        b"BREW /?? HTTP/1.1\r\nHost: %b\r\nContent-Length: 5\r\n",
        b"a\r\n\x00b",
    ),
    (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n",
        b"POST / HTTP/1.1\r\nHost: %b\r\nTransfer-Encoding: chunked\r\n",
        b"5\r\nab\r\nc\r\n0\r\nX-Trailer: 1\r\n\r\n",
    ),
]


@pytest.fixture
def certified(scene: Scene, way: str) -> ssl.SSLContext | None:
    """What the upstream shows, by an authority whose certificate lies beside the configuration."""
    if way != TLS:
        return None
    authority = Authority(scene.home)
    return authority.server_context(authority.issue())


@pytest.fixture
async def upstream(certified: ssl.SSLContext | None) -> AsyncIterator[Origin]:
    async with origin(certified) as served:
        yield served


def config(scene: Scene, upstream: Origin, way: str) -> str:
    """Everything goes to the upstream whose bytes we see; bodies of ten bytes at most."""
    scheme, tls = ("https", "tls: {ca_file: ca.pem}, ") if way == TLS else ("http", "")
    route = (
        f"  - {{path: /, upstream: '{scheme}://127.0.0.1:{upstream.port}/', credential: api, {tls}"
    )
    told = scene.config(route=route + "max_body: 10}")
    return told.replace(f"listen: {scene.data}", "listen: unix:data.sock") if way == UNIX else told


async def connect(scene: Scene, way: str) -> Wire:
    if way == UNIX:
        return await Wire.connect_unix(str(scene.home / "data.sock"))
    return await Wire.connect(int(scene.data.partition(":")[2]))


async def let_go(wire: Wire, way: str) -> None:
    """End it and wait until the sidecar has too: the next request comes on a new one."""
    if way == TLS:
        wire.close()  # and wait for the other side's close_notify
        async with asyncio.timeout(DEADLINE):
            await wire.writer.wait_closed()
    else:
        wire.end()
        assert await wire.gone() == b""
        wire.close()


def staying(way: str) -> list[tuple[int, bytes]]:
    """The table's own; a Unix socket has no port that a Host could miss."""
    return [
        refused
        for name, refused in STAYING.items()
        if way != UNIX or name != "a port that is not ours"
    ]


async def test_what_passes_passes_byte_by_byte_in_both_directions(
    scene: Scene, upstream: Origin, way: str
) -> None:
    async with scene.running(config(scene, upstream, way)) as sidecar:
        await scene.at_work(sidecar)
        host = b"127.0.0.1:%d" % upstream.port
        for (sent, passed, body), answer in [(p, a) for p in PASSES for a in ANSWERS] * 2:
            client = await connect(scene, way)
            client.send(sent, b"\r\n", body)
            arrives = b"".join((passed.replace(b"%b", host), TOKEN, b"\r\n", body))
            wire = await upstream.accept()
            assert await wire.exactly(len(arrives)) == arrives
            wire.send(answer)
            assert await client.exactly(len(answer)) == answer
            await let_go(wire, way)
            client.close()


async def test_what_is_refused_is_refused_and_nothing_of_it_forwarded(
    scene: Scene, upstream: Origin, way: str
) -> None:
    async with scene.running(config(scene, upstream, way)) as sidecar:
        await scene.at_work(sidecar)
        for status, request in [*CLOSING.values()] * 2:
            client = await connect(scene, way)
            client.send(request, SMUGGLED)
            assert is_ours(await client.response(), status), request
            client.send(SMUGGLED)
            client.end()
            assert await client.gone() == b"", request
            client.close()
        for status, request in [*staying(way)] * 2:
            client = await connect(scene, way)
            client.send(request, request)
            for _ in range(2):
                assert is_ours(await client.response(), status), request
            client.close()
        assert await sidecar.stop() == 0
        assert upstream.accepted == 0
        assert "Traceback" not in sidecar.err
