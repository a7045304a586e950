"""One request and its answer, as both ends know them: every byte follows from three numbers."""

from __future__ import annotations

import asyncio
import contextlib
import random
from asyncio import StreamReader, StreamWriter
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.soak.bodies import Body, Check
from bench.soak.requests import incoming, read_head

FIELD = "X-Plan"
PIECE = 4 << 10
PACE = 0.01
"""Seconds between two pieces of a slow answer."""
LONGEST = 60.0
"""Seconds after which a request counts as lost."""

Place = int | Path
"""A port of this machine, or the path of a Unix socket."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes up, what comes down, and whether that takes its time."""

    seed: int
    up: int
    down: int
    slow: bool

    @classmethod
    def drawn(cls, chance: random.Random, *, long: bool = False) -> Self:
        """Any; ``long``: an answer of a second or two."""
        down = (
            chance.randrange(100, 200) * PIECE
            if long
            else chance.choice((9, PIECE * 3, PIECE * 30))
        )
        return cls(
            chance.randrange(10**6),
            chance.choice((0, 7, 50_000)),
            down,
            long or chance.random() < 0.5,
        )

    @classmethod
    def decode(cls, text: str) -> Self:
        """From the field."""
        seed, up, down, slow = map(int, text.split())
        return cls(seed, up, down, bool(slow))

    def encode(self) -> str:
        """For the field."""
        return f"{self.seed} {self.up} {self.down} {int(self.slow)}"

    @property
    def upload(self) -> Body:
        """The request's body."""
        return Body("json", self.up, self.seed)

    @property
    def download(self) -> Body:
        """The answer's."""
        return Body("sse", self.down, self.seed)


class Client:
    """Asks one place, over a connection that it keeps as long as it may."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._connection: tuple[StreamReader, StreamWriter] | None = None

    async def ask(self, path: str, plan: Plan, *, fresh: bool = False) -> tuple[str, str]:
        """``ok`` or what went wrong, and the target that the upstream saw."""
        if fresh:
            self.close()
        # A kept connection may be closed at the very moment it is used: then once more (RFC 9112
        # section 9.3.1), as every client does. One that is new may not.
        for again in (self._connection is None, True):
            try:
                async with asyncio.timeout(LONGEST):
                    return await self._once(path, plan)
            except TimeoutError:
                self.close()
                return "lost: no end of it", ""
            except _GoneError as gone:
                self.close()
                if again or plan.up:
                    return f"lost: {gone}", ""
            except (OSError, asyncio.IncompleteReadError, ValueError, IndexError) as error:
                self.close()
                return f"cut: {error!r}", ""
        raise AssertionError

    def close(self) -> None:
        """Leave."""
        if self._connection is not None:
            self._connection[1].transport.abort()
            self._connection = None

    async def _once(self, path: str, plan: Plan) -> tuple[str, str]:
        reader, writer = self._connection = self._connection or await self._connect()
        try:
            method = "POST" if plan.up else "GET"
            writer.write(
                f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{FIELD}: {plan.encode()}\r\n"
                f"Content-Length: {plan.up}\r\n\r\n".encode()
            )
            for piece in plan.upload.pieces():
                writer.write(piece)
                await writer.drain()
            head = await read_head(reader)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            raise _GoneError(f"{error!r} before an answer") from None
        if head.status != 200:
            body = b"".join([piece async for piece in incoming(reader, head)])
            return f"{head.status}: {body[:300]!r}", ""
        check = Check(plan.download)
        async for piece in incoming(reader, head):
            check.feed(piece)
        if head.one("Connection").lower() == "close":
            self.close()
        return check.end() or "ok", head.one("X-Target")

    async def _connect(self) -> tuple[StreamReader, StreamWriter]:
        if isinstance(self._place, Path):
            return await asyncio.open_unix_connection(str(self._place))
        return await asyncio.open_connection("127.0.0.1", self._place)


class _GoneError(Exception):
    """The connection was closed before anything of an answer came."""


async def settled(task: asyncio.Task[None]) -> None:
    """Wait for a task that was told to end."""
    with contextlib.suppress(asyncio.CancelledError):
        await task
