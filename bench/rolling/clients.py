"""The rehearsal's clients: each keeps its connection as long as it may, and repeats nothing.

What a client may know it heeds: an answer's ``Connection: close``, and that its idle connection
has been closed. Everything else that goes wrong is a failed request.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import random
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.rolling.service import Service
from bench.rolling.upstream import EVENTS
from bench.soak.requests import incoming, read_head

LONGEST = 15.0
"""Seconds after which a request counts as lost."""
PIECES, PIECE = 8, 16 << 10
STREAMED = b"".join(b"data: %d\n\n" % number for number in range(EVENTS))
NUMBERS = itertools.count()


@dataclass(slots=True)
class Kind:
    """What a kind of client does.

    Attributes:
        pause: the most seconds between two requests.
        apart: seconds between two pieces of a body.
    """

    name: str
    count: int
    method: str
    target: str
    pause: float
    apart: float = 0.0


@dataclass(slots=True)
class Tally:
    """What became of all requests.

    Attributes:
        kept: those that went over a connection which had carried one before.
    """

    answered: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    kept: int = 0
    slowest: float = 0.0


class Client:
    """One of them."""

    def __init__(self, kind: Kind, service: Service, tally: Tally, chance: random.Random) -> None:
        self._kind = kind
        self._service = service
        self._tally = tally
        self._chance = chance
        self._connection: tuple[StreamReader, StreamWriter] | None = None
        self._port = 0

    async def run(self, over: asyncio.Event) -> None:
        """Ask again and again, until it is over."""
        while not over.is_set():
            begun = time.monotonic()
            try:
                async with asyncio.timeout(LONGEST):
                    await self._ask()
            except (OSError, EOFError, ValueError, TimeoutError) as error:
                age = f"after {time.monotonic() - begun:.3f} s"
                self._tally.failed.append(f"{self._kind.name} at {self._port} {age}: {error!r}")
                self._close()
            else:
                done = self._tally.answered
                done[self._kind.name] = done.get(self._kind.name, 0) + 1
            self._tally.slowest = max(self._tally.slowest, time.monotonic() - begun)
            await asyncio.sleep(self._chance.uniform(0, self._kind.pause))
        self._close()

    async def _ask(self) -> None:
        reader, writer = await self._connect()
        number = next(NUMBERS)
        target = self._kind.target.format(number=number)
        body = [random.Random(number).randbytes(PIECE)] * PIECES
        expected = b"ok" if target != "/stream" else STREAMED
        more = ""
        if self._kind.method == "POST":
            expected = hashlib.sha256(b"".join(body)).hexdigest().encode()
            more = f"Content-Length: {PIECES * PIECE}\r\n"
        writer.write(
            f"{self._kind.method} {target} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode()
        )
        for piece in body if more else ():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(self._kind.apart)
        await self._read(reader, expected)

    async def _read(self, reader: StreamReader, expected: bytes) -> None:
        head = await read_head(reader)
        came = b"".join([piece async for piece in incoming(reader, head)])
        if head.status != 200 or came != expected:
            raise ValueError(f"{head.start}: {came[:200]!r}")
        if head.one("Connection").lower() == "close":
            self._close()

    async def _connect(self) -> tuple[StreamReader, StreamWriter]:
        if self._connection is not None and self._connection[0].at_eof():
            self._close()
        if self._connection is None:
            self._port = self._service.pick()
            self._connection = await asyncio.open_connection("127.0.0.1", self._port)
        else:
            self._tally.kept += 1
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection[1].close()
            self._connection = None


def crowd(delay: float) -> Iterator[Kind]:
    """All kinds; none but the sleepers is silent for as long as an instance goes on accepting."""
    yield Kind("busy", 8, "GET", "/", pause=0.1)
    yield Kind("slow", 6, "GET", "/", pause=delay * 0.8)
    yield Kind("sleeping", 4, "GET", "/", pause=delay * 4)
    yield Kind("posting", 6, "POST", "/post/{number}", pause=0.1)
    yield Kind("uploading", 4, "POST", "/post/{number}", pause=0.1, apart=0.15)
    yield Kind("streaming", 6, "GET", "/stream", pause=0.1)
