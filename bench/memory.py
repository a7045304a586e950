"""``make bench-memory``: 1 GiB down and 1 GiB up past a slow reader; how much the sidecar grows."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from bench.loopback import send
from bench.slowness import CHUNK, slowly
from bench.subject import ask, resident, setting

SIZE = 1 << 30
ALLOWED = 8.0
"""MiB that resident memory may grow by."""


async def down(port: int) -> None:
    """The upstream sends as fast as it can, the client reads slowly."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=CHUNK)
    writer.write(f"GET /{SIZE} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
    await succeeded(reader)
    await slowly(reader, SIZE)
    writer.close()


async def up(port: int) -> None:
    """The client sends as fast as it can, the upstream reads slowly."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=CHUNK)
    head = f"POST /slow HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: {SIZE}\r\n\r\n"
    writer.write(head.encode())
    await send(writer, SIZE)
    await succeeded(reader)
    if await reader.readexactly(len(str(SIZE))) != str(SIZE).encode():
        raise RuntimeError("the upstream received something else")
    writer.close()


async def succeeded(reader: asyncio.StreamReader) -> None:
    """Read an answer's head, which must be a 200."""
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(head.decode())


@contextlib.asynccontextmanager
async def watching(pid: int) -> AsyncIterator[list[float]]:
    """Resident memory in MiB, read over and over while the block runs."""
    seen = [resident(pid)]

    async def watch() -> None:
        while True:
            await asyncio.sleep(0.02)
            seen.append(resident(pid))

    watcher = asyncio.create_task(watch())
    try:
        yield seen
    finally:
        watcher.cancel()


async def measure(
    name: str, transfer: Callable[[int], Awaitable[None]], port: int, pid: int
) -> bool:
    """Run one transfer and print what it did; whether the growth is within bounds."""
    started = time.monotonic()
    async with watching(pid) as seen:
        await transfer(port)
    growth = max(seen) - seen[0]
    print(
        f"1 GiB {name:4}  before {seen[0]:5.1f} MiB  peak {max(seen):5.1f} MiB  "
        f"growth {growth:4.1f} MiB of {ALLOWED:.0f} allowed  ({time.monotonic() - started:.0f} s)"
    )
    return growth < ALLOWED


def main() -> int:
    """Both directions; 1 where one of them grows too much."""
    with setting() as servers, servers.sidecar() as sidecar:
        for _ in range(20):
            if ask(servers.port, "/100", deadline=10) != 200:
                raise RuntimeError("the sidecar does not serve")
        transfers = (("down", down), ("up", up))
        fine = [asyncio.run(measure(*each, servers.port, sidecar.pid)) for each in transfers]
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
