"""HTTP/1.1 as the soak's two ends read it: heads and bodies, strictly, by rules of their own.

A body that does not end as its head says raises ``asyncio.IncompleteReadError``.
"""

from __future__ import annotations

from asyncio import IncompleteReadError, StreamReader
from collections.abc import AsyncIterator
from dataclasses import dataclass

AT_ONCE = 1 << 17


@dataclass(frozen=True, slots=True)
class Head:
    """A start line, and the fields as they came."""

    start: str
    fields: tuple[tuple[str, str], ...]

    @property
    def target(self) -> str:
        """A request's target."""
        return self.start.split(" ")[1]

    @property
    def status(self) -> int:
        """A response's status."""
        return int(self.start.split(" ")[1])

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def one(self, name: str) -> str:
        """The value of a field that is there once; empty where it is not."""
        values = self.all(name)
        return values[0] if len(values) == 1 else ""


async def read_head(reader: StreamReader) -> Head:
    """The next head."""
    raw = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    start, *lines = raw[:-4].split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return Head(start, tuple((name, value.strip()) for name, _, value in pairs))


async def incoming(
    reader: StreamReader, head: Head, *, until_close: bool = False
) -> AsyncIterator[bytes]:
    """The body, piece by piece."""
    if head.all("Transfer-Encoding"):
        async for piece in _chunks(reader):
            yield piece
    elif not head.all("Content-Length") and until_close:
        while piece := await reader.read(AT_ONCE):
            yield piece
    else:
        async for piece in _counted(reader, int(head.one("Content-Length") or 0)):
            yield piece


async def _counted(reader: StreamReader, left: int) -> AsyncIterator[bytes]:
    while left:
        piece = await reader.read(min(left, AT_ONCE))
        if not piece:
            raise IncompleteReadError(b"", left)
        left -= len(piece)
        yield piece


async def _chunks(reader: StreamReader) -> AsyncIterator[bytes]:
    while size := int(await reader.readuntil(b"\r\n"), 16):
        async for piece in _counted(reader, size):
            yield piece
        if await reader.readexactly(2) != b"\r\n":
            raise IncompleteReadError(b"", 2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
