"""An upstream that misbehaves as the request's first path segment says.

It speaks byte for byte and counts the requests that reached it, so that a test can tell whether one
came twice.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.wire import OK, READ_AHEAD, Head, Wire

START = b"HTTP/1.1 200 OK\r\n"
COUNTED = START + b"Content-Length: 9\r\n\r\nabc"
CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
UNBOUNDED = START + b"\r\nabc"
HEADLESS = b"HTTP/1.1 200 OK\r\nContent-Le"
BOTH = START + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"

Behave = Callable[["Faulty", Wire], Awaitable[None]]


@dataclass(slots=True)
class Faulty:
    """One listening port; ``read`` has a test say that the client has what was sent so far.

    Attributes:
        seen: target → how many requests for it came.
        accepted: how many connections were made to it.
    """

    port: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    read: asyncio.Event = field(default_factory=asyncio.Event)
    accepted: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        wire = Wire(reader, writer)
        try:
            with suppress(OSError, EOFError):
                while not writer.is_closing():
                    await self._answer(wire)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _answer(self, wire: Wire) -> None:
        start, *lines = (await wire.reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        head = Head(start, tuple(lines))
        target = head.target.decode()
        self.seen[target] += 1
        behave = BEHAVIOURS[target.split("/")[1]]
        if behave is not takes_no_body:
            await wire.reader.readexactly(int(head.one(b"content-length") or 0))
        await behave(self, wire)

    async def stop(self) -> None:
        """Cut every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def healthy(_: Faulty, wire: Wire) -> None:
    """Answer, and keep the connection."""
    wire.send(OK)


async def closes_after(faulty: Faulty, wire: Wire) -> None:
    """Answer as if the connection lived on, then close it when the test says so."""
    wire.send(OK)
    await faulty.read.wait()
    wire.close()


async def vanishes(faulty: Faulty, wire: Wire) -> None:
    """Answer, then read and write no more while the connection stands."""
    wire.send(OK)
    await takes_no_body(faulty, wire)


async def takes_no_body(_: Faulty, wire: Wire) -> None:
    """Read nothing any more."""
    wire.writer.transport.pause_reading()  # type: ignore[attr-defined] # a Transport in fact
    await asyncio.Event().wait()


async def floods(_: Faulty, wire: Wire) -> None:
    """Send informational answers for ever."""
    while True:
        wire.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await wire.writer.drain()


async def goes_on(_: Faulty, wire: Wire) -> None:
    """Send a head that never ends."""
    wire.send(START, b"Endless: ")
    while True:
        wire.send(b"x" * 4096)
        await wire.writer.drain()


def stalls(sent: bytes) -> Behave:
    """Send this and then nothing, until the peer gives up."""

    async def behave(_: Faulty, wire: Wire) -> None:
        wire.send(sent)
        await wire.reader.read()
        wire.close()

    return behave


def closes(sent: bytes) -> Behave:
    """Send this and end the connection in good order."""

    async def behave(_: Faulty, wire: Wire) -> None:
        wire.send(sent)
        wire.close()

    return behave


def resets(sent: bytes) -> Behave:
    """Send this, have the client read what it can see of it, reset the connection."""

    async def behave(faulty: Faulty, wire: Wire) -> None:
        wire.send(sent)
        if b"\r\n\r\n" in sent:
            await faulty.read.wait()
        wire.reset()

    return behave


def truncates(sent: bytes) -> Behave:
    """Send this and end the TCP stream without TLS's own end."""

    async def behave(_: Faulty, wire: Wire) -> None:
        wire.send(sent)
        wire.end_now()
        await wire.reader.read()
        wire.close()

    return behave


BEHAVIOURS: dict[str, Behave] = {
    "healthy": healthy,
    "closes-after": closes_after,
    "vanishes": vanishes,
    "takes-no-body": takes_no_body,
    "floods-1xx": floods,
    "endless-head": goes_on,
    "garbage": closes(b"\x16\x03\x01 nonsense\r\n\r\n"),
    "both-framings": closes(BOTH),
    **{
        f"{name}-{where}": how(sent)
        for name, how in (("resets", resets), ("closes", closes), ("stalls", stalls))
        for where, sent in (
            ("before-head", b""),
            ("inside-head", HEADLESS),
            ("inside-counted", COUNTED),
            ("inside-chunked", CHUNKED),
            ("inside-unbounded", UNBOUNDED),
        )
    },
    "truncates-before-head": truncates(b""),
    "truncates-inside-unbounded": truncates(UNBOUNDED),
}


@asynccontextmanager
async def faulty(tls: ssl.SSLContext | None = None) -> AsyncIterator[Faulty]:
    """A misbehaving upstream on a free port of this machine, by IPv4 only."""
    serving = Faulty()
    server = await asyncio.start_server(serving.serve, "127.0.0.1", 0, ssl=tls, limit=READ_AHEAD)
    serving.port = server.sockets[0].getsockname()[1]
    try:
        yield serving
    finally:
        server.close()
        await serving.stop()


@contextmanager
def deaf(*, full: bool) -> Iterator[int]:
    """A port where nobody accepts: connections stand in a queue, or do not even come about."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0 if full else 64)
        fillers = [socket.socket() for _ in range(4 if full else 0)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        try:
            yield listening.getsockname()[1]
        finally:
            for filler in fillers:
                filler.close()


@contextmanager
def unheard() -> Iterator[int]:
    """A port that refuses, and that nobody else gets meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]
