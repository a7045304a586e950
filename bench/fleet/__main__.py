"""Runs all of it, prints the figures, and writes them into docs/fleet.md with the graph.

``SECONDS`` says how long the real sidecars are measured, each time.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from bench.fleet.processes import LIFETIME, measure
from bench.fleet.provider import Limit
from bench.fleet.report import Report
from bench.fleet.scenarios import Outage, Start, failover, herd, ordinary_hour, outage
from bench.fleet.stores import Alone, OneRedis, Stores
from tests.support.redis_server import RedisServer, redis_server

COUNTS = (1, 10, 50, 100, 250, 500)
FLEET = COUNTS[-1]
PROCESSES = 24
LIMIT = Limit(rate=10.0, burst=20)
OUTAGE = 420.0
GONE = 30.0
SHORT = 60.0
"""Seconds that a token lives which ends while Redis is gone."""
DISTANCES = {"the same region, 1 ms": 0.0005, "a near one, 40 ms": 0.02, "overseas, 150 ms": 0.075}
"""Round trip to Redis: half of it in seconds, each way."""
APART = 100
"""Sidecars that are measured at these distances."""


async def hours(report: Report, kinds: dict[str, Stores]) -> None:
    """An ordinary hour, by the number of sidecars."""
    rows, drawn = [], []
    for count in COUNTS:
        alone, _ = await ordinary_hour(kinds["each alone"], count)
        shared, commands = await ordinary_hour(kinds["one Redis"], count)
        rows.append((count, alone, shared, commands))
        drawn.append((count, alone, shared))
    head = ("sidecars", "token requests an hour, each alone", "with one Redis", "commands to Redis")
    report.table("An hour, tokens of 5 minutes", head, rows)
    report.graph(drawn)


async def starts(report: Report, kinds: dict[str, Stores]) -> None:
    """All start within one second, at a provider without a limit and at one with a limit."""
    rows = [
        _start(name, limit, await herd(stores, FLEET, limit))
        for name, stores in kinds.items()
        for limit in (None, LIMIT)
    ]
    head = ("store", "provider", "token requests", "most in 1 s", "answered 429", "seconds to all")
    report.table(f"{FLEET} sidecars start in the same second", head, rows)


def _start(name: str, limit: Limit | None, found: Start) -> tuple[object, ...]:
    allows = "without a limit" if limit is None else f"{limit.rate:g}/s, {limit.burst} at once"
    return name, allows, found.requests, found.peak, found.refused, found.seconds


async def outages(report: Report, kinds: dict[str, Stores]) -> None:
    """The provider is away for longer than a token lives."""
    rows = [_outage(name, await outage(stores, FLEET, OUTAGE)) for name, stores in kinds.items()]
    head = (
        *("store", "requests meanwhile", "most in 1 s"),
        *("after its return", "most in 1 s", "seconds to all"),
    )
    title = f"The provider refuses connections for {OUTAGE / 60:.0f} minutes, {FLEET} sidecars"
    report.table(title, head, rows)


def _outage(name: str, found: Outage) -> tuple[object, ...]:
    before = (name, found.during, found.during_peak)
    return *before, found.after, found.after_peak, found.back


async def failovers(report: Report, shared: Stores) -> None:
    """Redis is gone for a while, for each kind of credential and of token."""
    rows = []
    for rotating, grant in ((False, "full grant"), (True, "rotating refresh token")):
        found = await failover(shared, FLEET, lifetime=SHORT, seconds=GONE, rotating=rotating)
        told = (found.asked, found.unserved, found.requests, found.settled, found.peak)
        rows.append((grant, *told, "yes" if found.lost else "no"))
    head = (
        *("credential", "requests of programs", "without a token"),
        *("token requests meanwhile", "afterwards", "most in 1 s", "login lost"),
    )
    title = f"Redis is gone for {GONE:.0f} s, {FLEET} sidecars, tokens of {SHORT:.0f} s"
    report.table(title, head, rows)


async def distances(report: Report, server: RedisServer) -> None:
    """The same Redis from ever farther away."""
    rows = []
    for name, delay in DISTANCES.items():
        found = await herd(OneRedis(server, delay), APART)
        rows.append((name, found.requests, found.seconds))
    head = ("Redis is in", "token requests", "seconds until all have a token")
    report.table(f"{APART} sidecars start in the same second", head, rows)


async def processes(report: Report, server: RedisServer, home: Path, seconds: float) -> None:
    """Real processes."""
    rows = []
    for name, redis in (("each alone", None), ("one Redis", server)):
        place = home / name.replace(" ", "-")
        place.mkdir()
        found = await measure(PROCESSES, seconds, place, redis)
        others = found.answers.total() - found.answers[200]
        told = (found.first, found.requests, found.answers[200], others)
        rows.append((name, *told, f"{found.processor / PROCESSES / seconds:.2%}"))
    head = (
        *("store", "token requests at the start", f"in {seconds:g} s after it"),
        *("answers 200", "other answers", "processor, each"),
    )
    report.table(f"{PROCESSES} real sidecars, tokens of {LIFETIME} s", head, rows)


async def main(home: Path, seconds: float) -> None:
    """All of it, on one Redis."""
    report = Report()
    with redis_server(home, "--maxclients", "10000", "--tcp-backlog", "4096") as server:
        kinds: dict[str, Stores] = {"each alone": Alone(), "one Redis": OneRedis(server)}
        await hours(report, kinds)
        await starts(report, kinds)
        await outages(report, kinds)
        await failovers(report, kinds["one Redis"])
        await distances(report, server)
        server.ask("FLUSHALL")
        await processes(report, server, home, seconds)
    report.publish()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="fleet-") as made:
        asyncio.run(main(Path(made), float(os.environ.get("SECONDS", "30"))))
