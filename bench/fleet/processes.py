"""Real sidecars, each a process with a configuration of its own, and programs that ask them."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.fleet.issuer import Issuer, issuer
from bench.subject import PROGRAM, REPOSITORY, free_ports, processor
from tests.support.redis_server import RedisServer

LIFETIME = 6
"""Seconds that a token lives."""
PAUSE = 0.5
"""Seconds between two requests to one sidecar, on average."""
STARTING, ENDING = 90.0, 40.0
CONFIGURATION = """\
listen: 127.0.0.1:{listen}
admin: off
state_dir: {home}/state
log: {{access: false}}
credentials:
  fleet:
    token_url: http://127.0.0.1:{issuer}/token
    client_id: fleet
    client_secret: {{file: {secret}}}
routes:
  - {{path: /, upstream: "http://127.0.0.1:{issuer}", credential: fleet}}
"""
STORE = """\
store:
  redis: redis://127.0.0.1:{redis}/0
  encryption_key: {{file: {key}}}
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What so many processes did in so many seconds.

    Attributes:
        first: token requests until all of them had answered once.
        requests: token requests afterwards.
        answers: to their programs' requests, by status.
        processor: seconds of processor time of all of them together.
    """

    first: int
    requests: int
    seconds: float
    answers: Counter[int]
    processor: float


async def measure(count: int, seconds: float, home: Path, redis: RedisServer | None) -> Measured:
    """Start them, ask them, end them."""
    async with issuer(LIFETIME) as provider, aiohttp.ClientSession() as http:
        ports = free_ports(count)
        async with _running(ports, home, provider, redis) as pids:
            await asyncio.gather(*(_first(http, port) for port in ports))
            first, begin = len(provider.asked), time.monotonic()
            used = sum(map(processor, pids))
            answers: Counter[int] = Counter()
            end = begin + seconds
            await asyncio.gather(*(_program(http, port, end, answers) for port in ports))
            used = sum(map(processor, pids)) - used
            requests = len(provider.asked) - first
    return Measured(first, requests, seconds, answers, used)


async def _first(http: aiohttp.ClientSession, port: int) -> None:
    end = time.monotonic() + STARTING
    while await _status(http, port) != 200:
        if time.monotonic() > end:
            raise TimeoutError(f"the sidecar on port {port} does not serve")
        await asyncio.sleep(0.1)


async def _program(
    http: aiohttp.ClientSession, port: int, end: float, answers: Counter[int]
) -> None:
    while time.monotonic() < end:
        answers[await _status(http, port)] += 1
        await asyncio.sleep(random.uniform(0, 2 * PAUSE))


async def _status(http: aiohttp.ClientSession, port: int) -> int:
    """Of one request; 0 where nobody answers."""
    try:
        async with http.get(f"http://127.0.0.1:{port}/anything") as answer:
            return answer.status
    except aiohttp.ClientError:
        return 0


@asynccontextmanager
async def _running(
    ports: list[int], home: Path, provider: Issuer, redis: RedisServer | None
) -> AsyncIterator[list[int]]:
    """The processes' ids, until the block ends; all are started at once."""
    files = [_written(home, port, provider, redis) for port in ports]
    with (home / "sidecars.log").open("ab") as log:
        processes = [
            await asyncio.create_subprocess_exec(
                *(*PROGRAM, "run", "--config", str(file)), stdout=log, stderr=log, cwd=REPOSITORY
            )
            for file in files
        ]
    try:
        yield [process.pid for process in processes]
    finally:
        await asyncio.gather(*map(_ended, processes))


def _written(home: Path, port: int, provider: Issuer, redis: RedisServer | None) -> Path:
    place = home / f"sidecar-{port}"
    place.mkdir(mode=0o700)
    for name, text in (("secret", "fleet-secret"), ("key", "6c" * 32)):
        (home / name).write_text(text)
        (home / name).chmod(0o600)
    text = CONFIGURATION.format(
        listen=port, home=place, issuer=provider.port, secret=home / "secret"
    )
    if redis is not None:
        text += STORE.format(redis=redis.port, key=home / "key")
    file = place / "config.yaml"
    file.write_text(text)
    return file


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(ENDING):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
