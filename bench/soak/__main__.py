"""``make soak``: 64 clients through a real sidecar while everything around it fails in turns.

Exits with 1 where a byte, a request or a token was not what it must be; the logs are kept then.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import random
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bench.soak.client import crowd
from bench.soak.orders import Program
from bench.soak.subject import Subject, subject
from bench.soak.summary import summary
from bench.soak.tally import Tally
from bench.soak.verdict import DESCRIPTORS_MORE, Evidence, Figures, violations
from bench.soak.weather import Weather

CLIENTS = 64
WARMING = 0.2
"""This part of the time goes before the first look at memory and descriptors."""
QUIET = 5
"""So many looks, 6 s apart, until idle connections have gone: they are kept for some seconds."""


async def quiet(sidecar: Subject, target: int | None = None) -> Figures:
    """The figures once nothing goes on, and idle connections have been closed."""
    for _ in range(QUIET):
        await asyncio.sleep(6)
        if not sidecar.alive:
            return Figures(0, 0, "")
        if target is None or sidecar.descriptors <= target:
            break
    return Figures(sidecar.memory, sidecar.descriptors, await sidecar.busy())


async def soak(home: Path, seconds: float, seed: int, workers: int) -> Evidence:
    """Run everything; what was seen."""
    provider = await Program.start("bench.soak.provider", home / "provider.log")
    upstream = await Program.start("bench.soak.upstream", home / "upstream.log")
    try:
        async with subject(home, provider.ports | upstream.ports, workers) as sidecar:
            return await observe(sidecar, provider, upstream, seconds, seed)
    finally:
        await provider.end()
        await upstream.end()


async def observe(
    sidecar: Subject, provider: Program, upstream: Program, seconds: float, seed: int
) -> Evidence:
    """Warm up, look, go on, look again."""
    tally, numbers, begun = Tally(), itertools.count(1), time.monotonic()
    weather = Weather(provider, upstream, sidecar, tally, seed)
    warming = seconds * WARMING
    async with storm(weather, tally):
        await crowd(sidecar.port, CLIENTS, warming, numbers, tally, seed)
    warm = await quiet(sidecar)
    async with storm(weather, tally):
        await crowd(sidecar.port, CLIENTS, seconds - warming, numbers, tally, seed + 1)
    after = await quiet(sidecar, warm.descriptors + DESCRIPTORS_MORE)
    alive, peak = sidecar.alive, sidecar.peak if sidecar.alive else 0.0
    told = (await upstream.ask("tell"), await provider.ask("tell"))
    elapsed = time.monotonic() - begun
    code = await sidecar.end()
    return Evidence(
        seconds=elapsed,
        tally=tally,
        upstream=told[0],
        provider=told[1],
        weather=weather.counts,
        troubled=weather.troubled,
        versions=sidecar.versions,
        warm=warm,
        after=after,
        peak=peak,
        alive=alive,
        code=code,
        log=sidecar.log,
    )


@contextlib.asynccontextmanager
async def storm(weather: Weather, tally: Tally) -> AsyncIterator[None]:
    """The weather while the block runs."""
    task = asyncio.create_task(weather.last())
    try:
        yield
    finally:
        task.cancel()
        (end,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(end, Exception):
            tally.wrong.append(f"the weather ended: {end!r}")


def arguments() -> argparse.Namespace:
    """What is wanted; the same seed draws the same requests and faults."""
    parser = argparse.ArgumentParser(prog="bench.soak", description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", default=60.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--workers", type=int, default=1, help="processes of the sidecar")
    return parser.parse_args()


def main() -> int:
    """Run it as the arguments say."""
    wanted = arguments()
    seconds, seed = wanted.seconds, wanted.seed
    home = Path(tempfile.mkdtemp(prefix="token-sidecar-soak-"))
    print(f"soak: {seconds:g} s, {CLIENTS} clients, seed {seed}, logs in {home}", flush=True)
    seen = asyncio.run(soak(home, seconds, seed, wanted.workers))
    found = list(violations(seen))
    print(summary(seen))
    if not found:
        shutil.rmtree(home)
        print(f"{len(seen.tally.ended)} requests in {seen.seconds:.0f} s, all is well")
        return 0
    print("\n".join(found[:100]))
    print(f"{len(found)} violations; the logs are in {home}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
