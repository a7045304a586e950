"""SIGTERM in the middle of a hundred streams: each of them arrives whole, both ways."""

from __future__ import annotations

import asyncio
import hashlib
import signal
from collections.abc import AsyncIterator

import pytest

from tests.e2e.conftest import Scene
from tests.support.process import until
from tests.support.wire import Head, Origin, Wire, noise, origin

STREAMS, PIECES, PIECE, APART = 100, 8, 8 << 10, 300
SEA = noise(2 * STREAMS * APART + PIECES * PIECE)
CHUNKED, LENGTH = b"Transfer-Encoding: chunked\r\n", b"Content-Length: %d\r\n" % (PIECES * PIECE)
ANSWERED = [
    b"Content-Type: application/octet-stream\r\n" + LENGTH,
    b"Content-Type: application/octet-stream\r\n" + CHUNKED,
    b"Content-Type: text/event-stream\r\n" + CHUNKED,
    b"Content-Type: application/octet-stream\r\nConnection: close\r\n",  # its end is its length
]
ASKED = [
    b"GET /api/%d HTTP/1.1\r\nHost: localhost\r\n",
    b"PUT /api/%d HTTP/1.1\r\nHost: localhost\r\n" + LENGTH,
    b"POST /api/%d HTTP/1.1\r\nHost: localhost\r\n" + CHUNKED,
]

pytestmark = pytest.mark.parametrize("workers", [1, 2])


class Body:
    """What one stream carries one way, in its framing: no two streams carry the same."""

    def __init__(self, number: int, head: bytes) -> None:
        self.coded = CHUNKED in head
        events = b"event-stream" in head
        start = number * APART
        parts = [SEA[start + at : start + at + PIECE] for at in range(0, PIECES * PIECE, PIECE)]
        self._parts = [b"data: %b\n\n" % p.hex().encode() if events else p for p in parts]
        self.digest = hashlib.sha256(b"".join(self._parts)).digest()

    @property
    def begun(self) -> bytes:
        return b"".join(self._framed(part) for part in self._parts[: PIECES // 2])

    @property
    def rest(self) -> bytes:
        last = b"0\r\n\r\n" if self.coded else b""
        return b"".join(self._framed(part) for part in self._parts[PIECES // 2 :]) + last

    def _framed(self, part: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(part), part) if self.coded else part


class Stream:
    """One request whose answer is under way, and for two of three its own body too."""

    def __init__(self, number: int) -> None:
        self.number = number
        asked, self._answered = ASKED[number % 3], ANSWERED[number % 4]
        self._ask = asked % number
        self._up = None if asked.startswith(b"GET") else Body(number, asked)
        self._down = Body(STREAMS + number, self._answered)
        self._client: Wire
        self._upstream: Wire
        self._heads: list[Head] = []

    async def ask(self, port: int) -> None:
        self._client = await Wire.connect(port)
        self._client.send(self._ask, b"\r\n", self._up.begun if self._up else b"")

    async def begin(self, upstream: Wire, asked: Head) -> None:
        """Half of the answer, of which the client sees the head."""
        assert asked.one(b"authorization") == b"Bearer token-1"
        self._upstream = upstream
        upstream.send(b"HTTP/1.1 200 OK\r\n", self._answered, b"\r\n", self._down.begun)
        answered = await self._client.head()
        assert answered.status == 200
        self._heads = [asked, answered]

    async def finish(self) -> bool:
        """The other half, both ways; whether all of it arrived as it was sent."""
        asked, answered = self._heads
        self._client.send(self._up.rest if self._up else b"")
        self._upstream.send(self._down.rest)
        if b"close" in self._answered:
            self._upstream.end()
        came, went = await asyncio.gather(
            self._client.body(answered, ends=True), self._upstream.body(asked, ends=False)
        )
        assert await self._client.rest() == b""  # an orderly end, for it is draining
        self._client.close()
        whole = hashlib.sha256(came.body).digest() == self._down.digest
        sent = self._up.digest if self._up else hashlib.sha256().digest()
        return whole and hashlib.sha256(went.body).digest() == sent


@pytest.fixture
async def upstream() -> AsyncIterator[Origin]:
    async with origin() as served:
        yield served


async def under_way(scene: Scene, upstream: Origin) -> list[Stream]:
    """All of the streams, each of them in its middle."""
    streams = [Stream(number) for number in range(STREAMS)]
    port = int(scene.data.partition(":")[2])
    await asyncio.gather(*(stream.ask(port) for stream in streams))

    async def begin() -> None:
        wire = await upstream.accept()
        asked = await wire.head()
        await streams[int(asked.target.rpartition(b"/")[2])].begin(wire, asked)

    await asyncio.gather(*(begin() for _ in streams))
    return streams


async def test_a_hundred_streams_under_way_arrive_whole_after_sigterm(
    scene: Scene, upstream: Origin
) -> None:
    config = scene.config().replace(scene.upstream.url, f"http://127.0.0.1:{upstream.port}")
    async with scene.running(config) as sidecar:
        await scene.at_work(sidecar)
        streams = await under_way(scene, upstream)
        sidecar.send(signal.SIGTERM)
        await until(scene.refused, what="the listener closed")
        assert (await sidecar.ask("/readyz")).text == '{"status": "draining"}'
        whole = await asyncio.gather(*(stream.finish() for stream in streams))
        assert whole == [True] * STREAMS
        assert await sidecar.ended() == 0
        assert upstream.accepted == STREAMS  # nothing was sent twice
        assert "Traceback" not in sidecar.err
