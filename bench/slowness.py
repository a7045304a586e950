"""How a slow reader reads: it stalls first, so that every buffer on the way fills, then dawdles."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader

CHUNK = 1 << 18
"""Bytes that are read or written at a time."""

STALL = 2.0
"""Seconds before the first byte is read."""

PAUSE = 0.002
"""Seconds after each chunk; 1 GiB takes at least 8 s so."""


async def slowly(reader: StreamReader, length: int) -> int:
    """Read ``length`` bytes slowly; how many came.

    Raises:
        EOFError: the other side ended early.
    """
    await asyncio.sleep(STALL)
    left = length
    while left:
        chunk = await reader.read(min(left, CHUNK))
        if not chunk:
            raise EOFError(f"{left} bytes are missing")
        left -= len(chunk)
        await asyncio.sleep(PAUSE)
    return length
