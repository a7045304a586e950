"""What a proxy adds to a request's time at a modest rate; arrivals do not wait for answers."""

from __future__ import annotations

import asyncio
import statistics
import time

RATE = 200
CONNECTIONS = 16
REQUEST = b"GET /400 HTTP/1.1\r\nHost: localhost\r\n\r\n"
ANSWER = 400


async def probe(port: int, seconds: int) -> list[float]:
    """Latencies in microseconds of RATE requests a second, measured from when each was due."""
    due: asyncio.Queue[float | None] = asyncio.Queue()
    taken: list[float] = []
    workers = [asyncio.create_task(_worker(port, due, taken)) for _ in range(CONNECTIONS)]
    start = time.monotonic()
    for number in range(RATE * seconds):
        at = start + number / RATE
        await asyncio.sleep(at - time.monotonic())
        due.put_nowait(at)
    for _ in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    return taken


async def _worker(port: int, due: asyncio.Queue[float | None], taken: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (at := await due.get()) is not None:
        writer.write(REQUEST)
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(ANSWER)
        taken.append((time.monotonic() - at) * 1e6)
    writer.close()


def percentiles(latencies: list[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    return statistics.median(latencies), statistics.quantiles(latencies, n=100)[98]
