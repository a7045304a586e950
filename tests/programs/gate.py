"""What stands before every upstream: it judges the token of each request, and lets bytes through.

A request without exactly one live token gets a 401 from here and never reaches the upstream.
Everything else passes as it is, so that the upstream sees what the sidecar sent. Only heads are
read, and as much of a body's framing as it takes to find the next head (RFC 9112).
"""

from __future__ import annotations

import asyncio
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

REFUSAL = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Head:
    """A request's head as it came."""

    raw: bytes

    @property
    def target(self) -> str:
        """The request target."""
        return self.raw.split(b" ", 2)[1].decode()

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        lines = (line.partition(b":") for line in self.raw.split(b"\r\n")[1:])
        wanted = name.lower().encode()
        return [value.strip().decode() for key, _, value in lines if key.lower() == wanted]


@dataclass(frozen=True, slots=True)
class Left:
    """The sidecar ended a connection whose last request was this one."""

    target: str
    at: float


class Gate:
    """Listens before an upstream.

    Attributes:
        port: where it listens, once started.
        upstream_port: where it leads.
        passed: the heads of all requests that went through.
        tokens: the distinct tokens that they carried.
        refused: the targets of those that did not.
        connections: how many the sidecar has opened.
        left: those that it ended.
    """

    def __init__(self, upstream_port: int, alive: Callable[[str], bool]) -> None:
        self.upstream_port = upstream_port
        self._alive = alive
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.passed: list[Head] = []
        self.tokens: set[str] = set()
        self.refused: list[str] = []
        self.connections = 0
        self.left: list[Left] = []

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and cut what is open."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        with suppress(ConnectionError, asyncio.CancelledError):
            await self._between(reader, writer)
        writer.transport.abort()

    async def _between(self, reader: StreamReader, writer: StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        answers = asyncio.create_task(_answers(back, writer))
        try:
            await self._requests(reader, forth, writer)
        finally:
            answers.cancel()
            forth.transport.abort()

    async def _requests(
        self, reader: StreamReader, forth: StreamWriter, writer: StreamWriter
    ) -> None:
        target = ""
        while head := await _head(reader):
            target = head.target
            if not self._judge(head):
                self.refused.append(target)
                writer.write(REFUSAL)
                return await writer.drain()
            self.passed.append(head)
            forth.write(head.raw)
            await _body(head, reader, forth)
        self.left.append(Left(target, time.time()))
        return None

    def _judge(self, head: Head) -> bool:
        """Whether there is exactly one credential, and it is a live token."""
        given = head.all("Authorization")
        scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        if scheme != "Bearer" or not self._alive(token):
            return False
        self.tokens.add(token)
        return True


async def _answers(back: StreamReader, writer: StreamWriter) -> None:
    """Everything the upstream says, and that it has ended."""
    with suppress(ConnectionError):
        while piece := await back.read(1 << 16):
            writer.write(piece)
            await writer.drain()
        writer.close()


async def _head(reader: StreamReader) -> Head | None:
    """The next one; None when the sidecar has ended the connection."""
    try:
        return Head(await reader.readuntil(b"\r\n\r\n"))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def _body(head: Head, reader: StreamReader, forth: StreamWriter) -> None:
    if head.all("Upgrade"):
        await _copy(reader, forth, None)
    elif head.all("Transfer-Encoding"):
        await _chunks(reader, forth)
    else:
        await _copy(reader, forth, int((head.all("Content-Length") or ["0"])[0]))
    await forth.drain()


async def _copy(reader: StreamReader, forth: StreamWriter, size: int | None) -> None:
    """So many bytes; None is all there are."""
    while size is None or size > 0:
        piece = await reader.read(1 << 16 if size is None else min(size, 1 << 16))
        if not piece:
            return
        size = None if size is None else size - len(piece)
        forth.write(piece)
        await forth.drain()


async def _chunks(reader: StreamReader, forth: StreamWriter) -> None:
    """Chunks up to the last one, and the trailers."""
    size = 1
    while size:
        line = await reader.readline()
        forth.write(line)
        size = int(line.partition(b";")[0] or b"0", 16)
        await _copy(reader, forth, size + 2 if size else 0)
    while (line := await reader.readline()) not in {b"\r\n", b""}:
        forth.write(line)
    forth.write(line)
