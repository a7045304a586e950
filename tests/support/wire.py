"""Both ends of the wire as a test holds them: bytes out, bytes in, nothing understood for it.

What is read here is read by rules of its own, so that a mistake in the product's parsers
does not hide itself. Every wait has a deadline.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

DEADLINE = 60.0
READ_AHEAD = 64 << 10
"""Bytes a reader takes in before it stops reading: a test that does not read is a slow peer."""
EMPTY = b"\r\n\r\n"
PERIOD = bytes(i * i % 251 for i in range(65_521))
RESET = struct.pack("ii", 1, 0)


async def until(condition: Callable[[], object], within: float = DEADLINE) -> None:
    """Wait for something that no single event announces."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - sockets of the kernel set no Event
            await asyncio.sleep(0.001)


@dataclass(frozen=True, slots=True)
class Head:
    """A message head: its start line, and its field lines as they came."""

    start: bytes
    lines: tuple[bytes, ...]

    @property
    def status(self) -> int:
        return int(self.start.split(b" ")[1])

    @property
    def target(self) -> bytes:
        return self.start.split(b" ")[1]

    def all(self, name: bytes) -> list[bytes]:
        """Every value of a field."""
        parts = [line.partition(b":") for line in self.lines]
        return [value.strip() for key, _, value in parts if key.lower() == name.lower()]

    def one(self, name: bytes) -> bytes | None:
        """The value of a field that comes at most once."""
        values = self.all(name)
        assert len(values) <= 1, self.lines
        return values[0] if values else None


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message; a chunked body is joined, its trailer lines kept."""

    head: Head
    body: bytes
    trailers: tuple[bytes, ...] = ()

    @property
    def status(self) -> int:
        return self.head.status


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(
        cls,
        port: int,
        tls: ssl.SSLContext | None = None,
        *,
        name: str = "localhost",
        receive_buffer: int | None = None,
    ) -> Self:
        """A TCP connection to this machine; a small ``receive_buffer`` makes a slow reader slow.

        ``name`` is the server's for TLS; an empty one is not sent.
        """
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(DEADLINE):
            await loop.sock_connect(sock, ("127.0.0.1", port))
            named = name if tls else None
            return cls(
                *await asyncio.open_connection(
                    sock=sock, ssl=tls, server_hostname=named, limit=READ_AHEAD
                )
            )

    @classmethod
    async def connect_unix(cls, path: str) -> Self:
        async with asyncio.timeout(DEADLINE):
            return cls(*await asyncio.open_unix_connection(path, limit=READ_AHEAD))

    # -- out

    def send(self, *data: bytes) -> None:
        self.writer.write(b"".join(data))

    def end(self) -> None:
        """Nothing more will come from this side."""
        self.writer.write_eof()

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """Close so that the peer sees a reset and no orderly end."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.writer.transport.abort()

    def end_now(self) -> None:
        """End this side in the kernel at once; uvloop would wait for its next turn."""
        fileno = self.writer.get_extra_info("socket").fileno()
        with socket.socket(fileno=os.dup(fileno)) as same:
            same.shutdown(socket.SHUT_WR)

    @property
    def unsent(self) -> int:
        """Bytes that the kernel has not taken yet: the peer does not read."""
        return self.writer.transport.get_write_buffer_size()

    # -- in

    async def until(self, separator: bytes) -> bytes:
        async with asyncio.timeout(DEADLINE):
            return await self.reader.readuntil(separator)

    async def exactly(self, size: int) -> bytes:
        async with asyncio.timeout(DEADLINE):
            return await self.reader.readexactly(size)

    async def rest(self) -> bytes:
        """Everything up to an orderly end; a reset raises."""
        async with asyncio.timeout(DEADLINE):
            return await self.reader.read()

    async def gone(self) -> bytes:
        """Everything up to the end, orderly or not."""
        received = []
        with suppress(ConnectionError):
            async with asyncio.timeout(DEADLINE):
                while piece := await self.reader.read(65536):
                    received.append(piece)
        return b"".join(received)

    async def head(self) -> Head:
        start, *lines = (await self.until(EMPTY))[:-4].split(b"\r\n")
        return Head(start, tuple(lines))

    async def chunk(self) -> bytes:
        """The bytes of one chunk, b"" for the last; its trailers are still to come."""
        size = int(await self.until(b"\r\n"), 16)
        if not size:
            return b""
        return (await self.exactly(size + 2))[:-2]

    async def trailers(self) -> tuple[bytes, ...]:
        lines = []
        while (line := (await self.until(b"\r\n"))[:-2]) != b"":
            lines.append(line)
        return tuple(lines)

    async def request(self) -> Message:
        """A whole request."""
        head = await self.head()
        return await self.body(head, ends=False)

    async def response(self, *, to_head: bool = False) -> Message:
        """A whole final response; 1xx are not skipped."""
        head = await self.head()
        if to_head or head.status in {204, 304} or head.status < 200:
            return Message(head, b"")
        return await self.body(head, ends=True)

    async def body(self, head: Head, *, ends: bool) -> Message:
        """The body behind a head; ``ends``: without a framing it goes on to the end."""
        if head.one(b"transfer-encoding"):
            pieces = []
            while piece := await self.chunk():
                pieces.append(piece)
            return Message(head, b"".join(pieces), await self.trailers())
        length = head.one(b"content-length")
        if length is None:
            return Message(head, await self.rest() if ends else b"")
        return Message(head, await self.exactly(int(length)))


@dataclass(slots=True)
class Origin:
    """An upstream whose every byte the test sends itself."""

    port: int = 0
    accepted: int = 0
    server: asyncio.Server | None = None
    _waiting: asyncio.Queue[Wire] = field(default_factory=asyncio.Queue)
    _wires: list[Wire] = field(default_factory=list)

    async def accept(self) -> Wire:
        """The next connection that was made to it."""
        async with asyncio.timeout(DEADLINE):
            return await self._waiting.get()

    async def request(self) -> tuple[Wire, Message]:
        """The next connection with the whole request that came on it."""
        wire = await self.accept()
        return wire, await wire.request()

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = Wire(reader, writer)
        self.accepted += 1
        self._wires.append(wire)
        self._waiting.put_nowait(wire)


@asynccontextmanager
async def origin(tls: ssl.SSLContext | None = None) -> AsyncIterator[Origin]:
    """An upstream on a free port of this machine."""
    serving = Origin()
    server = await asyncio.start_server(serving._take, "127.0.0.1", 0, ssl=tls, limit=READ_AHEAD)
    serving.server = server
    serving.port = server.sockets[0].getsockname()[1]
    try:
        yield serving
    finally:
        server.close()
        for wire in serving._wires:
            wire.writer.transport.abort()
        await asyncio.sleep(0)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
"""An answer where the answer does not matter."""


def noise(size: int) -> bytes:
    """Bytes that do not repeat with any buffer's size: one read twice or overwritten shows."""
    return (PERIOD * (size // len(PERIOD) + 1))[:size]
